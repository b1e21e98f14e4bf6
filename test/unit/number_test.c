/* SPDX-License-Identifier: Apache-2.0 */
/* A number out of a JSON answer, and how long to wait before the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "metrics/number_codec.h"
#include "metrics/rate_limit_headers.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	int status;
	const char *body, *pointer;
	enum json_shape shape;
	enum answer_kind kind; /* ANSWER_ERROR: `code` and `text` */
	double value;
	enum err_code code;
	const char *text;
} rows[] = {
	/* Numbers. */
	{200, "{\"a\":[{\"b\":0.25}]}", "/a/0/b", SHAPE_ANY, ANSWER_VALUE,
		0.25},
	{200, "42", "", SHAPE_ANY, ANSWER_VALUE, 42},
	{200, "{\"a\":\"1e-3\"}", "/a", SHAPE_ANY, ANSWER_VALUE, 0.001},
	{200, "{\"a\":-7}", "/a", SHAPE_ANY, ANSWER_VALUE, -7},
	{200, "{\"a\":99999999999999999999}", "/a", SHAPE_ANY, ANSWER_VALUE,
		1e20},
	/* Nothing there. */
	{200, "{\"a\":null}", "/a", SHAPE_ANY, ANSWER_NO_DATA},
	{200, "{}", "/a", SHAPE_ANY, ANSWER_NO_DATA},
	{200, "{\"a\":[]}", "/a/0/b", SHAPE_ANY, ANSWER_NO_DATA},
	{200, "null", "", SHAPE_ANY, ANSWER_NO_DATA},
	/* Something else there. */
	{200, "{\"a\":true}", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_INVALID,
		"/a is true, not a number: check the pointer"},
	{200, "{\"a\":{}}", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_INVALID,
		"/a is an object"},
	{200, "[1]", "", SHAPE_ANY, ANSWER_ERROR, 0, ERR_INVALID,
		"the whole answer is a list"},
	{200, "{\"a\":\"\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_INVALID,
		"no number"},
	{200, "{\"a\":\"12 ms\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_INVALID, "/a is \"12 ms\", which is no number"},
	{200, "{\"a\":\"NaN\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_INVALID,
		"no number"},
	{200, "{\"a\":\"1e999\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_INVALID, "no number"},
	{200, "{\"a\":\"1\\u0000\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_INVALID, "no number"},
	/* No answer at all. */
	{200, "", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"not JSON: an empty body"},
	{200, "<html>", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"not JSON: \"<html>\""},
	{200, "{\"a\":1", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"ends too early, after 6 bytes"},
	{200, "{\"a\":1,\"a\":2}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_PROTOCOL, "not JSON"},
	{200, "{\"a\":1e999}", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"not JSON"},
	/* Any 2xx that carries the number. */
	{202, "{\"a\":7}", "/a", SHAPE_ANY, ANSWER_VALUE, 7},
	{204, "", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"not JSON: an empty body"},
	/* Refusals, in the other side's words where it has some. */
	{302, "", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"HTTP 302: redirects are not followed"},
	{400, "{\"detail\":\"bad query\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_INVALID, "HTTP 400: bad query"},
	{401, "{\"error\":{\"message\":\"who?\"}}", "/a", SHAPE_ANY,
		ANSWER_ERROR, 0, ERR_AUTH, "HTTP 401: who?; check auth"},
	{403, "{\"message\":\"no\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_DENIED, "HTTP 403: no; the identity of auth"},
	{404, "{\"errors\":[\"gone\"]}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_NOT_FOUND, "HTTP 404: gone; check the address"},
	{429, "{\"error\":\"slow\"}", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_THROTTLED, "HTTP 429: slow"},
	{500, "oops\n\033[31m", "/a", SHAPE_ANY, ANSWER_ERROR, 0,
		ERR_UNAVAILABLE, "HTTP 500 with \"oops"},
	{504, "{\"a\":1}", "/a", SHAPE_ANY, ANSWER_ERROR, 0, ERR_TIMEOUT,
		"HTTP 504 with"},
	/* Counts and shares. */
	{200, "{\"data\":[{\"count()\":17}]}", "/data/0/count()", SHAPE_COUNT,
		ANSWER_VALUE, 17},
	{200, "{\"data\":[{\"count()\":-1}]}", "/data/0/count()", SHAPE_COUNT,
		ANSWER_ERROR, 0, ERR_PROTOCOL, "below 0"},
#define GROUP(release, rate) \
	"{\"by\":{\"release\":" release "},\"totals\":{\"r\":" rate "}}"
#define GROUPS(list) "{\"groups\":[" list "]}"
	{200, GROUPS(GROUP("\"shop@1\"", "0.9875")), "/groups/0/totals/r",
		SHAPE_RELEASE_SHARE, ANSWER_VALUE, 0.9875},
	{200, GROUPS(GROUP("\"shop@1\"", "1")), "/groups/0/totals/r",
		SHAPE_RELEASE_SHARE, ANSWER_VALUE, 1},
	{200, GROUPS(GROUP("\"shop@1\"", "null")), "/groups/0/totals/r",
		SHAPE_RELEASE_SHARE, ANSWER_NO_DATA},
	{200, GROUPS(""), "/groups/0/totals/r", SHAPE_RELEASE_SHARE,
		ANSWER_NO_DATA},
	{200, GROUPS(GROUP("\"shop@1\"", "98.75")), "/groups/0/totals/r",
		SHAPE_RELEASE_SHARE, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"a share is from 0 to 1"},
	{200, GROUPS(GROUP("\"shop@1\"", "800")), "/groups/0/totals/r",
		SHAPE_RELEASE_COUNT, ANSWER_VALUE, 800},
	{200, GROUPS(GROUP("\"shop@2\"", "0.5")), "/groups/0/totals/r",
		SHAPE_RELEASE_SHARE, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"the sessions are those of shop@2, not of release shop@1"},
	{200, GROUPS(GROUP("7", "0.5")), "/groups/0/totals/r",
		SHAPE_RELEASE_SHARE, ANSWER_ERROR, 0, ERR_PROTOCOL,
		"those of nothing"},
	{200, GROUPS(GROUP("\"shop@1\"", "1") "," GROUP("\"shop@2\"", "1")),
		"/groups/0/totals/r", SHAPE_RELEASE_SHARE, ANSWER_ERROR, 0,
		ERR_INVALID, "2 groups where there must be one"},
	{200, "{\"groups\":null}", "/groups/0/totals/r", SHAPE_RELEASE_SHARE,
		ANSWER_NO_DATA},
	{200, "{}", "/groups/0/totals/r", SHAPE_RELEASE_SHARE, ANSWER_ERROR, 0,
		ERR_PROTOCOL, "not one of Sentry's sessions"},
	/* Issues. */
	{200, "[]", "", SHAPE_ISSUES, ANSWER_VALUE, 0},
	{200, "null", "", SHAPE_ISSUES, ANSWER_VALUE, 0},
	{200, "[{\"count\":\"12\"},{\"count\":3}]", "", SHAPE_ISSUES,
		ANSWER_VALUE, 2},
	{200, "[{\"count\":\"12\"},{\"id\":\"3\"}]", "", SHAPE_ISSUES,
		ANSWER_ERROR, 0, ERR_PROTOCOL, "entry 2 of the answer"},
	{200, "[{\"count\":\"many\"}]", "", SHAPE_ISSUES, ANSWER_ERROR, 0,
		ERR_PROTOCOL, "entry 1 of the answer"},
	{200, "{\"detail\":\"x\"}", "", SHAPE_ISSUES, ANSWER_ERROR, 0,
		ERR_PROTOCOL, "not a list of issues"},
};

static void a_number_is_found_or_said_to_be_missing(void **state)
{
	for (size_t i = 0; i < N(rows); i++) {
		const struct json_question question = {
			.pointer = rows[i].pointer,
			.shape = rows[i].shape,
			.scale = 1};
		const struct number_reply reply = {
			rows[i].status, rows[i].body, strlen(rows[i].body)};
		struct err err = {0};
		struct answer answer = {0};
		int rc = number_decode(
			&reply, &question, "shop@1", &answer, &err);

		if (rc < 0)
			answer.kind = ANSWER_ERROR;
		if (answer.kind != rows[i].kind ||
			(answer.kind == ANSWER_VALUE &&
				answer.value != rows[i].value) ||
			err.code != rows[i].code ||
			(rows[i].text && !strstr(err.text, rows[i].text)))
			fail_msg("%s: kind %d value %g, %s", rows[i].body,
				answer.kind, answer.value, err.text);
	}
}

static void a_scale_says_what_the_number_counts(void **state)
{
	struct json_question question = {.pointer = "/ms", .scale = 0.001};
	static const char body[] = "{\"ms\":250,\"many\":1e308}";
	const struct number_reply reply = {200, body, strlen(body)};
	struct answer answer;
	struct err err;

	assert_int_equal(
		number_decode(&reply, &question, NULL, &answer, &err), 0);
	assert_true(answer.value == 0.25);
	question.pointer = "/many";
	question.scale = 1e10;
	assert_int_equal(
		number_decode(&reply, &question, NULL, &answer, &err), -1);
	assert_non_null(strstr(err.text, "not a finite number"));
}

static void an_answer_that_is_too_long_is_not_read(void **state)
{
	const struct json_question question = {.pointer = "", .scale = 1};
	char *body = calloc(1, NUMBER_BODY_MAX + 2);
	const struct number_reply reply = {200, body, NUMBER_BODY_MAX + 1};
	struct answer answer;
	struct err err;

	memset(body, ' ', NUMBER_BODY_MAX);
	body[NUMBER_BODY_MAX] = '1';
	assert_int_equal(
		number_decode(&reply, &question, NULL, &answer, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	free(body);
}

/* ---- limits of the rate ---- */

#define CLOCK_MS INT64_C(1800000000000)

static const struct {
	int status;
	int64_t retry_after_ms;
	const char *headers[4]; /* name, value, name, value */
	int64_t wait_ms;
} limits[] = {
	{200, 0, {NULL}, 0},
	{429, 0, {NULL}, 0},
	{429, 7000, {NULL}, 7000},
	{503, 7000, {NULL}, 7000},
	{200, 7000, {NULL}, 0},
	{429, 90000000, {NULL}, RATE_LIMIT_WAIT_MS_MAX},
	/* Seconds since 1970, in the sender's clock. */
	{200, 0,
		{"X-Sentry-Rate-Limit-Remaining", "0",
			"X-Sentry-Rate-Limit-Reset", "1800000030"},
		30000},
	{200, 0,
		{"X-Sentry-Rate-Limit-Remaining", "3",
			"X-Sentry-Rate-Limit-Reset", "1800000030"},
		0},
	{429, 0, {"X-Sentry-Rate-Limit-Reset", "1800000030"}, 30000},
	{200, 0, {"X-Sentry-Rate-Limit-Reset", "1800000030"}, 0},
	{429, 5000, {"X-Sentry-Rate-Limit-Reset", "1800000030"}, 5000},
	/* Milliseconds, or seconds from now. */
	{429, 0, {"X-RateLimit-Reset", "1800000002500"}, 2500},
	{429, 0, {"RateLimit-Reset", "12"}, 12000},
	{200, 0, {"ratelimit-remaining", "0", "ratelimit-reset", "1.5"}, 1500},
	{429, 0, {"X-Rate-Limit-Reset", "12"}, 12000},
	/* The past, and what is no number. */
	{429, 0, {"X-RateLimit-Reset", "1799999999"}, 0},
	{429, 0, {"X-RateLimit-Reset", "soon"}, 0},
	{429, 0, {"X-RateLimit-Reset", "-5"}, 0},
	{429, 0, {"X-RateLimit-Reset", "1e30"}, RATE_LIMIT_WAIT_MS_MAX},
	{429, 0, {"X-RateLimit-Remaining", "many", "X-RateLimit-Reset", "9"},
		9000},
};

static const char *header_of(const char *name, const void *arg)
{
	const char *const *headers = arg;

	for (size_t i = 0; i < 4 && headers[i]; i += 2)
		if (!strcasecmp(headers[i], name))
			return headers[i + 1];
	return NULL;
}

static void what_an_answer_says_of_the_next_is_understood(void **state)
{
	for (size_t i = 0; i < N(limits); i++) {
		const struct rate_limit_answer answer = {
			.status = limits[i].status,
			.retry_after_ms = limits[i].retry_after_ms,
			.clock_ms = CLOCK_MS,
			.header = header_of,
			.arg = limits[i].headers};
		int64_t wait_ms = rate_limit_wait_ms(&answer);

		if (wait_ms != limits[i].wait_ms)
			fail_msg("row %zu: %lld ms", i, (long long)wait_ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_found_or_said_to_be_missing),
		cmocka_unit_test(a_scale_says_what_the_number_counts),
		cmocka_unit_test(an_answer_that_is_too_long_is_not_read),
		cmocka_unit_test(what_an_answer_says_of_the_next_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
