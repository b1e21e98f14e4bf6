/* Authorised requests; see cloudrun_call.h. Knows no resource of the API. */
#include "cloudrun/cloudrun_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/clock.h"

#define HEADERS_MAX 1

static void exchange_fini(struct exchange *exchange)
{
	token_cancel(&exchange->token_call);
	http_cancel(&exchange->http_call);
	xfree(&exchange->url);
	xfree(&exchange->body);
}

struct cloudrun_call *cloudrun_call_new(
	struct cloudrun *cloudrun, char *name, void *arg)
{
	struct cloudrun_call *call = xcalloc(1, sizeof(*call));

	call->cloudrun = cloudrun;
	call->name = name;
	call->arg = arg;
	LIST_INSERT_HEAD(&cloudrun->calls, call, entry);
	return call;
}

void cloudrun_call_free(struct cloudrun_call *call)
{
	LIST_REMOVE(call, entry);
	call->cloudrun->waits -= call->follow.waiting;
	exchange_fini(&call->exchange);
	timer_cancel(&call->timer);
	timer_cancel(&call->deadline);
	xfree(&call->follow.operation);
	xfree(&call->look.revision);
	xfree(&call->name);
	xfree(&call->known);
	free(call);
}

static void call_replied(const struct http_reply *reply, void *arg);

static void call_transmit(
	struct cloudrun_call *call, const struct secret *token)
{
	struct exchange *exchange = &call->exchange;
	struct cloudrun *cloudrun = call->cloudrun;
	const char *project = credentials_quota_project(cloudrun->credentials);
	struct http_header header[HEADERS_MAX] = {
		{"x-goog-user-project", project}};
	struct http_request request = {
		.method = exchange->method,
		.url = exchange->url,
		.headers = header,
		.n_headers = project ? 1 : 0,
		.bearer = token,
		.content_type = exchange->body ? "application/json" : NULL,
		.body = exchange->body,
		.body_len = exchange->body ? strlen(exchange->body) : 0,
		.timeout_ms = exchange->timeout_ms,
		.urgent = exchange->urgent,
	};

	exchange->sent = true;
	exchange->http_call =
		http_start(cloudrun->http, &request, call_replied, call);
}

static void call_answer(struct cloudrun_call *call, const struct reply *reply)
{
	reply_fn fn = call->exchange.fn;

	exchange_fini(&call->exchange);
	fn(call, reply);
}

static void call_got_token(
	const struct secret *token, const struct err *err, void *arg)
{
	struct cloudrun_call *call = arg;
	struct reply reply = {.err = err};

	call->exchange.token_call = NULL;
	if (!token) {
		call_answer(call, &reply);
		return;
	}
	call->exchange.serial = token_serial(call->cloudrun->credentials);
	call_transmit(call, token);
}

static void call_authorise(struct cloudrun_call *call)
{
	struct credentials *credentials = call->cloudrun->credentials;
	const struct secret *token = token_cached(credentials);

	if (token)
		call_got_token(token, NULL, call);
	else
		call->exchange.token_call =
			token_start(credentials, call_got_token, call);
}

static void note_clock(struct cloudrun *cloudrun, const struct http_reply *got)
{
	int64_t date_ms = http_reply_date_ms(got);

	if (!date_ms)
		return;
	cloudrun->clock_known = true;
	cloudrun->clock_ahead_ms = clock_wall_ms() / 1000 * 1000 - date_ms;
}

static void call_replied(const struct http_reply *got, void *arg)
{
	struct cloudrun_call *call = arg;
	struct reply reply = {
		.status = got->status,
		.body = got->body,
		.len = got->body_len,
		.latency_us = got->latency_us,
		.maybe_sent = got->maybe_sent,
		.err = got->err,
	};
	struct err err;

	call->exchange.http_call = NULL;
	note_clock(call->cloudrun, got);
	if (got->status == 401 && !call->exchange.repeated) {
		call->exchange.repeated = true;
		token_reject(
			call->cloudrun->credentials, call->exchange.serial);
		call_authorise(call);
		return;
	}
	if (got->status != 0 && got->status / 100 != 2) {
		google_error_decode(got->status, got->body, got->body_len,
			got->retry_after_ms, &err);
		reply.err = &err;
	}
	call_answer(call, &reply);
}

void cloudrun_call_send(struct cloudrun_call *call, const char *method,
	char *path, char *body, int64_t timeout_ms, reply_fn fn)
{
	call->exchange = (struct exchange){
		.method = method,
		.url = xasprintf("%s%s", call->cloudrun->base, path),
		.body = body,
		.timeout_ms = timeout_ms,
		.urgent = strcmp(method, "PATCH") == 0,
		.fn = fn,
	};
	xfree(&path);
	call_authorise(call);
}
