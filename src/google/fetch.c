/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all fetches have in common; see fetch.h. Owns a fetch from its start to
 * the one call of its callback; knows no kind of credential.
 */
#include "google/fetch.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "google/claims_codec.h"
#include "google/source.h"
#include "io/clock.h"
#include "io/loop.h"

struct fetch *fetch_start(
	struct source *source, const char *audience, fetch_fn fn, void *arg)
{
	struct fetch *fetch = xcalloc(1, source->type->fetch_size);

	fetch->source = source;
	source->n_fetches++;
	fetch->audience = xstrdup(audience);
	fetch->fn = fn;
	fetch->arg = arg;
	source->type->start(fetch);
	return fetch;
}

void fetch_cancel(struct fetch **fetch)
{
	struct fetch *old = *fetch;

	*fetch = NULL;
	if (!old)
		return;
	if (old->source->type->stop)
		old->source->type->stop(old);
	retry_request_cancel(&old->request);
	timer_cancel(&old->timer);
	old->source->n_fetches--;
	secret_free(&old->body);
	xfree(&old->audience);
	xfree(&old->url);
	free(old);
}

/* ---- Requests. ---- */

static void fetch_send(struct fetch *fetch, const struct http_request *request,
	retry_request_fn fn)
{
	struct http_request ours = *request;

	xfree(&fetch->url);
	fetch->url = xstrdup(request->url);
	ours.url = fetch->url;
	fetch->request =
		retry_request_start(&fetch->source->env, &ours, fn, fetch);
}

void fetch_post(struct fetch *fetch, const struct http_request *request,
	struct secret *body, retry_request_fn fn)
{
	struct http_request ours = *request;

	fetch->body = body;
	ours.method = "POST";
	ours.body = secret_reveal(body);
	ours.body_len = secret_len(body);
	fetch_send(fetch, &ours, fn);
}

void fetch_get(struct fetch *fetch, const struct http_request *request,
	retry_request_fn fn)
{
	fetch_send(fetch, request, fn);
}

void fetch_answered(struct fetch *fetch)
{
	fetch->request = NULL;
	secret_free(&fetch->body);
}

/* ---- The end. ---- */

static void fetch_finish(struct fetch *fetch, struct secret *token,
	int64_t life_s, const struct err *err)
{
	fetch_fn fn = fetch->fn;
	void *arg = fetch->arg;

	fetch_cancel(&fetch);
	fn(token, life_s, err, arg);
}

void fetch_succeed(struct fetch *fetch, struct secret *token, int64_t life_s)
{
	fetch_finish(fetch, token, life_s, NULL);
}

int64_t fetch_now_s(const struct http_reply *reply)
{
	int64_t date_ms = http_reply_date_ms(reply);

	return date_ms ? date_ms / 1000 : clock_wall_ms() / 1000;
}

void fetch_succeed_id(struct fetch *fetch, struct secret *token,
	const struct http_reply *reply)
{
	int64_t exp_s, life_s;
	struct err err;

	if (claims_check(token, fetch->audience, &exp_s, &err) < 0) {
		secret_free(&token);
		fetch_fail(fetch, &err);
		return;
	}
	life_s = exp_s - fetch_now_s(reply);
	fetch_succeed(fetch, token, life_s > 0 ? life_s : 0);
}

void fetch_fail(struct fetch *fetch, const struct err *err)
{
	struct err copy = *err; /* it may be the fetch's own */

	fetch_finish(fetch, NULL, 0, &copy);
}

static void fetch_fail_now(void *arg)
{
	struct fetch *fetch = arg;

	fetch->timer = NULL;
	fetch_fail(fetch, &fetch->err);
}

void fetch_fail_soon(struct fetch *fetch, const struct err *err)
{
	fetch->err = *err;
	fetch->timer =
		timer_start(fetch->source->env.loop, 0, fetch_fail_now, fetch);
}
