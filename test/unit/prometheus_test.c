/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a Prometheus: what is sent, what is shared, what is asked again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "fake_google.h"
#include "google/credentials.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/server.h"
#include "metrics/answer_codec.h"
#include "metrics/prometheus.h"
#include "until.h"

#define N(array)    (sizeof(array) / sizeof((array)[0]))
#define DEADLINE_MS 60000
#define SEEN_MAX    64
#define HELD_MAX    8
#define VALUE(text)                                                    \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\"," \
	"\"result\":[1,\"" text "\"]}}"

/* What the fake saw of one request; texts are copies. */
struct seen {
	char method[8], target[256], path[128], query[256], timeout[32];
	char time[32];
	char authorization[128], tenant[32], quota[32];
};

struct reply {
	int status;
	const char *body;
	int delay_ms; /* -1: when it is released, at the latest at the end */
	int ahead_s; /* their clock */
};

struct world {
	struct loop *loop;
	struct http *http;
	struct server *server;
	struct fake_google google;
	struct credentials *credentials;
	struct metrics metrics;
	struct prometheus *prometheus;
	struct timer *deadline;
	struct seen seen[SEEN_MAX];
	int requests;
	const struct reply *script; /* one each; the last for all others */
	int n_script;
	struct late *held[HELD_MAX];
	int n_held;
};

struct late {
	struct world *world;
	struct server_request *request;
	const struct reply *reply;
};

struct told {
	struct world *world;
	int calls;
	bool has_sample;
	double value;
	int64_t latency_us;
	struct err err;
	const char *again; /* asked from inside the callback */
	struct told *again_answer;
	struct provider_call **victim; /* cancelled there */
	bool stops;
};

static void copy(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text ? text : "");
}

#define COPY(array, text) copy(array, sizeof(array), text)

static void look_at(struct seen *seen, struct server_request *request)
{
	const char *type = request_header(request, "Content-Type");
	size_t len;
	const char *form = request_body(request, &len);
	char *query, *timeout, *time;

	COPY(seen->method, request_method(request));
	COPY(seen->target, request_target(request));
	COPY(seen->path, request_path(request));
	COPY(seen->authorization, request_header(request, "Authorization"));
	COPY(seen->tenant, request_header(request, "X-Scope-OrgID"));
	COPY(seen->quota, request_header(request, "x-goog-user-project"));
	if (strcmp(seen->method, "GET") == 0) {
		COPY(seen->query, request_query(request, "query"));
		COPY(seen->timeout, request_query(request, "timeout"));
		return;
	}
	assert_string_equal(type, "application/x-www-form-urlencoded");
	query = fake_form_field(form, "query");
	timeout = fake_form_field(form, "timeout");
	time = fake_form_field(form, "time");
	COPY(seen->query, query);
	COPY(seen->timeout, timeout);
	COPY(seen->time, time);
	free(query);
	free(timeout);
	free(time);
}

static void answer_late(void *arg)
{
	struct late *late = arg;

	request_answer(late->request, late->reply->status, "application/json",
		late->reply->body, strlen(late->reply->body));
	free(late);
}

static void hold(struct world *world, struct late *late)
{
	assert_true(world->n_held < HELD_MAX);
	world->held[world->n_held++] = late;
}

static void release(struct world *world)
{
	while (world->n_held)
		answer_late(world->held[--world->n_held]);
}

static void set_date(struct server_request *request, int ahead_s)
{
	time_t at = time(NULL) + ahead_s;
	char text[64];

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&at));
	request_set_header(request, "Date", text);
}

static void serve(struct server_request *request, void *arg)
{
	struct world *world = arg;
	struct late *late = xcalloc(1, sizeof(*late));

	assert_true(world->requests < SEEN_MAX);
	look_at(&world->seen[world->requests++], request);
	*late = (struct late){world, request, world->script};
	if (world->n_script > 1) {
		world->n_script--;
		world->script++;
	}
	if (late->reply->status == 429)
		request_set_header(request, "Retry-After", "7");
	if (late->reply->ahead_s)
		set_date(request, late->reply->ahead_s);
	if (late->reply->delay_ms > 0)
		timer_start(
			world->loop, late->reply->delay_ms, answer_late, late);
	else if (late->reply->delay_ms == 0)
		answer_late(late);
	else
		hold(world, late);
}

