/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking JSON APIs and a Sentry, from the policy's text to the number: what is
 * sent, what is shared, who waits when the other side wants its peace.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/request.h"
#include "base/xalloc.h"
#include "fake_google.h"
#include "fake_sentry.h"
#include "google/credentials.h"
#include "io/http.h"
#include "io/loop.h"
#include "metrics/jsonapi.h"
#include "policy/policy_load.h"

#define DEADLINE_MS  60000
#define TIMEOUT_MS   20000
#define PATIENCE_MS  30000
#define POLICY_MAX   16384
#define PROBLEMS_MAX 65536

struct world {
	struct loop *loop;
	struct http *http;
	struct fake_sentry fake;
	struct fake_google google;
	struct credentials *credentials;
	struct policy *policy;
	struct jsonapi *api;
	struct timer *deadline;
	int64_t patience_ms;
	int pending;
};

struct result {
	struct world *world;
	int calls;
	struct answer answer;
	struct err err;
};

static const struct template_values about = {.candidate = "rev-2",
	.stable = "rev-1",
	.revision = "rev-2",
	.service = "shop & co",
	.window = "2m"};

static const char *env_fixed(const char *name, void *arg)
{
	const struct world *world = arg;
	static char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d",
		fake_sentry_port(&world->fake));
	if (!strcmp(name, "URL"))
		return url;
	if (!strcmp(name, "SENTRY_TOKEN"))
		return FAKE_SENTRY_TOKEN;
	return !strcmp(name, "JSON_TOKEN") ? FAKE_JSON_TOKEN : NULL;
}

static int set_up(void **state)
{
	struct world *world = xcalloc(1, sizeof(*world));
	struct err err;

	world->loop = loop_new(&err);
	world->http = http_new(world->loop, &err);
	assert_non_null(world->http);
	fake_sentry_init(&world->fake, world->loop);
	world->patience_ms = PATIENCE_MS;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	jsonapi_free(&world->api);
	policy_free(&world->policy);
	credentials_free(&world->credentials);
	if (world->google.server)
		fake_google_fini(&world->google);
	fake_sentry_fini(&world->fake);
	http_free(&world->http);
	loop_free(&world->loop);
	free(world);
	return 0;
}

#define JSON(rest)                                                          \
	"  - {name: n, provider: json, url: \"${URL}/v1/x\", pointer: /v, " \
	"auth: {type: bearer, token: \"${JSON_TOKEN}\"}, " rest "}\n"
#define SENTRY(rest)                                          \
	"  - {name: n, provider: sentry, url: \"${URL}\", "   \
	"organization: acme, project: shop, release: "        \
	"\"shop@{{revision}}\", auth: {type: bearer, token: " \
	"\"${SENTRY_TOKEN}\"}, " rest "}\n"

/* A policy with these SLOs, and who asks for them. */
static void open_policy(struct world *world, const char *slos)
{
	const struct policy_env around = {.variable = env_fixed, .arg = world};
	char *text = xasprintf("version: 1\nname: t\nsteps: [{percent: 100, "
			       "bake: 10m}]\nslos:\n%s",
		slos);
	const struct api api = {world->loop, world->http, world->credentials};
	struct buf problems;
	struct err err;

	buf_init(&problems, PROBLEMS_MAX);
	jsonapi_free(&world->api);
	policy_free(&world->policy);
	world->policy = policy_parse(
		"t.yaml", text, strlen(text), &around, &problems, &err);
	if (!world->policy)
		fail_msg("%s", problems.data);
	buf_fini(&problems);
	free(text);
	world->api = jsonapi_new(&api);
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
	struct result *result = arg;

	result->calls++;
	assert_true((reading == NULL) == (err != NULL));
	if (reading)
		result->answer = reading->answer;
	else
		result->err = *err;
	if (--result->world->pending == 0)
		loop_stop(result->world->loop);
}

static struct provider_call *start(struct world *world, size_t slo,
	const struct json_question *what, struct result *result)
{
	const struct jsonapi_question question = {
		.source = world->policy->slos[slo].json,
		.what = what ? what : &world->policy->slos[slo].json->value,
		.values = &about,
		.timeout_ms = TIMEOUT_MS,
		.patience_ms = world->patience_ms,
	};
	struct provider_call *call;

	*result = (struct result){.world = world};
	call = jsonapi_start(
		world->api, &question, answered, result, &result->err);
	assert_int_equal(result->calls, 0);
	if (call)
		world->pending++;
	return call;
}

static struct result ask(struct world *world)
{
	struct result result;

	assert_non_null(start(world, 0, NULL, &result));
	run(world);
	assert_int_equal(result.calls, 1);
	return result;
}

