/*
 * Asks JSON APIs; see jsonapi.h. Owns the requests under way, who waits for
 * each, and who must not be asked before when; what an answer means is
 * number_codec.h's, whether to ask again later the caller's.
 *
 * A flight is one request: ask_start, ask_pace (ask_paced or ask_give_up),
 * ask_authorized, ask_send, ask_answered, ask_finish.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "metrics/jsonapi.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "google/credentials.h"
#include "io/http.h"
#include "io/loop.h"
#include "metrics/number_codec.h"
#include "metrics/rate_limit.h"

#define BUCKETS        256 /* of flights; a power of two */
#define HEADERS_MAX    34 /* the policy's, and two of ours */
#define BODY_BYTES_MAX (256 * 1024) /* of a question */
#define QUOTA_HEADER   "x-goog-user-project"

struct jsonapi_call {
	TAILQ_ENTRY(jsonapi_call) link;
	struct flight *flight;
	const struct json_question *what;
	char *release; /* rendered; NULL: none */
	int64_t started_us;
	jsonapi_fn fn;
	void *arg;
};

struct flight {
	LIST_ENTRY(flight) link; /* in its bucket, until it is answered */
	TAILQ_HEAD(, jsonapi_call) calls;
	struct jsonapi *api;
	const struct json_source *source;
	uint32_t hash;
	char *url, *body; /* body NULL: GET */
	int64_t timeout_ms, deadline_ms; /* of waiting */
	struct http_call *http_call;
	struct token_call *token_call;
	struct timer *timer;
	unsigned serial; /* of the token of ours that was sent; 0: none */
	struct err limited; /* what the last 429 said; code ERR_NONE: none */
	bool refreshed; /* a 401 is believed the second time */
	bool answered; /* being told: nobody can cancel the flight */
};

struct jsonapi {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials;
	struct rate_limits *limits;
	LIST_HEAD(, flight) flights[BUCKETS];
};

static void ask_start(struct flight *flight);
static void ask_pace(struct flight *flight);
static void ask_paced(void *arg);
static void ask_give_up(void *arg);
static void ask_authorize(struct flight *flight);
static void ask_authorized(
	const struct secret *token, const struct err *err, void *arg);
static void ask_send(struct flight *flight, const struct secret *token);
static void ask_answered(const struct http_reply *reply, void *arg);
static void ask_finish(struct flight *flight, const struct number_reply *reply,
	const struct err *err);

struct jsonapi *jsonapi_new(
	struct loop *loop, struct http *http, struct credentials *credentials)
{
	struct jsonapi *api = xcalloc(1, sizeof(*api));

	api->loop = loop;
	api->http = http;
	api->credentials = credentials;
	api->limits = rate_limits_new();
	return api;
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	xfree(text);
}

static void flight_free(struct flight *flight)
{
	http_cancel(&flight->http_call);
	token_cancel(&flight->token_call);
	timer_cancel(&flight->timer);
	wipe(&flight->url);
	xfree(&flight->body);
	free(flight);
}

static void call_free(struct jsonapi_call *call)
{
	xfree(&call->release);
	free(call);
}

void jsonapi_free(struct jsonapi **api)
{
	struct jsonapi *old = *api;
	struct jsonapi_call *call;
	struct flight *flight;

	*api = NULL;
	if (!old)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		while ((flight = LIST_FIRST(&old->flights[i]))) {
			LIST_REMOVE(flight, link);
			while ((call = TAILQ_FIRST(&flight->calls))) {
				TAILQ_REMOVE(&flight->calls, call, link);
				call_free(call);
			}
			flight_free(flight);
		}
	}
	rate_limits_free(&old->limits);
	free(old);
}

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