static int set_up(void **state)
{
	static const struct reply good = {200, VALUE("0.5"), 0};
	struct world *world = xcalloc(1, sizeof(*world));
	struct err err;

	world->loop = loop_new(&err);
	world->http = http_new(world->loop, &err);
	world->server = server_new(world->loop, 0, serve, world, &err);
	assert_non_null(world->server);
	world->script = &good;
	world->metrics.url_shown = "http://shown";
	world->metrics.timeout_ms = 5000;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	prometheus_free(&world->prometheus);
	credentials_free(&world->credentials);
	release(world);
	if (world->google.server)
		fake_google_fini(&world->google);
	server_free(&world->server);
	http_free(&world->http);
	loop_free(&world->loop);
	secret_free(&world->metrics.url);
	free(world);
	return 0;
}

static struct prometheus *open_prometheus(const struct world *world,
	struct credentials *credentials, struct err *err_r)
{
	const struct api api = {world->loop, world->http, credentials};

	return prometheus_new(&api, &world->metrics, err_r);
}

/* `path` may hold a query, too. */
static void open_at(struct world *world, const char *path)
{
	char *url = xasprintf(
		"http://127.0.0.1:%d%s", server_port(world->server), path);
	struct err err;

	prometheus_free(&world->prometheus);
	secret_free(&world->metrics.url);
	world->metrics.url = secret_new(url, strlen(url));
	world->prometheus = open_prometheus(world, world->credentials, &err);
	if (!world->prometheus)
		fail_msg("%s", err.text);
	xfree(&url);
}

static void open_google(struct world *world)
{
	struct err err;
	char *url;

	fake_google_init(&world->google, world->loop, NULL);
	url = fake_google_url(&world->google, "");
	unsetenv("CLOUDSDK_AUTH_ACCESS_TOKEN");
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	setenv("HOME", "/nonexistent", 1);
	setenv("GCE_METADATA_HOST", url + strlen("http://"), 1);
	setenv("GOOGLE_CLOUD_QUOTA_PROJECT", "billing-1", 1);
	world->credentials = credentials_new(world->loop, world->http, &err);
	if (!world->credentials)
		fail_msg("%s", err.text);
	world->metrics.auth.type = AUTH_GOOGLE;
	xfree(&url);
	open_at(world, "");
}

static void too_late(void *arg)
{
	struct world *world = arg;

	world->deadline = NULL;
	loop_stop(world->loop);
}

static void run(struct world *world)
{
	struct err err;

	world->deadline =
		timer_start(world->loop, DEADLINE_MS, too_late, world);
	assert_int_equal(loop_run(world->loop, &err), 0);
	assert_non_null(world->deadline);
	timer_cancel(&world->deadline);
}

static void answered(const struct metric_reading *reading, int64_t latency_us,
	const struct err *err, void *arg)
{
	struct told *answer = arg;

	answer->calls++;
	answer->latency_us = latency_us;
	assert_true(reading || err);
	answer->has_sample = err == NULL;
	if (!err)
		answer->value = reading->answer.value;
	else
		answer->err = *err;
	if (answer->victim)
		provider_cancel(answer->victim);
	if (answer->again)
		prometheus_query_start(answer->world->prometheus, answer->again,
			0, answered, answer->again_answer);
	if (answer->stops)
		loop_stop(answer->world->loop);
}

static struct told ask_for(
	struct world *world, const char *query, int64_t timeout_ms)
{
	struct told answer = {.world = world, .stops = true};

	prometheus_query_start(
		world->prometheus, query, timeout_ms, answered, &answer);
	assert_int_equal(answer.calls, 0);
	run(world);
	assert_int_equal(answer.calls, 1);
	return answer;
}

static struct told ask(struct world *world, const char *query)
{
	return ask_for(world, query, 0);
}

