/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests as somebody, and questions that are asked once. Time is virtual
 * (replay/fake_loop.h), tokens are fake_token.h's, and the client of io/http.h
 * is a fake that keeps what was sent until the test answers it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../replay/fake_loop.h"
#include "../replay/fake_worker.h"
#include "api/flight.h"
#include "api/request.h"
#include "base/http_status.h"
#include "base/xalloc.h"
#include "fake_token.h"

#define URL  "https://api.example/v1/things"
#define RUN  "https://t1---shop-abc-ew.a.run.app/health?deep=1"
#define LONG INT64_C(3600000)

/* ---- the client ---- */

struct http_call {
	http_fn fn;
	void *arg;
	bool over; /* its callback runs, or ran */
};

static struct {
	struct http_call *call; /* under way; NULL: none */
	int sent, cancelled;
	char url[256], method[16], bearer[64], user[64], type[64], body[64];
	char headers[512]; /* "name: value\n" each */
	int64_t timeout_ms;
	bool urgent, repeatable;
	const char *ca_file;
} net;

static void keep(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "-");
}

struct http_call *http_start(struct http *http,
	const struct http_request *request, http_fn fn, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));
	size_t at = 0;

	assert_null(net.call);
	call->fn = fn;
	call->arg = arg;
	net.call = call;
	net.sent++;
	keep(net.url, sizeof(net.url), request->url);
	keep(net.method, sizeof(net.method), request->method);
	keep(net.bearer, sizeof(net.bearer),
		request->bearer ? secret_reveal(request->bearer) : NULL);
	keep(net.user, sizeof(net.user), request->username);
	keep(net.type, sizeof(net.type), request->content_type);
	keep(net.body, sizeof(net.body), request->body);
	net.headers[0] = '\0';
	for (size_t i = 0; i < request->n_headers; i++)
		at += (size_t)snprintf(net.headers + at,
			sizeof(net.headers) - at, "%s: %s\n",
			request->headers[i].name, request->headers[i].value);
	net.timeout_ms = request->timeout_ms;
	net.urgent = request->urgent;
	net.repeatable = request->repeatable;
	net.ca_file = request->ca_file;
	return call;
}

void http_cancel(struct http_call **call)
{
	if (*call && !(*call)->over) {
		assert_ptr_equal(*call, net.call);
		net.call = NULL;
		net.cancelled++;
		free(*call);
	}
	*call = NULL;
}

static void reply_with(const struct http_reply *reply)
{
	struct http_call *call = net.call;

	assert_non_null(call);
	net.call = NULL;
	call->over = true;
	call->fn(reply, call->arg);
	free(call);
}

static void answer_later(int status, int64_t retry_after_ms)
{
	const struct http_reply reply = {.status = status,
		.body = "",
		.content_type = "",
		.retry_after_ms = retry_after_ms};

	reply_with(&reply);
}

static void answer(int status)
{
	answer_later(status, 0);
}

static void lose(bool maybe_sent)
{
	struct err err;
	struct http_reply reply = {.body = "",
		.content_type = "",
		.maybe_sent = maybe_sent,
		.err = &err};

	err_set(&err, ERR_UNAVAILABLE, "the connection was reset");
	reply_with(&reply);
}

/* ---- the caller ---- */

static struct credentials credentials;
static struct api api;
static struct request *request;

static struct {
	int calls, status;
	bool maybe_sent;
	void *decoded;
	struct err err;
} told;

static int set_up(void **state)
{
	fake_loop_reset(0);
	memset(&net, 0, sizeof(net));
	memset(&told, 0, sizeof(told));
	credentials = (struct credentials){.serial = 1};
	api = (struct api){.credentials = &credentials};
	return 0;
}

static int tear_down(void **state)
{
	request_cancel(&request);
	fake_token_free(&credentials);
	assert_int_equal(fake_loop_pending(), 0);
	return 0;
}

static void hear(const struct http_reply *reply, void *arg)
{
	assert_ptr_equal(arg, &told);
	request = NULL;
	told.calls++;
	told.status = reply->status;
	told.maybe_sent = reply->maybe_sent;
	told.decoded = reply->decoded;
	assert_true((reply->status == 0) == (reply->err != NULL));
	if (reply->err)
		told.err = *reply->err;
}