/* FNV-1a over address and body. */
static uint32_t hash_texts(const char *url, const char *body)
{
	uint32_t hash = 2166136261U;

	for (; *url; url++)
		hash = (hash ^ (unsigned char)*url) * 16777619U;
	for (; body && *body; body++)
		hash = (hash ^ (unsigned char)*body) * 16777619U;
	return hash;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static struct flight *find_flight(
	const struct jsonapi *api, const struct flight *wanted)
{
	struct flight *flight;

	LIST_FOREACH(flight, &api->flights[wanted->hash % BUCKETS], link) {
		if (flight->hash == wanted->hash &&
			flight->timeout_ms == wanted->timeout_ms &&
			same_text(flight->url, wanted->url) &&
			same_text(flight->body, wanted->body) &&
			source_is_alike(flight->source, wanted->source))
			return flight;
	}
	return NULL;
}

static struct flight *flight_new(struct jsonapi *api,
	const struct jsonapi_question *question, struct err *err_r)
{
	const struct json_question *what = question->what;
	char *url = render_url(question);
	struct flight *flight;

	if (!url) {
		err_set(err_r, ERR_INVALID,
			"%s and its parameters have more than %d bytes",
			what->url_shown, HTTP_URL_MAX);
		return NULL;
	}
	flight = xcalloc(1, sizeof(*flight));
	TAILQ_INIT(&flight->calls);
	flight->api = api;
	flight->source = question->source;
	flight->url = url;
	flight->body = render_text(what->body, question->values, ESCAPE_JSON);
	flight->hash = hash_texts(url, flight->body);
	flight->timeout_ms = question->timeout_ms;
	flight->deadline_ms = loop_now(api->loop) + question->patience_ms;
	return flight;
}

struct jsonapi_call *jsonapi_start(struct jsonapi *api,
	const struct jsonapi_question *question, jsonapi_fn fn, void *arg,
	struct err *err_r)
{
	struct flight *flight, *other;
	struct jsonapi_call *call;

	if (question->source->auth.type == AUTH_GOOGLE && !api->credentials) {
		err_set(err_r, ERR_AUTH,
			"auth is google, but there are no Google credentials");
		return NULL;
	}
	flight = flight_new(api, question, err_r);
	if (!flight)
		return NULL;
	other = find_flight(api, flight);
	if (other) {
		flight_free(flight);
		flight = other;
	} else {
		ask_start(flight);
	}
	call = xcalloc(1, sizeof(*call));
	call->flight = flight;
	call->what = question->what;
	if (question->what->release)
		call->release =
			render_text(secret_reveal(question->what->release),
				question->values, ESCAPE_NONE);
	call->started_us = loop_now_us(api->loop);
	call->fn = fn;
	call->arg = arg;
	TAILQ_INSERT_TAIL(&flight->calls, call, link);
	return call;
}

void jsonapi_cancel(struct jsonapi_call **call)
{
	struct flight *flight;

	if (!*call)
		return;
	flight = (*call)->flight;
	TAILQ_REMOVE(&flight->calls, *call, link);
	call_free(*call);
	*call = NULL;
	if (TAILQ_EMPTY(&flight->calls) && !flight->answered) {
		LIST_REMOVE(flight, link);
		flight_free(flight);
	}
}

/* ---- a flight, in the order of time ---- */

static void ask_start(struct flight *flight)
{
	struct jsonapi *api = flight->api;

	LIST_INSERT_HEAD(&api->flights[flight->hash % BUCKETS], flight, link);
	ask_pace(flight);
}

/* Nothing is sent while the other side wants its peace. Those that wait for
 * the same moment do not all come at once. */
static void ask_pace(struct flight *flight)
{
	struct jsonapi *api = flight->api;
	int64_t now_ms = loop_now(api->loop), left_ms, wait_ms;

	wait_ms = rate_limits_left_ms(
		api->limits, flight->source, flight->url, now_ms);
	if (!wait_ms) {
		ask_authorize(flight);
		return;
	}
	left_ms = flight->deadline_ms - now_ms;
	wait_ms += flight->hash % (wait_ms / 8 + 1);
	if (wait_ms <= left_ms)
		flight->timer =
			timer_start(api->loop, wait_ms, ask_paced, flight);
	else
		flight->timer = timer_start(api->loop,
			left_ms > 0 ? left_ms : 0, ask_give_up, flight);
}

static void ask_paced(void *arg)
{
	struct flight *flight = arg;

	flight->timer = NULL;
	ask_pace(flight); /* another may have been told to wait longer */
}

static void ask_give_up(void *arg)
{
	struct flight *flight = arg;
	struct jsonapi *api = flight->api;
	struct err err = flight->limited;
	int64_t left_ms;

	flight->timer = NULL;
	left_ms = rate_limits_left_ms(
		api->limits, flight->source, flight->url, loop_now(api->loop));
	if (!err.code)
		err_set(&err, ERR_THROTTLED,
			"its limit of the rate is reached");
	err.retry_after_ms = left_ms;
	ask_finish(flight, NULL, &err);
}

static void ask_authorize(struct flight *flight)
{
	struct jsonapi *api = flight->api;
	const struct auth *auth = &flight->source->auth;
	const struct secret *token;

	if (auth->type != AUTH_GOOGLE) {
		ask_send(flight,
			auth->type == AUTH_BEARER ? auth->secret : NULL);
		return;
	}
	token = token_cached(api->credentials);
	if (token)
		ask_authorized(token, NULL, flight);
	else
		flight->token_call =
			token_start(api->credentials, ask_authorized, flight);
}

static void ask_authorized(
	const struct secret *token, const struct err *err, void *arg)
{
	struct flight *flight = arg;

	flight->token_call = NULL;
	if (err) {
		ask_finish(flight, NULL, err);
		return;
	}
	flight->serial = token_serial(flight->api->credentials);
	ask_send(flight, token);
}

static size_t fill_headers(
	const struct flight *flight, struct http_header headers[HEADERS_MAX])
{
	const struct json_source *source = flight->source;
	const char *project = NULL;
	bool accepts = false;
	size_t n = 0;

	for (size_t i = 0; i < source->n_headers && n < HEADERS_MAX - 2; i++) {
		headers[n++] = (struct http_header){source->headers[i].name,
			secret_reveal(source->headers[i].value)};
		accepts |= !strcasecmp(source->headers[i].name, "accept");
	}
	if (!accepts)
		headers[n++] =
			(struct http_header){"Accept", "application/json"};
	if (source->auth.type == AUTH_GOOGLE)
		project = credentials_quota_project(flight->api->credentials);
	if (project)
		headers[n++] = (struct http_header){QUOTA_HEADER, project};
	return n;
}

static void ask_send(struct flight *flight, const struct secret *token)
{
	const struct json_source *source = flight->source;
	bool basic = source->auth.type == AUTH_BASIC;
	struct http_header headers[HEADERS_MAX];
	struct http_request request = {
		.url = flight->url,
		.headers = headers,
		.n_headers = fill_headers(flight, headers),
		.bearer = token,
		.username = basic ? source->auth.username : NULL,
		.password = basic ? source->auth.secret : NULL,
		.timeout_ms = flight->timeout_ms,
		.body_max = NUMBER_BODY_MAX,
		.ca_file = source->tls.ca_file,
		.cert_file = source->tls.cert_file,
		.key_file = source->tls.key_file,
		.repeatable = true,
	};

	if (flight->body) {
		request.content_type = "application/json";
		request.body = flight->body;
		request.body_len = strlen(flight->body);
	}
	flight->http_call =
		http_start(flight->api->http, &request, ask_answered, flight);
}

/* Whether the answer only says: later. */
static bool ask_later(
	struct flight *flight, const struct http_reply *reply, int64_t wait_ms)
{
	const struct number_reply body = {
		reply->status, reply->body, reply->body_len};
	const struct json_question *any = TAILQ_FIRST(&flight->calls)->what;
	struct answer ignored;

	if (!wait_ms || (reply->status != 429 && reply->status != 503))
		return false;
	if (number_decode(&body, any, NULL, &ignored, &flight->limited) == 0)
		return false; /* cannot be: it is no 200 */
	ask_pace(flight);
	return true;
}

static bool ask_refreshed(struct flight *flight, int status)
{
	if (status != 401 || !flight->serial || flight->refreshed)
		return false;
	flight->refreshed = true;
	token_reject(flight->api->credentials, flight->serial);
	ask_authorize(flight);
	return true;
}

static void ask_answered(const struct http_reply *reply, void *arg)
{
	struct flight *flight = arg;
	struct jsonapi *api = flight->api;
	const struct number_reply body = {
		reply->status, reply->body, reply->body_len};
	struct err err;
	int64_t wait_ms;

	flight->http_call = NULL;
	if (reply->err) {
		err = *reply->err;
		if (err.code == ERR_LIMIT)
			err_wrap(&err, "the answer is too long: ask for less");
		ask_finish(flight, NULL, &err);
		return;
	}
	wait_ms = rate_limits_take(api->limits, flight->source, flight->url,
		reply, loop_now(api->loop));
	if (ask_later(flight, reply, wait_ms) ||
		ask_refreshed(flight, reply->status))
		return;
	ask_finish(flight, &body, NULL);
}

/* `done` is out of the flight: its callback may ask anew. */
static void tell(struct jsonapi_call *done, const struct number_reply *reply,
	const struct err *cause, int64_t now_us)
{
	struct answer answer;
	struct err err;
	int rc = -1;

	if (reply)
		rc = number_decode(
			reply, done->what, done->release, &answer, &err);
	else
		err = *cause;
	if (rc < 0)
		err_wrap(&err, "%s", done->what->url_shown);
	done->fn(rc < 0 ? NULL : &answer, now_us - done->started_us,
		rc < 0 ? &err : NULL, done->arg);
	call_free(done);
}

static void ask_finish(struct flight *flight, const struct number_reply *reply,
	const struct err *cause)
{
	int64_t now_us = loop_now_us(flight->api->loop);
	struct jsonapi_call *call;

	/* Whoever asks the same from inside a callback asks anew. */
	LIST_REMOVE(flight, link);
	flight->answered = true;
	while ((call = TAILQ_FIRST(&flight->calls))) {
		TAILQ_REMOVE(&flight->calls, call, link);
		tell(call, reply, cause, now_us);
	}
	flight_free(flight);
}