static void the_query_arrives_as_it_is(void **state)
{
	static const char *const queries[] = {"up",
		"sum(rate(x{code=~\"5..\"}[2m])) / 1 > 0 & \"+%41\"",
		"label_replace(x, \"ü\", \"\\n\", \"\", \"\")\n  + 1\t# c"};
	struct world *world = *state;
	size_t i;

	open_at(world, "");
	for (i = 0; i < N(queries); i++) {
		assert_true(ask(world, queries[i]).value == 0.5);
		assert_string_equal(world->seen[i].method, "POST");
		assert_string_equal(world->seen[i].query, queries[i]);
		assert_string_equal(world->seen[i].timeout, "5000ms");
	}
	ask_for(world, "up", 1500);
	assert_string_equal(world->seen[i].timeout, "1500ms");
}

static void the_path_of_the_url_is_kept(void **state)
{
	static const struct {
		const char *url, *target;
	} rows[] = {
		{"", "/api/v1/query"},
		{"/", "/api/v1/query"},
		{"/v1/projects/acme/location/global/prometheus",
			"/v1/projects/acme/location/global/prometheus"
			"/api/v1/query"},
		{"/prometheus/", "/prometheus/api/v1/query"},
		{"/select/0/prometheus//?a=b&c",
			"/select/0/prometheus/api/v1/query?a=b&c"},
		{"?token=x", "/api/v1/query?token=x"},
	};
	struct world *world = *state;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		open_at(world, rows[i].url);
		ask(world, "up");
		assert_string_equal(world->seen[i].target, rows[i].target);
	}
}

static void who_we_are_is_sent_as_the_policy_says(void **state)
{
	struct header header = {"X-Scope-OrgID", secret_new("team-1", 6)};
	struct world *world = *state;

	world->metrics.headers = &header;
	world->metrics.n_headers = 1;
	world->metrics.auth.secret = secret_new("pass:word", 9);
	world->metrics.auth.username = "user";
	open_at(world, "");
	ask(world, "up");
	assert_string_equal(world->seen[0].tenant, "team-1");
	assert_string_equal(world->seen[0].authorization, "");
	world->metrics.auth.type = AUTH_BASIC;
	open_at(world, "");
	ask(world, "up");
	assert_string_equal(
		world->seen[1].authorization, "Basic dXNlcjpwYXNzOndvcmQ=");
	world->metrics.auth.type = AUTH_BEARER;
	open_at(world, "");
	ask(world, "up");
	assert_string_equal(world->seen[2].authorization, "Bearer pass:word");
	assert_string_equal(world->seen[2].quota, "");
	secret_free(&header.value);
	secret_free(&world->metrics.auth.secret);
}

static void told_raw(int status, const char *body, size_t len,
	const struct err *err, void *arg)
{
	struct told *answer = arg;

	answer->calls++;
	if (err)
		answer->err = *err;
	else
		assert_true(status == 200 && len == strlen(body));
	loop_stop(answer->world->loop);
}

/* With the parameters of the policy's own URL; longer answers are refused. */
static void what_there_is_is_asked_as_a_form_or_by_get(void **state)
{
	struct prometheus_ask ask = {.path = "series",
		.form = "match[]=a&query=b%20c",
		.by_get = true,
		.bytes_max = 1000};
	struct world *world = *state;
	struct told told = {.world = world};

	open_at(world, "/p?token=x");
	prometheus_ask_start(world->prometheus, &ask, told_raw, &told);
	run(world);
	assert_int_equal(told.calls, 1);
	assert_int_equal(told.err.code, ERR_NONE);
	assert_string_equal(world->seen[0].method, "GET");
	assert_string_equal(world->seen[0].target,
		"/p/api/v1/series?token=x&match[]=a&query=b%20c");
	ask.by_get = false;
	ask.path = "query";
	ask.bytes_max = 4;
	prometheus_ask_start(world->prometheus, &ask, told_raw, &told);
	run(world);
	assert_int_equal(told.calls, 2);
	assert_int_equal(told.err.code, ERR_LIMIT);
	assert_string_equal(world->seen[1].method, "POST");
	assert_string_equal(world->seen[1].query, "b c");
}