static void ask(const struct request_spec *spec)
{
	assert_null(request);
	told.calls = 0;
	request = request_start(&api, spec, hear, &told);
	assert_int_equal(told.calls, 0); /* never inside the start */
}

static void pass(int64_t ms)
{
	int64_t end_ms = fake_now() + ms;

	while (fake_loop_turn(end_ms))
		;
}

static struct secret *secret_of(const char *text)
{
	return secret_new(text, strlen(text));
}

/* ---- who asks ---- */

static void without_auth_no_name_is_sent(void **state)
{
	ask(&(struct request_spec){.url = URL, .timeout_ms = 7000});
	assert_int_equal(net.sent, 1);
	assert_string_equal(net.url, URL);
	assert_string_equal(net.bearer, "-");
	assert_string_equal(net.user, "-");
	assert_string_equal(net.type, "-");
	assert_string_equal(net.headers, "");
	assert_int_equal(net.timeout_ms, 7000);
	answer(204);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.status, 204);
}

static void a_user_and_a_token_of_the_policy_are_sent_as_they_are(void **state)
{
	struct secret *secret = secret_of("s3cret-of-the-policy");
	struct auth basic = {
		.type = AUTH_BASIC, .username = "ci", .secret = secret};
	struct auth bearer = {.type = AUTH_BEARER, .secret = secret};

	ask(&(struct request_spec){.url = URL, .auth = &basic});
	assert_string_equal(net.user, "ci");
	assert_string_equal(net.bearer, "-");
	answer(401); /* nothing to fetch anew */
	assert_int_equal(told.status, 401);
	ask(&(struct request_spec){.url = URL, .auth = &bearer});
	assert_string_equal(net.bearer, "s3cret-of-the-policy");
	answer(401);
	assert_int_equal(told.status, 401);
	assert_int_equal(net.sent, 2);
	secret_free(&secret);
}

static void a_google_token_comes_first_and_its_quota_is_paid(void **state)
{
	credentials.quota_project = "billing";
	ask(&(struct request_spec){.url = URL, .auth = &request_google});
	assert_int_equal(net.sent, 0);
	assert_false(request_was_sent(request));
	pass(1);
	assert_int_equal(net.sent, 1);
	assert_true(request_was_sent(request));
	assert_string_equal(net.bearer, "token-1");
	assert_string_equal(net.headers, "x-goog-user-project: billing\n");
	answer(200);
	assert_int_equal(told.status, 200);
	/* One that is there already costs no turn; the caller's project wins. */
	credentials.cached = true;
	ask(&(struct request_spec){
		.url = URL, .auth = &request_google, .quota_project = "other"});
	assert_int_equal(net.sent, 2);
	assert_string_equal(net.headers, "x-goog-user-project: other\n");
	answer(200);
}

static void a_project_pays_for_google_only(void **state)
{
	credentials.quota_project = "billing";
	ask(&(struct request_spec){.url = URL});
	assert_string_equal(net.headers, "");
	answer(200);
	ask(&(struct request_spec){
		.url = RUN, .auth = &(struct auth){.type = AUTH_ID_TOKEN}});
	pass(1);
	assert_string_equal(net.headers, "");
	answer(200);
}

static void a_service_is_shown_an_id_token_for_itself(void **state)
{
	struct auth auth = {.type = AUTH_ID_TOKEN};

	ask(&(struct request_spec){.url = RUN, .auth = &auth});
	pass(1);
	assert_string_equal(
		credentials.audience, "https://shop-abc-ew.a.run.app");
	assert_string_equal(net.bearer, "id-1");
	answer(401);
	pass(1);
	assert_string_equal(net.bearer, "id-2");
	answer(200);
	auth.audience = "https://custom.example";
	ask(&(struct request_spec){.url = RUN, .auth = &auth});
	pass(1);
	assert_string_equal(credentials.audience, "https://custom.example");
	answer(200);
}

static void a_refused_token_is_fetched_anew_once(void **state)
{
	credentials.cached = true;
	ask(&(struct request_spec){.url = URL,
		.auth = &request_google,
		.body = "{}",
		.body_len = 2});
	pass(1);
	assert_string_equal(net.bearer, "token-1");
	answer(401);
	pass(1);
	assert_string_equal(net.bearer, "token-2");
	assert_string_equal(net.body, "{}");
	answer(401);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.status, 401);
	assert_int_equal(net.sent, 2);
}