static void assert_value(const struct result *result, double value)
{
	if (result->answer.kind != ANSWER_VALUE ||
		result->answer.value != value)
		fail_msg("kind %d, %g: %s", result->answer.kind,
			result->answer.value, result->err.text);
}

static void assert_text(
	const struct result *result, enum err_code code, const char *text)
{
	if (result->err.code != code || !strstr(result->err.text, text))
		fail_msg("%s", result->err.text);
}

/* ---- requests ---- */

static void the_request_is_the_policys(void **state)
{
	struct world *world = *state;
	struct result result;

	world->fake.answer = "{\"v\":\"250\"}";
	open_policy(world,
		JSON("max: 500ms, scale: 1ms, headers: {X-Tenant: shop}, "
		     "params: {revision: \"{{revision}}\", of: "
		     "[\"{{service}}\", \"a+b=c\"], w: \"{{window}}\"}"));
	result = ask(world);
	assert_value(&result, 0.25);
	assert_string_equal(world->fake.method, "GET");
	assert_string_equal(world->fake.header, "shop");
	assert_string_equal(world->fake.last,
		"/v1/x?revision=rev-2&of=shop%20%26%20co&of=a%2Bb%3Dc&w=2m");
}

static void a_url_keeps_its_own_query(void **state)
{
	struct world *world = *state;

	open_policy(world,
		"  - {name: n, provider: json, url: "
		"\"${URL}/{{service}}?a={{revision}}\", pointer: /v, max: 1, "
		"params: {b: 1}, auth: {type: bearer, token: "
		"\"${JSON_TOKEN}\"}}\n");
	ask(world);
	assert_string_equal(world->fake.last, "/shop%20%26%20co?a=rev-2&b=1");
}

static void a_body_makes_it_a_post(void **state)
{
	struct world *world = *state;

	open_policy(world, JSON("max: 1, body: '{\"of\": \"{{service}}\"}'"));
	ask(world);
	assert_string_equal(world->fake.method, "POST");
	assert_string_equal(world->fake.body, "{\"of\": \"shop & co\"}");
}

static void what_is_missing_is_no_data_and_what_is_wrong_an_error(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world, JSON("max: 1"));
	world->fake.answer = "{\"v\":null}";
	result = ask(world);
	assert_int_equal(result.answer.kind, ANSWER_NO_DATA);
	world->fake.answer = "{\"v\":[]}";
	result = ask(world);
	assert_text(&result, ERR_INVALID, "/v is a list, not a number");
	world->fake.status = 500;
	result = ask(world);
	assert_text(&result, ERR_UNAVAILABLE, "/v1/x: HTTP 500");
}

static void a_redirect_is_not_followed(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world, JSON("max: 1"));
	world->fake.status = 302;
	world->fake.location = "/v1/y";
	result = ask(world);
	assert_text(&result, ERR_PROTOCOL, "redirects are not followed");
	assert_int_equal(world->fake.requests, 1);
}

static void a_wrong_token_is_said_without_it(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world,
		"  - {name: n, provider: json, url: \"${URL}/v1/x\", pointer: "
		"/v, max: 1, auth: {type: bearer, token: "
		"\"${SENTRY_TOKEN}\"}}\n");
	result = ask(world);
	assert_text(&result, ERR_AUTH, "HTTP 401: who?; check auth");
	assert_null(strstr(result.err.text, FAKE_SENTRY_TOKEN));
}

static void google_wants_credentials_and_is_asked_with_them(void **state)
{
	static const char slos[] =
		"  - {name: n, provider: json, url: \"${URL}/v1/x\", pointer: "
		"/v, max: 1, auth: {type: google}}\n";
	struct world *world = *state;
	struct result result;
	struct err err;
	char *url;

	open_policy(world, slos);
	assert_null(start(world, 0, NULL, &result));
	assert_int_equal(result.err.code, ERR_AUTH);
	fake_google_init(&world->google, world->loop, NULL);
	url = fake_google_url(&world->google, "");
	unsetenv("CLOUDSDK_AUTH_ACCESS_TOKEN");
	unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
	setenv("HOME", "/nonexistent", 1);
	setenv("GCE_METADATA_HOST", url + strlen("http://"), 1);
	xfree(&url);
	world->credentials = credentials_new(world->loop, world->http, &err);
	assert_non_null(world->credentials);
	open_policy(world, slos);
	result = ask(world);
	/* The fake knows another token: a fresh one is tried once. */
	assert_text(&result, ERR_AUTH, "HTTP 401");
	assert_int_equal(world->fake.requests, 2);
	assert_int_equal(world->google.tokens, 2);
}

/* ---- what is shared ---- */