static void where_post_is_not_allowed_get_is_used_from_then_on(void **state)
{
	static const struct reply replies[] = {
		{405, "<html>", 0}, {200, VALUE("2"), 0}};
	struct world *world = *state;

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "/p?token=x");
	assert_true(ask(world, "a{b=\"c&d\"} + 1").value == 2);
	assert_int_equal(world->requests, 2);
	assert_string_equal(world->seen[1].method, "GET");
	assert_string_equal(world->seen[1].path, "/p/api/v1/query");
	assert_string_equal(world->seen[1].query, "a{b=\"c&d\"} + 1");
	assert_non_null(strstr(world->seen[1].target, "?token=x&query=a%7B"));
	ask(world, "up");
	assert_int_equal(world->requests, 3);
	assert_string_equal(world->seen[2].method, "GET");
}

static void who_allows_neither_is_told(void **state)
{
	static const struct reply reply = {405, "<html>", 0};
	struct world *world = *state;
	struct told answer;

	world->script = &reply;
	open_at(world, "");
	answer = ask(world, "up");
	assert_int_equal(world->requests, 2);
	assert_non_null(strstr(answer.err.text, "HTTP 405"));
}

/* Sharing. */

static void identical_queries_under_way_are_asked_once(void **state)
{
	static const struct reply replies[] = {{200, VALUE("1"), 20},
		{200, VALUE("2"), 20}, {200, VALUE("3"), 40}};
	struct world *world = *state;
	struct told answers[5] = {{0}};
	struct provider_call *calls[5];
	static const char *const queries[] = {"a", "a", "b", "a", "a"};
	size_t i;

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "");
	for (i = 0; i < N(answers); i++) {
		answers[i].world = world;
		calls[i] = prometheus_query_start(world->prometheus, queries[i],
			i == 4 ? 4000 : 0, answered, &answers[i]);
	}
	answers[4].stops = true;
	provider_cancel(&calls[0]);
	provider_cancel(&calls[0]);
	run(world);
	assert_int_equal(world->requests, 3);
	assert_int_equal(answers[0].calls, 0);
	for (i = 1; i < N(answers); i++)
		assert_int_equal(answers[i].calls, 1);
	assert_true(answers[1].value == answers[3].value);
	assert_true(answers[2].value != answers[1].value);
	assert_true(answers[1].latency_us >= 20000);
	ask(world, "a");
	assert_int_equal(world->requests, 4);
}

static void a_query_that_nobody_waits_for_is_dropped(void **state)
{
	static const struct reply replies[] = {
		{200, VALUE("1"), -1}, {200, VALUE("2"), 0}};
	struct world *world = *state;
	struct told answer = {.world = world};
	struct provider_call *first, *second;

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "");
	first = prometheus_query_start(
		world->prometheus, "a", 0, answered, &answer);
	second = prometheus_query_start(
		world->prometheus, "a", 0, answered, &answer);
	RUN_UNTIL(world->loop, world->requests == 1);
	provider_cancel(&first);
	provider_cancel(&second);
	release(world);
	assert_true(ask(world, "a").value == 2);
	assert_int_equal(world->requests, 2);
	assert_int_equal(answer.calls, 0);
}

#define COUNTERS                                                       \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"," \
	"\"result\":[{\"metric\":{\"__name__\":\"a\",\"i\":\"1\"},"    \
	"\"value\":[1,\"3\"]},{\"metric\":{\"__name__\":\"a\"},"       \
	"\"value\":[1,\"4\"]}]}}"