static void each_is_told_that_there_is_no_other_token(void **state)
{
	credentials.cached = credentials.is_only = true;
	for (int i = 1; i <= 3; i++) {
		ask(&(struct request_spec){
			.url = URL, .auth = &request_google});
		pass(1);
		assert_string_equal(net.bearer, "token-1");
		answer(401);
		assert_int_equal(told.calls, 1);
		assert_int_equal(told.err.code, ERR_AUTH);
		assert_string_equal(told.err.text, "there is no other token");
		assert_int_equal(net.sent, i);
	}
}

static void without_credentials_it_is_told_and_nothing_is_sent(void **state)
{
	api.credentials = NULL;
	ask(&(struct request_spec){.url = URL, .auth = &request_google});
	pass(1);
	assert_int_equal(told.err.code, ERR_AUTH);
	assert_false(told.maybe_sent);
	ask(&(struct request_spec){.url = "no url",
		.auth = &(struct auth){.type = AUTH_ID_TOKEN}});
	request_cancel(&request); /* and it is never told */
	pass(LONG);
	assert_int_equal(told.calls, 0);
	assert_int_equal(net.sent, 0);
}

static void no_token_no_request(void **state)
{
	credentials.fails = ERR_DENIED;
	ask(&(struct request_spec){.url = URL, .auth = &request_google});
	pass(1);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.err.code, ERR_DENIED);
	assert_int_equal(net.sent, 0);
}

static void a_token_that_hangs_ends_with_the_time(void **state)
{
	credentials.hangs = true;
	ask(&(struct request_spec){.url = URL,
		.auth = &request_google,
		.deadline_ms = loop_now(NULL) + 5000});
	pass(4999);
	assert_int_equal(told.calls, 0);
	pass(1);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.err.code, ERR_TIMEOUT);
	assert_false(told.maybe_sent);
}

/* ---- what is sent ---- */

static void headers_of_the_policy_go_before_ours(void **state)
{
	struct header headers[] = {{"accept", secret_of("text/x-first")},
		{"Content-Type", secret_of("text/x-second")}};
	struct request_spec spec = {.url = URL,
		.body = "hello",
		.body_len = 5,
		.accept = "application/json",
		.tls = &(struct tls){.ca_file = "/ca.pem"},
		.urgent = true,
		.repeatable = true};

	ask(&spec);
	assert_string_equal(net.type, "application/json");
	assert_string_equal(net.headers, "Accept: application/json\n");
	assert_string_equal(net.ca_file, "/ca.pem");
	assert_true(net.urgent && net.repeatable);
	answer(200);
	spec.headers = headers;
	spec.n_headers = 2;
	ask(&spec);
	assert_string_equal(net.type, "-");
	assert_string_equal(net.headers,
		"accept: text/x-first\nContent-Type: text/x-second\n");
	answer(200);
	secret_free(&headers[0].value);
	secret_free(&headers[1].value);
}

static void a_redirect_is_an_answer(void **state)
{
	ask(&(struct request_spec){.url = URL,
		.auth = &request_google,
		.repeatable = true,
		.tries_max = 5});
	pass(1);
	answer(307);
	assert_int_equal(told.status, 307);
	assert_int_equal(net.sent, 1);
}

/* ---- again ---- */

static void one_try_is_what_it_gets_unasked(void **state)
{
	ask(&(struct request_spec){.url = URL, .repeatable = true});
	answer(503);
	assert_int_equal(told.status, 503);
	ask(&(struct request_spec){.url = URL, .repeatable = true});
	answer(429);
	assert_int_equal(told.status, 429);
	assert_int_equal(net.sent, 2);
}

#define PAUSES 3

/* How long it was waited before each further try. */
static void measure_pauses(int64_t pauses[PAUSES])
{
	const struct request_spec spec = {
		.url = URL, .repeatable = true, .tries_max = PAUSES + 1};
	int64_t since_ms;

	net.sent = 0;
	ask(&spec);
	for (int i = 0; i < PAUSES; i++) {
		since_ms = fake_now();
		if (i % 2)
			lose(true);
		else
			answer(503);
		while (net.sent == i + 1)
			pass(1);
		pauses[i] = fake_now() - since_ms;
	}
	answer(500);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.status, 500);
	assert_int_equal(net.sent, PAUSES + 1);
}

