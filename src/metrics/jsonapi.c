/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks JSON APIs; see jsonapi.h. Owns who must not be asked before when; what an
 * answer means is number_codec.h's, who waits for it api/flight.h's, whether to
 * ask again later the caller's.
 *
 * A question is one request: query_pace (query_paced or query_give_up),
 * query_send, query_answered, query_finish.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "metrics/jsonapi.h"

#include <stdlib.h>
#include <string.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "metrics/number_codec.h"
#include "metrics/rate_limit.h"

#define BODY_BYTES_MAX (256 * 1024) /* of a question */

struct jsonapi_call {
	struct provider_call call;
	const struct json_question *what;
	char *release; /* rendered; NULL: none */
};

struct question {
	struct flight flight;
	struct jsonapi *jsonapi;
	const struct json_source *source;
	char *url, *body; /* body NULL: GET */
	int64_t timeout_ms, deadline_ms; /* of waiting */
	struct request *request;
	struct timer *timer;
	struct err limited; /* what the last 429 said; code ERR_NONE: none */
};

struct jsonapi {
	struct api api;
	struct rate_limits *limits;
	struct flights flights;
};

static void query_pace(struct question *question);
static void query_paced(void *arg);
static void query_give_up(void *arg);
static void query_send(struct question *question);
static void query_answered(const struct http_reply *reply, void *arg);
static void query_finish(struct question *question,
	const struct number_reply *reply, const struct err *err);

static const struct flight_type question_type;

struct jsonapi *jsonapi_new(const struct api *api)
{
	struct jsonapi *jsonapi = xcalloc(1, sizeof(*jsonapi));

	jsonapi->api = *api;
	jsonapi->limits = rate_limits_new();
	flights_init(&jsonapi->flights, &question_type);
	return jsonapi;
}

void jsonapi_free(struct jsonapi **jsonapi)
{
	struct jsonapi *old = *jsonapi;

	*jsonapi = NULL;
	if (!old)
		return;
	flights_fini(&old->flights);
	rate_limits_free(&old->limits);
	free(old);
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	xfree(text);
}

static void question_free(struct flight *flight)
{
	struct question *question = (struct question *)flight;

	request_cancel(&question->request);
	timer_cancel(&question->timer);
	wipe(&question->url);
	xfree(&question->body);
	free(question);
}