/* As rollouts of a fleet do; who wants one value of it asks by itself. */
static void counters_asked_by_several_are_asked_once(void **state)
{
	static const struct reply replies[] = {{200, COUNTERS, 20}};
	struct world *world = *state;
	struct told answers[3] = {{0}};
	size_t i;

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "");
	for (i = 0; i < N(answers); i++)
		answers[i].world = world;
	for (i = 0; i < 2; i++)
		prometheus_counters_start(
			world->prometheus, "a", 0, 0, answered, &answers[i]);
	answers[2].stops = true;
	prometheus_query_start(
		world->prometheus, "a", 0, answered, &answers[2]);
	run(world);
	assert_int_equal(world->requests, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(answers[i].calls, 1);
		assert_true(answers[i].value == 2); /* series */
	}
	assert_int_equal(answers[2].err.code, ERR_INVALID);
}

/* Else a window before the split would be taken for one after it. */
static void what_is_asked_as_of_a_wrong_clock_is_no_answer(void **state)
{
	static const struct reply replies[] = {{200, VALUE("0"), 0, 900},
		{200, VALUE("0"), 0, -900}, {200, VALUE("0"), 0, 20}};
	static const char *const wanted[] = {"behind", "ahead of", NULL};
	struct world *world = *state;
	size_t i;

	world->script = replies;
	world->n_script = N(replies);
	world->metrics.delay_ms = 240000;
	open_at(world, "");
	for (i = 0; i < N(replies); i++) {
		struct told answer = {.world = world, .stops = true};

		prometheus_query_start(
			world->prometheus, "a", 0, answered, &answer);
		run(world);
		if (wanted[i]) {
			assert_int_equal(answer.err.code, ERR_UNAVAILABLE);
			assert_non_null(strstr(answer.err.text, wanted[i]));
		} else {
			assert_int_equal(answer.err.code, ERR_NONE);
		}
	}
}

/* Where nothing is said of when, the clock is the server's own. */
static void who_asks_about_now_needs_no_right_clock(void **state)
{
	static const struct reply replies[] = {{200, VALUE("0"), 0, 900}};
	struct world *world = *state;
	struct told answer = {.world = world, .stops = true};

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "");
	prometheus_query_start(world->prometheus, "a", 0, answered, &answer);
	run(world);
	assert_int_equal(answer.err.code, ERR_NONE);
}

static void growth_is_asked_for_up_to_a_whole_minute(void **state)
{
	static const struct reply replies[] = {{200, COUNTERS, 0}};
	struct world *world = *state;
	struct told answer = {.world = world, .stops = true};
	double asked_s, now_s;

	world->script = replies;
	world->n_script = N(replies);
	world->metrics.delay_ms = 240000;
	open_at(world, "");
	prometheus_counters_start(
		world->prometheus, "a", 60000, 0, answered, &answer);
	run(world);
	asked_s = strtod(world->seen[0].time, NULL);
	now_s = (double)loop_wall_ms(world->loop) / 1000;
	assert_true(fmod(asked_s, 60) == 0);
	assert_true(asked_s <= now_s - 240 && asked_s > now_s - 310);
}

static void callbacks_may_cancel_and_ask_anew(void **state)
{
	struct world *world = *state;
	struct told again = {.world = world, .stops = true};
	struct told answers[3] = {{0}};
	struct provider_call *calls[3];
	size_t i;

	open_at(world, "");
	for (i = 0; i < N(answers); i++) {
		answers[i].world = world;
		calls[i] = prometheus_query_start(
			world->prometheus, "a", 0, answered, &answers[i]);
	}
	answers[0].again = "a";
	answers[0].again_answer = &again;
	answers[1].victim = &calls[2]; /* the last of all */
	run(world);
	assert_int_equal(answers[1].calls, 1);
	assert_int_equal(answers[2].calls, 0);
	assert_int_equal(again.calls, 1);
	assert_int_equal(world->requests, 2);
}

static void it_may_go_while_queries_are_under_way(void **state)
{
	static const struct reply replies[] = {{200, VALUE("1"), -1},
		{200, VALUE("1"), -1}, {200, VALUE("1"), 0}};
	struct world *world = *state;
	struct told answer = {.world = world};

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "");
	prometheus_query_start(world->prometheus, "a", 0, answered, &answer);
	prometheus_query_start(world->prometheus, "b", 0, answered, &answer);
	RUN_UNTIL(world->loop, world->requests == 2);
	prometheus_free(&world->prometheus);
	release(world);
	open_at(world, "");
	assert_true(ask(world, "c").has_sample);
	assert_int_equal(answer.calls, 0);
}