static void pauses_are_drawn_from_ever_longer_times(void **state)
{
	static const int64_t longest[PAUSES] = {1000, 2000, 4000};
	int64_t pauses[PAUSES], least[PAUSES], most[PAUSES] = {0};
	int64_t sum[PAUSES] = {0};

	for (int i = 0; i < PAUSES; i++)
		least[i] = longest[i];
	for (int n = 0; n < 400; n++) {
		measure_pauses(pauses);
		for (int i = 0; i < PAUSES; i++) {
			sum[i] += pauses[i];
			least[i] = pauses[i] < least[i] ? pauses[i] : least[i];
			most[i] = pauses[i] > most[i] ? pauses[i] : most[i];
		}
	}
	for (int i = 0; i < PAUSES; i++) {
		assert_in_range(least[i], 0, longest[i] / 20);
		assert_in_range(most[i], longest[i] * 19 / 20, longest[i] + 1);
		assert_in_range(
			sum[i] / 400, longest[i] * 4 / 10, longest[i] * 6 / 10);
	}
}

/* What happened once can be played again. */
static void the_same_seed_draws_the_same_pauses(void **state)
{
	int64_t first[PAUSES], again[PAUSES], other[PAUSES];

	fake_loop_reset(7);
	measure_pauses(first);
	fake_loop_reset(7);
	measure_pauses(again);
	fake_loop_reset(8);
	measure_pauses(other);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, other, sizeof(first));
}

static void retry_after_makes_the_pause_longer(void **state)
{
	ask(&(struct request_spec){.url = URL, .tries_max = 2});
	answer_later(429, 20000);
	pass(19999);
	assert_int_equal(net.sent, 1);
	pass(1);
	assert_int_equal(net.sent, 2);
	answer(200);
	assert_int_equal(told.status, 200);
}

static void what_may_do_harm_twice_is_repeated_only_when_it_was_refused(
	void **state)
{
	const struct request_spec spec = {.url = URL, .tries_max = 5};

	ask(&spec);
	answer(503);
	assert_int_equal(told.status, 503);
	ask(&spec);
	lose(true);
	assert_int_equal(told.err.code, ERR_UNAVAILABLE);
	assert_true(told.maybe_sent);
	ask(&spec);
	answer(429);
	pass(1000);
	assert_int_equal(net.sent, 4);
	answer(200);
}

static void refusals_that_last_are_not_repeated(void **state)
{
	static const int statuses[] = {200, 202, 301, 400, 403, 404, 409, 501};

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		ask(&(struct request_spec){
			.url = URL, .repeatable = true, .tries_max = 9});
		answer(statuses[i]);
		assert_int_equal(told.calls, 1);
		assert_int_equal(told.status, statuses[i]);
	}
}

static void no_pause_outlasts_the_time(void **state)
{
	ask(&(struct request_spec){.url = URL,
		.repeatable = true,
		.tries_max = 9,
		.deadline_ms = loop_now(NULL) + 2500});
	assert_int_equal(net.timeout_ms, 2500);
	answer_later(503, 1000);
	pass(1000);
	assert_int_equal(net.timeout_ms, 1500);
	answer_later(503, 2000);
	assert_int_equal(told.status, 503);
	assert_int_equal(net.sent, 2);
}

static void a_lost_answer_is_not_forgotten(void **state)
{
	ask(&(struct request_spec){.url = URL,
		.auth = &request_google,
		.repeatable = true,
		.tries_max = 2});
	pass(1);
	lose(true);
	credentials.fails = ERR_UNAVAILABLE;
	pass(1000);
	assert_int_equal(told.err.code, ERR_UNAVAILABLE);
	assert_string_equal(told.err.text, "no token today");
	assert_true(told.maybe_sent);
}