static void caller_free(struct flight_caller *caller)
{
	struct jsonapi_call *call = (struct jsonapi_call *)caller;

	xfree(&call->release);
	free(call);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool question_is_same(const struct flight *a, const struct flight *b)
{
	const struct question *ours = (const struct question *)a;
	const struct question *theirs = (const struct question *)b;

	return ours->timeout_ms == theirs->timeout_ms &&
	       same_text(ours->url, theirs->url) &&
	       same_text(ours->body, theirs->body) &&
	       source_is_alike(ours->source, theirs->source);
}

static const struct flight_type question_type = {
	.is_same = question_is_same,
	.free = question_free,
	.free_caller = caller_free,
};

/* ---- what is asked ---- */

static void add_param(struct buf *url, const struct param *param,
	const struct template_values *values)
{
	struct buf value;
	char *text;

	buf_init(&value, HTTP_URL_MAX);
	template_render(
		&value, secret_reveal(param->value), values, ESCAPE_NONE);
	text = http_escape(param->name);
	buf_addf(url, "%c%s=", strchr(url->data, '?') ? '&' : '?', text);
	free(text);
	text = http_escape(value.data);
	buf_adds(url, text);
	wipe(&text);
	buf_wipe(&value);
	buf_fini(&value);
}

static char *render_url(const struct jsonapi_question *question)
{
	struct buf url;

	buf_init(&url, HTTP_URL_MAX + 1);
	template_render(&url, secret_reveal(question->what->url),
		question->values, ESCAPE_URL);
	for (size_t i = 0; i < question->what->n_params; i++)
		add_param(&url, &question->what->params[i], question->values);
	if (!url.overflow)
		return buf_steal(&url);
	buf_wipe(&url);
	buf_fini(&url);
	return NULL;
}

static char *render_text(const char *text, const struct template_values *values,
	enum template_escape escape)
{
	struct buf out;

	if (!text)
		return NULL;
	buf_init(&out, BODY_BYTES_MAX);
	template_render(&out, text, values, escape);
	return buf_steal(&out);
}

static struct question *question_new(struct jsonapi *jsonapi,
	const struct jsonapi_question *asked, struct err *err_r)
{
	char *url = render_url(asked);
	struct question *question;

	if (!url) {
		err_set(err_r, ERR_INVALID,
			"%s and its parameters have more than %d bytes",
			asked->what->url_shown, HTTP_URL_MAX);
		return NULL;
	}
	question = xcalloc(1, sizeof(*question));
	question->jsonapi = jsonapi;
	question->source = asked->source;
	question->url = url;
	question->body =
		render_text(asked->what->body, asked->values, ESCAPE_JSON);
	question->flight.hash =
		flight_hash(flight_hash(0, url), question->body);
	question->timeout_ms = asked->timeout_ms;
	question->deadline_ms =
		loop_now(jsonapi->api.loop) + asked->patience_ms;
	return question;
}

struct provider_call *jsonapi_start(struct jsonapi *jsonapi,
	const struct jsonapi_question *asked, metric_fn fn, void *arg,
	struct err *err_r)
{
	struct question *question;
	struct jsonapi_call *call;
	bool is_new;

	if (asked->source->auth.type == AUTH_GOOGLE &&
		!jsonapi->api.credentials) {
		err_set(err_r, ERR_AUTH,
			"auth is google, but there are no Google credentials");
		return NULL;
	}
	question = question_new(jsonapi, asked, err_r);
	if (!question)
		return NULL;
	question = (struct question *)flight_share(
		&jsonapi->flights, &question->flight, &is_new);
	call = xcalloc(1, sizeof(*call));
	call->call = (struct provider_call){.fn = fn,
		.arg = arg,
		.started_us = loop_now_us(jsonapi->api.loop)};
	call->what = asked->what;
	if (asked->what->release)
		call->release = render_text(secret_reveal(asked->what->release),
			asked->values, ESCAPE_NONE);
	flight_join(&question->flight, &call->call.caller);
	if (is_new)
		query_pace(question);
	return &call->call;
}

/* ---- a question, in the order of time ---- */

/* Waits out the limit of the rate, and up to 1/8 longer: those who wait for the
 * same moment do not all come at once. */
static void query_pace(struct question *question)
{
	struct jsonapi *jsonapi = question->jsonapi;
	struct loop *loop = jsonapi->api.loop;
	int64_t now_ms = loop_now(loop), left_ms, wait_ms;

	wait_ms = rate_limits_left_ms(
		jsonapi->limits, question->source, question->url, now_ms);
	if (!wait_ms) {
		query_send(question);
		return;
	}
	left_ms = question->deadline_ms - now_ms;
	wait_ms += question->flight.hash % (wait_ms / 8 + 1);
	if (wait_ms <= left_ms)
		question->timer =
			timer_start(loop, wait_ms, query_paced, question);
	else
		question->timer = timer_start(loop, left_ms > 0 ? left_ms : 0,
			query_give_up, question);
}

static void query_paced(void *arg)
{
	struct question *question = arg;

	question->timer = NULL;
	query_pace(question); /* another may have been told to wait longer */
}

static void query_give_up(void *arg)
{
	struct question *question = arg;
	struct jsonapi *jsonapi = question->jsonapi;
	struct err err = question->limited;

	question->timer = NULL;
	if (!err.code)
		err_set(&err, ERR_THROTTLED,
			"its limit of the rate is reached");
	err.retry_after_ms = rate_limits_left_ms(jsonapi->limits,
		question->source, question->url, loop_now(jsonapi->api.loop));
	query_finish(question, NULL, &err);
}

static void query_send(struct question *question)
{
	const struct json_source *source = question->source;
	const struct api *api = &question->jsonapi->api;
	const struct request_spec spec = {
		.url = question->url,
		.accept = "application/json",
		.headers = source->headers,
		.n_headers = source->n_headers,
		.auth = &source->auth,
		.tls = &source->tls,
		.body = question->body,
		.body_len = question->body ? strlen(question->body) : 0,
		.body_max = NUMBER_BODY_MAX,
		.deadline_ms = loop_now(api->loop) + question->timeout_ms,
		.repeatable = true,
	};

	question->request = request_start(api, &spec, query_answered, question);
}

/* Whether the answer only says: later. */
static bool query_later(struct question *question,
	const struct http_reply *reply, int64_t wait_ms)
{
	const struct number_reply body = {
		reply->status, reply->body, reply->body_len};

	if (!wait_ms || (reply->status != 429 && reply->status != 503))
		return false;
	number_refused(&body, &question->limited);
	query_pace(question);
	return true;
}

static void query_answered(const struct http_reply *reply, void *arg)
{
	struct question *question = arg;
	struct jsonapi *jsonapi = question->jsonapi;
	const struct number_reply body = {
		reply->status, reply->body, reply->body_len};
	struct err err;
	int64_t wait_ms;

	question->request = NULL;
	if (reply->err) {
		err = *reply->err;
		if (err.code == ERR_LIMIT)
			err_wrap(&err, "the answer is too long: ask for less");
		query_finish(question, NULL, &err);
		return;
	}
	wait_ms = rate_limits_take(jsonapi->limits, question->source,
		question->url, reply, loop_now(jsonapi->api.loop));
	if (!query_later(question, reply, wait_ms))
		query_finish(question, &body, NULL);
}

static void call_tell(const struct jsonapi_call *done,
	const struct number_reply *reply, const struct err *cause,
	int64_t latency_us)
{
	struct metric_reading reading = {0};
	struct err err;
	int rc = -1;

	if (reply)
		rc = number_decode(reply, done->what, done->release,
			&reading.answer, &err);
	else
		err = *cause;
	reading.series = reading.answer.kind == ANSWER_VALUE;
	if (rc < 0)
		err_wrap(&err, "%s", done->what->url_shown);
	done->call.fn(rc < 0 ? NULL : &reading, latency_us,
		rc < 0 ? &err : NULL, done->call.arg);
}

static void query_finish(struct question *question,
	const struct number_reply *reply, const struct err *cause)
{
	int64_t now_us = loop_now_us(question->jsonapi->api.loop);
	struct flight_caller *caller;

	while ((caller = flight_land(&question->flight))) {
		struct jsonapi_call *call = (struct jsonapi_call *)caller;

		call_tell(call, reply, cause, now_us - call->call.started_us);
		caller_free(caller);
	}
}