/* Google. */

static void google_tokens_are_sent_with_the_quota_project(void **state)
{
	struct world *world = *state;

	open_google(world);
	ask(world, "up");
	ask(world, "up");
	assert_int_equal(world->google.requests, 1);
	assert_string_equal(world->seen[0].authorization, "Bearer ya29.1");
	assert_string_equal(world->seen[1].authorization, "Bearer ya29.1");
	assert_string_equal(world->seen[0].quota, "billing-1");
}

static void a_refused_token_is_refreshed_once(void **state)
{
	static const struct reply replies[] = {{401, "{}", 0},
		{200, VALUE("1"), 0}, {401, "{}", 0}, {401, "{}", 0},
		{200, VALUE("2"), 0}};
	struct world *world = *state;

	world->script = replies;
	world->n_script = N(replies);
	open_google(world);
	assert_true(ask(world, "up").value == 1);
	assert_string_equal(world->seen[0].authorization, "Bearer ya29.1");
	assert_string_equal(world->seen[1].authorization, "Bearer ya29.2");
	assert_int_equal(ask(world, "up").err.code, ERR_AUTH);
	assert_int_equal(world->requests, 4);
	assert_int_equal(world->google.requests, 3);
	assert_true(ask(world, "up").value == 2);
}

static void many_refused_at_once_share_the_refresh(void **state)
{
	static const struct reply replies[] = {{401, "{}", 10}, {401, "{}", 10},
		{401, "{}", 10}, {200, VALUE("1"), 0}};
	struct world *world = *state;
	struct told answers[3] = {{0}};
	static const char *const queries[] = {"a", "b", "c"};
	size_t i;

	world->script = replies;
	world->n_script = N(replies);
	open_google(world);
	for (i = 0; i < N(answers); i++) {
		answers[i].world = world;
		prometheus_query_start(world->prometheus, queries[i], 0,
			answered, &answers[i]);
	}
	for (i = 0; i < N(answers); i++)
		RUN_UNTIL(world->loop, answers[i].has_sample);
	assert_int_equal(world->requests, 6);
	assert_int_equal(world->google.requests, 2);
}

static void a_late_refusal_of_the_old_token_spares_the_new_one(void **state)
{
	static const struct reply replies[] = {
		{401, "{}", -1}, {401, "{}", 0}, {200, VALUE("1"), 0}};
	struct world *world = *state;
	struct told late = {.world = world};

	world->script = replies;
	world->n_script = N(replies);
	open_google(world);
	prometheus_query_start(world->prometheus, "a", 0, answered, &late);
	RUN_UNTIL(world->loop, world->requests == 1);
	assert_true(ask(world, "b").has_sample);
	assert_int_equal(late.calls, 0);
	release(world);
	RUN_UNTIL(world->loop, late.has_sample);
	assert_int_equal(world->google.requests, 2);
}

static void without_a_token_nothing_is_asked(void **state)
{
	static const struct fake_answer refusal = {404, "<html>"};
	struct world *world = *state;
	struct told answer;

	open_google(world);
	world->google.script = &refusal;
	world->google.n_script = 1;
	answer = ask(world, "up");
	assert_int_equal(answer.err.code, ERR_AUTH);
	assert_non_null(strstr(answer.err.text, "the metadata server"));
	assert_int_equal(world->requests, 0);
}

static void google_without_credentials_is_refused(void **state)
{
	struct world *world = *state;
	struct err err;

	world->metrics.auth.type = AUTH_GOOGLE;
	world->metrics.url = secret_new("https://a.example", 17);
	assert_null(open_prometheus(world, NULL, &err));
	assert_int_equal(err.code, ERR_AUTH);
}