static void a_cancel_ends_it_wherever_it_is(void **state)
{
	const struct request_spec spec = {.url = URL,
		.auth = &request_google,
		.repeatable = true,
		.tries_max = 3};

	ask(&spec);
	request_cancel(&request); /* waiting for the token */
	ask(&spec);
	pass(1);
	request_cancel(&request); /* on its way */
	assert_int_equal(net.cancelled, 1);
	ask(&spec);
	pass(1);
	answer(503);
	request_cancel(&request); /* in the pause */
	request_cancel(&request);
	pass(LONG);
	assert_int_equal(told.calls, 0);
	assert_int_equal(net.sent, 2);
}

/* ---- long answers ---- */

static struct {
	int made, discarded;
	size_t len;
} decoding;

static void *length_decode(const struct http_reply *reply)
{
	decoding.made++;
	decoding.len = reply->body_len;
	assert_int_equal(reply->body[reply->body_len - 1], 'x');
	assert_null(reply->call);
	return &decoding;
}

static void length_discard(void *decoded)
{
	assert_ptr_equal(decoded, &decoding);
	decoding.discarded++;
}

static const struct decoder length_decoder = {length_decode, length_discard};

/* The body is gone when this returns. */
static void answer_with(int status, size_t len)
{
	char *body = xcalloc(1, len + 1);
	const struct http_reply reply = {.status = status,
		.body = memset(body, 'x', len),
		.body_len = len,
		.content_type = ""};

	reply_with(&reply);
	memset(body, 'y', len);
	free(body);
}

static void a_long_answer_is_decoded_beside_the_loop(void **state)
{
	static const struct request_spec spec = {
		.url = URL, .decoder = &length_decoder};
	const struct http_reply reply = {
		.status = 200, .body = "x", .body_len = 1, .content_type = ""};

	memset(&decoding, 0, sizeof(decoding));
	api.worker = worker_new(NULL, 1, &(struct err){0});
	ask(&spec);
	answer_with(200, REQUEST_LONG_BYTES + 1);
	assert_int_equal(told.calls, 0);
	assert_int_equal(decoding.made, 0);
	pass(1);
	assert_int_equal(told.calls, 1);
	assert_ptr_equal(told.decoded, &decoding);
	assert_int_equal(decoding.len, REQUEST_LONG_BYTES + 1);
	/* Short ones and refusals are their reader's. */
	ask(&spec);
	answer_with(200, REQUEST_LONG_BYTES);
	assert_int_equal(told.calls, 1);
	assert_null(told.decoded);
	ask(&spec);
	answer_with(500, REQUEST_LONG_BYTES + 1);
	assert_int_equal(told.calls, 1);
	assert_null(told.decoded);
	assert_int_equal(decoding.made, 1);
	assert_ptr_equal(request_decoded(&reply, &length_decoder), &decoding);
	assert_int_equal(decoding.made, 2);
	assert_int_equal(decoding.discarded, 0);
	worker_free(&api.worker);
}

static void what_is_decoded_for_nobody_is_freed(void **state)
{
	static const struct request_spec spec = {
		.url = URL, .decoder = &length_decoder};

	memset(&decoding, 0, sizeof(decoding));
	api.worker = worker_new(NULL, 1, &(struct err){0});
	ask(&spec);
	answer_with(200, REQUEST_LONG_BYTES + 1);
	request_cancel(&request);
	pass(1);
	assert_int_equal(told.calls, 0);
	assert_int_equal(decoding.made, 1);
	assert_int_equal(decoding.discarded, 1);
	worker_free(&api.worker);
}

/* ---- beforehand ---- */

static void what_cannot_work_is_known_beforehand(void **state)
{
	struct tls tls = {.ca_file = "/nowhere/ca.pem"};
	struct request_spec spec = {.url = "http://example.com/"};
	struct err err;

	assert_int_equal(request_check(&api, &spec, &err), -1);
	assert_non_null(strstr(err.text, "https://"));
	spec.url = URL;
	assert_int_equal(request_check(&api, &spec, &err), 0);
	spec.tls = &tls;
	assert_int_equal(request_check(&api, &spec, &err), -1);
	assert_non_null(strstr(err.text, "/nowhere/ca.pem"));
	spec.tls = NULL;
	spec.auth = &request_google;
	assert_int_equal(request_check(&api, &spec, &err), 0);
	api.credentials = NULL;
	assert_int_equal(request_check(&api, &spec, &err), -1);
	assert_int_equal(err.code, ERR_AUTH);
	assert_int_equal(net.sent, 0);
}