static void identical_requests_are_sent_once(void **state)
{
	struct world *world = *state;
	struct result value, requests, other, third;

	world->fake.answer = "{\"v\":0.5,\"n\":70,\"w\":9}";
	open_policy(world,
		JSON("max: 1, requests: {pointer: /n, min: 50}") "  - {name: "
								 "m, provider: "
								 "json, url: "
								 "\"${URL}/v1/"
								 "x\", "
								 "pointer: "
								 "/w, max: 1, "
								 "auth: {type: "
								 "bearer, "
								 "token: "
								 "\"${JSON_"
								 "TOKEN}\"}}\n"
								 "  - {name: "
								 "o, provider: "
								 "json, url: "
								 "\"${URL}/v1/"
								 "x\", "
								 "pointer: "
								 "/w, max: 1, "
								 "auth: {type: "
								 "bearer, "
								 "token: "
								 "\"${SENTRY_"
								 "TOKEN}\"}}"
								 "\n");
	start(world, 0, NULL, &value);
	start(world, 0, &world->policy->slos[0].json->requests, &requests);
	start(world, 1, NULL, &other);
	start(world, 2, NULL, &third); /* as somebody else */
	run(world);
	assert_value(&value, 0.5);
	assert_value(&requests, 70);
	assert_value(&other, 9);
	assert_int_equal(third.err.code, ERR_AUTH);
	assert_int_equal(world->fake.requests, 2);
}

static void one_that_is_cancelled_leaves_the_others(void **state)
{
	struct world *world = *state;
	struct provider_call *call;
	struct result one, other;

	world->fake.answer = "{\"v\":0.5}";
	world->fake.delay_ms = 50;
	open_policy(world, JSON("max: 1"));
	call = start(world, 0, NULL, &one);
	start(world, 0, NULL, &other);
	provider_cancel(&call);
	world->pending--;
	run(world);
	assert_int_equal(one.calls, 0);
	assert_value(&other, 0.5);
}

/* ---- limits of the rate ---- */

static void who_is_told_to_wait_asks_again_by_itself(void **state)
{
	struct world *world = *state;
	struct result result;

	world->fake.answer = "{\"v\":0.5}";
	world->fake.n_limited = 1;
	world->fake.retry_after = "1";
	open_policy(world, JSON("max: 1"));
	result = ask(world);
	assert_value(&result, 0.5);
	assert_int_equal(world->fake.requests, 2);
	assert_true(world->fake.times_ms[1] - world->fake.times_ms[0] >= 1000);
}

static void a_429_that_says_nothing_is_waited_for_too(void **state)
{
	struct world *world = *state;
	struct result result;

	world->fake.answer = "{\"v\":0.5}";
	world->fake.n_limited = 2;
	open_policy(world, JSON("max: 1"));
	result = ask(world);
	assert_value(&result, 0.5);
	assert_int_equal(world->fake.requests, 3);
	assert_true(world->fake.times_ms[1] - world->fake.times_ms[0] >= 1000);
	assert_true(world->fake.times_ms[2] - world->fake.times_ms[1] >= 2000);
}

static void patience_ends_and_nobody_asks_meanwhile(void **state)
{
	struct world *world = *state;
	struct result first, second, elsewhere;

	world->patience_ms = 200;
	world->fake.n_limited = 1;
	world->fake.retry_after = "60";
	open_policy(world,
		JSON("max: 1") "  - {name: m, provider: json, url: "
			       "\"${URL}/v2\", pointer: /w, max: 1}\n");
	first = ask(world);
	assert_text(&first, ERR_THROTTLED, "HTTP 429: You are attempting");
	assert_true(first.err.retry_after_ms > 50000);
	/* The same host, the same person: not asked; another person is. */
	second = ask(world);
	assert_text(&second, ERR_THROTTLED, "limit of the rate");
	assert_int_equal(world->fake.requests, 1);
	start(world, 1, NULL, &elsewhere);
	run(world);
	assert_int_equal(elsewhere.err.code, ERR_AUTH);
	assert_int_equal(world->fake.requests, 2);
}

static void nothing_left_is_waited_for_before_the_429(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world, SENTRY("metric: errors, max: 1"));
	world->fake.remaining = "0";
	world->fake.reset_in_s = 2;
	result = ask(world);
	assert_value(&result, 17);
	result = ask(world);
	assert_value(&result, 17);
	assert_int_equal(world->fake.requests, 2);
	assert_true(world->fake.times_ms[1] - world->fake.times_ms[0] >= 1000);
}