/* Cloud Monitoring, asked without a URL: the endpoint is the fake. */
static void open_monitoring(struct world *world, const char *project)
{
	static struct policy policy; /* its metrics are the world's */
	struct metrics metrics;
	char *url;
	struct err err;

	open_google(world);
	prometheus_free(&world->prometheus);
	secret_free(&world->metrics.url);
	world->metrics.url = NULL;
	world->metrics.url_shown = NULL;
	policy.metrics = world->metrics;
	metrics = prometheus_metrics(&policy, project);
	world->metrics = metrics;
	url = xasprintf("http://127.0.0.1:%d/", server_port(world->server));
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING", url, 1);
	world->prometheus = open_prometheus(world, world->credentials, &err);
	if (!world->prometheus)
		fail_msg("%s", err.text);
	xfree(&url);
}

static void cloud_monitoring_is_asked_at_its_own_path(void **state)
{
	struct world *world = *state;

	world->metrics.provider = METRICS_GOOGLE;
	open_monitoring(world, "of-the-service");
	ask(world, "up");
	assert_string_equal(world->seen[0].path,
		"/v1/projects/of-the-service/location/global/prometheus/"
		"api/v1/query");
	assert_string_equal(world->seen[0].quota, "billing-1");
	assert_non_null(strstr(world->seen[0].authorization, "Bearer "));
	unsetenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING");
}

static void the_policy_may_name_project_and_quota(void **state)
{
	struct world *world = *state;

	world->metrics.provider = METRICS_GOOGLE;
	world->metrics.project = "scope";
	world->metrics.quota_project = "payer";
	open_monitoring(world, "of-the-service");
	ask(world, "up");
	assert_non_null(strstr(world->seen[0].path, "/projects/scope/"));
	assert_string_equal(world->seen[0].quota, "payer");
	unsetenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING");
}

static void google_without_a_project_is_refused(void **state)
{
	struct world *world = *state;
	struct err err;

	world->metrics.provider = METRICS_GOOGLE;
	assert_null(open_prometheus(world, NULL, &err));
	assert_int_equal(err.code, ERR_POLICY);
	assert_non_null(strstr(err.text, "--project"));
}

static void late_samples_are_asked_for_as_of_then(void **state)
{
	struct world *world = *state;
	double now, asked;

	open_at(world, "");
	ask(world, "up");
	assert_string_equal(world->seen[0].time, "");
	world->metrics.delay_ms = 240000;
	open_at(world, "");
	ask(world, "up");
	now = (double)loop_wall_ms(world->loop) / 1000;
	asked = strtod(world->seen[1].time, NULL);
	assert_true(asked > now - 250 && asked < now - 239.9);
}

static void errors_of_google_are_read(void **state)
{
	static const struct reply replies[] = {
		{400,
			"{\"error\":{\"code\":400,\"status\":"
			"\"INVALID_ARGUMENT\",\"message\":\"several resource "
			"types\"}}",
			0},
		{403,
			"{\"error\":{\"code\":403,\"status\":"
			"\"PERMISSION_DENIED\",\"message\":\"no "
			"timeSeries.list\"}}",
			0},
		{429,
			"{\"error\":{\"code\":429,\"status\":"
			"\"RESOURCE_EXHAUSTED\",\"message\":\"quota\"}}",
			0}};
	static const enum err_code codes[] = {
		ERR_INVALID, ERR_DENIED, ERR_THROTTLED};
	static const char *const texts[] = {
		"several resource types", "no timeSeries.list", "quota"};
	struct world *world = *state;
	struct told answer;
	size_t i;

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "");
	for (i = 0; i < N(replies); i++) {
		answer = ask(world, "up");
		assert_int_equal(answer.err.code, codes[i]);
		assert_non_null(strstr(answer.err.text, texts[i]));
	}
}

/* Trouble. */