static void expect_endpoint(const char *instead, const char *wanted)
{
	char *url = request_endpoint(instead, "https://a.example");

	assert_string_equal(url, wanted);
	free(url);
}

static void an_endpoint_can_be_put_in_place_of_the_usual(void **state)
{
	expect_endpoint(NULL, "https://a.example");
	expect_endpoint("", "https://a.example");
	expect_endpoint("http://127.0.0.1:1/p//", "http://127.0.0.1:1/p");
}

static void a_status_means_the_same_to_all(void **state)
{
	static const struct {
		int status;
		enum err_code code;
	} rows[] = {{302, ERR_PROTOCOL}, {400, ERR_INVALID}, {401, ERR_AUTH},
		{403, ERR_DENIED}, {404, ERR_NOT_FOUND}, {405, ERR_INVALID},
		{408, ERR_TIMEOUT}, {409, ERR_CONFLICT}, {410, ERR_NOT_FOUND},
		{412, ERR_CONFLICT}, {413, ERR_LIMIT}, {422, ERR_INVALID},
		{429, ERR_THROTTLED}, {499, ERR_UNAVAILABLE},
		{500, ERR_UNAVAILABLE}, {501, ERR_INVALID},
		{503, ERR_UNAVAILABLE}, {504, ERR_TIMEOUT}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(
			http_status_code(rows[i].status), rows[i].code);
		assert_false(http_status_is_success(rows[i].status));
	}
	assert_true(http_status_is_success(200));
	assert_true(http_status_is_success(202));
	assert_false(http_status_is_success(0));
}

/* ---- single flight ---- */

struct question {
	struct flight flight;
	const char *text;
};

struct asker {
	struct flight_caller caller;
	int number;
};

static int questions_freed, askers_freed;

static bool is_same(const struct flight *a, const struct flight *b)
{
	return !strcmp(((const struct question *)a)->text,
		((const struct question *)b)->text);
}

static void question_free(struct flight *flight)
{
	questions_freed++;
	free(flight);
}

static void asker_free(struct flight_caller *caller)
{
	askers_freed++;
	free(caller);
}

static const struct flight_type question_type = {
	is_same, question_free, asker_free};

static struct question *question_new(const char *text)
{
	struct question *question = xcalloc(1, sizeof(*question));

	question->text = text;
	question->flight.hash = 7; /* all collide */
	return question;
}

static struct asker *ask_too(
	struct flights *flights, const char *text, int number, bool *is_new)
{
	struct flight *flight =
		flight_share(flights, &question_new(text)->flight, is_new);
	struct asker *asker = xcalloc(1, sizeof(*asker));

	asker->number = number;
	flight_join(flight, &asker->caller);
	return asker;
}

static int land_one(struct flight *flight)
{
	struct asker *asker = (struct asker *)flight_land(flight);
	int number = asker ? asker->number : 0;

	free(asker);
	return number;
}

static void what_many_want_is_asked_once(void **state)
{
	struct flights flights;
	struct asker *first, *again;
	struct flight *flight;
	bool is_new;

	questions_freed = askers_freed = 0;
	flights_init(&flights, &question_type);
	first = ask_too(&flights, "a", 1, &is_new);
	assert_true(is_new);
	flight = first->caller.flight;
	ask_too(&flights, "a", 2, &is_new);
	assert_false(is_new);
	assert_int_equal(questions_freed, 1);
	ask_too(&flights, "b", 9, &is_new);
	assert_true(is_new);
	assert_int_equal(land_one(flight), 1);
	/* Who asks again while the others are told asks anew. */
	again = ask_too(&flights, "a", 3, &is_new);
	assert_true(is_new);
	assert_ptr_not_equal(again->caller.flight, flight);
	assert_int_equal(land_one(flight), 2);
	assert_int_equal(questions_freed, 1);
	assert_int_equal(land_one(flight), 0);
	assert_int_equal(questions_freed, 2);
	flights_fini(&flights);
	assert_int_equal(questions_freed, 4);
	assert_int_equal(askers_freed, 2);
}