static void sentrys_limits_are_each_endpoints_own(void **state)
{
	struct world *world = *state;
	struct result errors, issues;

	world->patience_ms = 0;
	open_policy(world,
		SENTRY("metric: errors, max: 1") "  - {name: m, provider: "
						 "sentry, url: \"${URL}\", "
						 "organization: "
						 "acme, project: shop, "
						 "release: "
						 "\"shop@{{revision}}\", "
						 "metric: "
						 "new-issues, max: 1, auth: "
						 "{type: bearer, token: "
						 "\"${SENTRY_TOKEN}\"}}\n");
	world->fake.n_limited = 1;
	world->fake.reset_in_s = 60;
	errors = ask(world);
	assert_int_equal(errors.err.code, ERR_THROTTLED);
	start(world, 1, NULL, &issues);
	run(world);
	assert_value(&issues, 0);
}

/* ---- Sentry ---- */

static void errors_of_a_release_are_counted(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world,
		SENTRY("metric: errors, max: 1, window: 90m, environment: "
		       "production"));
	result = ask(world);
	assert_value(&result, 17);
	assert_string_equal(world->fake.last,
		"/api/0/organizations/acme/events/?dataset=errors&"
		"field=count%28%29&project=shop&environment=production&"
		"query=release%3Ashop%40rev-2&statsPeriod=90m");
}

static void sessions_are_those_of_the_release(void **state)
{
	struct world *world = *state;
	struct result share, number;

	open_policy(world,
		SENTRY("metric: crash-free-sessions, min: 99%, requests: "
		       "{min: 50}"));
	start(world, 0, NULL, &share);
	start(world, 0, &world->policy->slos[0].json->requests, &number);
	run(world);
	assert_value(&share, 0.9875);
	assert_value(&number, 800);
	assert_int_equal(world->fake.requests, 1);
	assert_string_equal(world->fake.last,
		"/api/0/organizations/acme/sessions/?"
		"field=crash_free_rate%28session%29&field=sum%28session%29&"
		"groupBy=release&project=shop&query=release%3Ashop%40rev-2&"
		"statsPeriod=1h&interval=1h&includeSeries=0");
}

static void users_are_counted_as_users(void **state)
{
	struct world *world = *state;
	struct result share, number;

	open_policy(world,
		SENTRY("metric: crash-free-users, min: 99%, requests: {min: "
		       "50}"));
	start(world, 0, NULL, &share);
	start(world, 0, &world->policy->slos[0].json->requests, &number);
	run(world);
	assert_value(&share, 0.9875);
	assert_value(&number, 800);
}

static void without_sessions_there_is_no_data(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world, SENTRY("metric: crash-free-sessions, min: 99%"));
	world->fake.crash_free = "null";
	result = ask(world);
	assert_int_equal(result.answer.kind, ANSWER_NO_DATA);
	world->fake.sessions = 0;
	result = ask(world);
	assert_int_equal(result.answer.kind, ANSWER_NO_DATA);
}

static void new_issues_are_counted_to_the_end_of_the_page(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world, SENTRY("metric: new-issues, max: 0"));
	result = ask(world);
	assert_value(&result, 0);
	world->fake.issues = 3;
	result = ask(world);
	assert_value(&result, 3);
	world->fake.issues = 1000;
	result = ask(world);
	assert_value(&result, 100);
	assert_non_null(strstr(world->fake.last,
		"query=firstRelease%3Ashop%40rev-2%20is%3Aunresolved&"
		"limit=100"));
}

static void a_token_sentry_does_not_know_is_told(void **state)
{
	struct world *world = *state;
	struct result result;

	open_policy(world,
		"  - {name: n, provider: sentry, url: \"${URL}\", "
		"organization: acme, project: shop, release: x, metric: "
		"errors, max: 1, auth: {type: bearer, token: "
		"\"${JSON_TOKEN}\"}}\n");
	result = ask(world);
	assert_text(&result, ERR_AUTH, "HTTP 401: Invalid token; check auth");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_request_is_the_policys),
		TEST(a_url_keeps_its_own_query),
		TEST(a_body_makes_it_a_post),
		TEST(what_is_missing_is_no_data_and_what_is_wrong_an_error),
		TEST(a_redirect_is_not_followed),
		TEST(a_wrong_token_is_said_without_it),
		TEST(google_wants_credentials_and_is_asked_with_them),
		TEST(identical_requests_are_sent_once),
		TEST(one_that_is_cancelled_leaves_the_others),
		TEST(who_is_told_to_wait_asks_again_by_itself),
		TEST(a_429_that_says_nothing_is_waited_for_too),
		TEST(patience_ends_and_nobody_asks_meanwhile),
		TEST(nothing_left_is_waited_for_before_the_429),
		TEST(sentrys_limits_are_each_endpoints_own),
		TEST(errors_of_a_release_are_counted),
		TEST(sessions_are_those_of_the_release),
		TEST(users_are_counted_as_users),
		TEST(without_sessions_there_is_no_data),
		TEST(new_issues_are_counted_to_the_end_of_the_page),
		TEST(a_token_sentry_does_not_know_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