static void trouble_names_the_server_but_not_its_secrets(void **state)
{
	static const struct reply replies[] = {
		{429, "{\"error\":{\"message\":\"Quota\"}}", 0},
		{503, "starting", 0}, {200, "<html>", 0}};
	static const enum err_code codes[] = {
		ERR_THROTTLED, ERR_UNAVAILABLE, ERR_PROTOCOL};
	struct world *world = *state;
	struct told answer;
	size_t i;

	world->script = replies;
	world->n_script = N(replies);
	open_at(world, "/?token=s3cr3t");
	for (i = 0; i < N(replies); i++) {
		answer = ask(world, "up");
		assert_int_equal(answer.err.code, codes[i]);
		assert_non_null(
			strstr(answer.err.text, "metrics http://shown: "));
		assert_null(strstr(answer.err.text, "s3cr3t"));
		assert_int_equal(answer.err.retry_after_ms,
			replies[i].status == 429 ? 7000 : 0);
	}
	server_free(&world->server);
	answer = ask(world, "up");
	assert_true(err_is_retryable(answer.err.code));
	assert_null(strstr(answer.err.text, "s3cr3t"));
}

static void a_server_that_never_answers_is_given_up(void **state)
{
	static const struct reply reply = {200, "", -1};
	struct world *world = *state;
	struct told answer;

	world->script = &reply;
	open_at(world, "");
	answer = ask_for(world, "up", 50);
	assert_int_equal(answer.err.code, ERR_TIMEOUT);
	assert_true(answer.latency_us >= 45000);
}

static void an_answer_that_is_too_long_is_refused(void **state)
{
	struct reply reply = {200, NULL, 0};
	struct world *world = *state;
	char *body = xcalloc(ANSWER_BYTES_MAX + 100, 1);
	struct told answer;

	memset(body, ' ', ANSWER_BYTES_MAX + 1);
	reply.body = body;
	world->script = &reply;
	open_at(world, "");
	answer = ask(world, "up");
	assert_int_equal(answer.err.code, ERR_LIMIT);
	assert_non_null(strstr(answer.err.text, "sum()"));
	xfree(&body);
}

static void a_url_that_cannot_be_asked_is_refused_at_once(void **state)
{
	static const char *const urls[] = {"", "prometheus:9090",
		"ftp://127.0.0.1/", "http://prometheus.example/",
		"https://a.example/#x"};
	struct world *world = *state;
	struct err err;
	size_t i;

	for (i = 0; i < N(urls); i++) {
		world->metrics.url = secret_new(urls[i], strlen(urls[i]));
		if (open_prometheus(world, NULL, &err))
			fail_msg("%s was accepted", urls[i]);
		assert_int_equal(err.code, ERR_POLICY);
		secret_free(&world->metrics.url);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_query_arrives_as_it_is),
		TEST(the_path_of_the_url_is_kept),
		TEST(who_we_are_is_sent_as_the_policy_says),
		TEST(what_there_is_is_asked_as_a_form_or_by_get),
		TEST(where_post_is_not_allowed_get_is_used_from_then_on),
		TEST(who_allows_neither_is_told),
		TEST(identical_queries_under_way_are_asked_once),
		TEST(counters_asked_by_several_are_asked_once),
		TEST(growth_is_asked_for_up_to_a_whole_minute),
		TEST(what_is_asked_as_of_a_wrong_clock_is_no_answer),
		TEST(who_asks_about_now_needs_no_right_clock),
		TEST(a_query_that_nobody_waits_for_is_dropped),
		TEST(callbacks_may_cancel_and_ask_anew),
		TEST(it_may_go_while_queries_are_under_way),
		TEST(google_tokens_are_sent_with_the_quota_project),
		TEST(a_refused_token_is_refreshed_once),
		TEST(many_refused_at_once_share_the_refresh),
		TEST(a_late_refusal_of_the_old_token_spares_the_new_one),
		TEST(without_a_token_nothing_is_asked),
		TEST(google_without_credentials_is_refused),
		TEST(cloud_monitoring_is_asked_at_its_own_path),
		TEST(the_policy_may_name_project_and_quota),
		TEST(google_without_a_project_is_refused),
		TEST(late_samples_are_asked_for_as_of_then),
		TEST(errors_of_google_are_read),
		TEST(trouble_names_the_server_but_not_its_secrets),
		TEST(a_server_that_never_answers_is_given_up),
		TEST(an_answer_that_is_too_long_is_refused),
		TEST(a_url_that_cannot_be_asked_is_refused_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