/* There is room for more the more there are, and nobody is lost on the way. */
static void of_many_flights_each_is_found(void **state)
{
	enum { MANY = 1000 };
	static char texts[MANY][12];
	struct flights flights;
	struct question *question;
	bool is_new;

	questions_freed = askers_freed = 0;
	flights_init(&flights, &question_type);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			snprintf(texts[i], sizeof(texts[i]), "%d", i);
			question = question_new(texts[i]);
			question->flight.hash = flight_hash(0, texts[i]);
			flight_join(flight_share(&flights, &question->flight,
					    &is_new),
				xcalloc(1, sizeof(struct asker)));
			assert_int_equal(is_new, round == 0);
		}
	}
	assert_int_equal(questions_freed, MANY);
	flights_fini(&flights);
	assert_int_equal(questions_freed, 2 * MANY);
	assert_int_equal(askers_freed, 2 * MANY);
}

static void a_flight_ends_with_its_last_caller(void **state)
{
	struct flights flights;
	struct asker *first, *second;
	struct flight *flight;
	bool is_new;

	questions_freed = askers_freed = 0;
	flights_init(&flights, &question_type);
	first = ask_too(&flights, "a", 1, &is_new);
	second = ask_too(&flights, "a", 2, &is_new);
	assert_int_equal(questions_freed, 1);
	flight_leave(&first->caller);
	assert_int_equal(questions_freed, 1);
	flight_leave(&second->caller);
	assert_int_equal(questions_freed, 2);
	/* One caller cancels the other while it is told: the flight stays
	 * until it is landed. */
	first = ask_too(&flights, "a", 1, &is_new);
	second = ask_too(&flights, "a", 2, &is_new);
	flight = first->caller.flight;
	assert_int_equal(land_one(flight), 1);
	flight_leave(&second->caller);
	assert_int_equal(questions_freed, 3);
	assert_int_equal(land_one(flight), 0);
	assert_int_equal(questions_freed, 4);
	flights_fini(&flights);
}

static void texts_and_their_order_make_the_hash(void **state)
{
	uint32_t ab = flight_hash(flight_hash(0, "a"), "b");

	assert_int_equal(ab, flight_hash(flight_hash(0, "a"), "b"));
	assert_int_not_equal(ab, flight_hash(flight_hash(0, "b"), "a"));
	assert_int_not_equal(flight_hash(flight_hash(0, "a"), ""),
		flight_hash(flight_hash(0, "a"), NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_auth_no_name_is_sent),
		TEST(a_user_and_a_token_of_the_policy_are_sent_as_they_are),
		TEST(a_google_token_comes_first_and_its_quota_is_paid),
		TEST(a_project_pays_for_google_only),
		TEST(a_service_is_shown_an_id_token_for_itself),
		TEST(a_refused_token_is_fetched_anew_once),
		TEST(each_is_told_that_there_is_no_other_token),
		TEST(without_credentials_it_is_told_and_nothing_is_sent),
		TEST(no_token_no_request),
		TEST(a_token_that_hangs_ends_with_the_time),
		TEST(headers_of_the_policy_go_before_ours),
		TEST(a_redirect_is_an_answer),
		TEST(one_try_is_what_it_gets_unasked),
		TEST(pauses_are_drawn_from_ever_longer_times),
		TEST(the_same_seed_draws_the_same_pauses),
		TEST(retry_after_makes_the_pause_longer),
		TEST(what_may_do_harm_twice_is_repeated_only_when_it_was_refused),
		TEST(refusals_that_last_are_not_repeated),
		TEST(no_pause_outlasts_the_time),
		TEST(a_lost_answer_is_not_forgotten),
		TEST(a_cancel_ends_it_wherever_it_is),
		TEST(a_long_answer_is_decoded_beside_the_loop),
		TEST(what_is_decoded_for_nobody_is_freed),
		TEST(what_cannot_work_is_known_beforehand),
		TEST(an_endpoint_can_be_put_in_place_of_the_usual),
		TEST(a_status_means_the_same_to_all),
		TEST(what_many_want_is_asked_once),
		TEST(a_flight_ends_with_its_last_caller),
		TEST(of_many_flights_each_is_found),
		TEST(texts_and_their_order_make_the_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
