/* Recordings: what is read, what is refused, what holds at a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/recording.h"

#define HEAD "{\"version\":1,\"start\":100,\"end\":400,\"interval\":30,"

static struct recording *parse(const char *json, struct err *err)
{
	/* A copy without a NUL, so that a read beyond the end is found. */
	size_t len = strlen(json);
	char *bytes = test_malloc(len ? len : 1);
	struct recording *recording;

	memcpy(bytes, json, len);
	recording = recording_parse("r.json", bytes, len, err);
	test_free(bytes);
	return recording;
}

static struct recording *with_values(const char *values)
{
	static char json[4096];
	struct err err;
	struct recording *recording;

	snprintf(json, sizeof(json),
		HEAD "\"series\":{\"a\":{\"data\":{\"resultType\":\"matrix\","
		     "\"result\":[{\"metric\":{},\"values\":%s}]}}}}",
		values);
	recording = parse(json, &err);
	if (!recording)
		fail_msg("%s", err.text);
	return recording;
}

static void expect_at(const struct recording *recording, int64_t time_s,
	enum recorded recorded, double value)
{
	size_t cursor = 0;
	double v = NAN;

	assert_int_equal(recording_at(recording, &recording->series[0],
				 time_s * 1000, &cursor, &v),
		recorded);
	if (recorded == RECORDED_VALUE)
		assert_true(v == value || (isnan(v) && isnan(value)));
}

static void a_value_holds_until_the_next_or_two_intervals(void **state)
{
	struct recording *r =
		with_values("[[100,\"1\"],[130,\"2\"],[310,\"-3.5e-1\"]]");

	expect_at(r, 99, RECORDED_NOTHING, 0);
	expect_at(r, 100, RECORDED_VALUE, 1);
	expect_at(r, 129, RECORDED_VALUE, 1);
	expect_at(r, 130, RECORDED_VALUE, 2);
	expect_at(r, 189, RECORDED_VALUE, 2);
	expect_at(r, 190, RECORDED_NOTHING, 0);
	expect_at(r, 310, RECORDED_VALUE, -0.35);
	recording_free(&r);
}

static void samples_are_read_as_prometheus_writes_them(void **state)
{
	struct recording *r = with_values(
		"[[100,\"NaN\"],[101,\"+Inf\"],[102,\"-Inf\"],[103,\"1e+21\"],"
		"[104,\"0.1\"],[105,\"123456789012345678\"],[106.5,\"1e-07\"]"
		"]");

	expect_at(r, 100, RECORDED_VALUE, NAN);
	expect_at(r, 101, RECORDED_VALUE, INFINITY);
	expect_at(r, 102, RECORDED_VALUE, -INFINITY);
	expect_at(r, 103, RECORDED_VALUE, 1e21);
	expect_at(r, 104, RECORDED_VALUE, 0.1);
	expect_at(r, 105, RECORDED_VALUE, 123456789012345678.0);
	expect_at(r, 107, RECORDED_VALUE, 1e-7);
	recording_free(&r);
}

static void an_empty_result_is_no_data(void **state)
{
	struct recording *r = with_values("[]");

	expect_at(r, 120, RECORDED_NOTHING, 0);
	recording_free(&r);
}

static void outages_and_several_series_are_told_apart(void **state)
{
	struct err err;
	struct recording *r = parse(HEAD
		"\"series\":{\"a\":{\"query\":\"up\",\"errors\":["
		"{\"from\":200,\"to\":210,\"type\":\"timeout\"},"
		"{\"from\":220,\"to\":230,\"type\":\"error\"}],"
		"\"data\":{\"resultType\":\"matrix\",\"result\":["
		"{\"metric\":{\"x\":\"1\"},\"values\":[[100,\"1\"]]},"
		"{\"metric\":{\"x\":\"\\u00e9\\n\"},\"values\":"
		"[[130,\"1\"]]}]}}},\"expect\":\"promoted\"}",
		&err);

	assert_non_null(r);
	assert_string_equal(r->expect, "promoted");
	assert_string_equal(r->series[0].query, "up");
	expect_at(r, 100, RECORDED_VALUE, 1);
	expect_at(r, 140, RECORDED_SEVERAL, 0);
	expect_at(r, 165, RECORDED_VALUE, 1);
	expect_at(r, 200, RECORDED_TIMEOUT, 0);
	expect_at(r, 210, RECORDED_NOTHING, 0);
	expect_at(r, 220, RECORDED_OUTAGE, 0);
	recording_free(&r);
}

static void bad_recordings_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *json, *error;
	} rows[] = {
		{"", "r.json:1:1: the file ends where '{' is expected"},
		{"[]", "r.json:1:1: '{' is expected here"},
		{"{}", "version is missing"},
		{"{\"version\":2}", "version 2 is not one that this"},
		{"{\"version\":1,\n \"starts\":3}",
			"r.json:2:11: \"starts\" is not a key"},
		{HEAD "\"series\":{}}", "series is missing"},
		{HEAD "\"series\":{\"a\":{}}}", "has no `data`"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[{\"values\":"
		      "[[100,1]]}]}}}}",
			"'\"' is expected here"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[{\"values\":"
		      "[[100,\"x\"]]}]}}}}",
			"this is not a sample"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[{\"values\":"
		      "[[100,\"1\"],[100,\"1\"]]}]}}}}",
			"times do not go forward"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[{\"values\":"
		      "[[99999999999999999999,\"1\"]]}]}}}}",
			"not between years"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"resultType\":\"vector\"}}"
		      "}}",
			"resultType is \"vector\""},
		{HEAD "\"context\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			"'{' is expected"},
		{HEAD "\"context\":{\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			"nested deeper than 32"},
		{HEAD "\"expect\":\"maybe\"", "expect is \"maybe\""},
		{"{\"version\":1,\"start\":500,\"end\":400,\"interval\":30,"
		 "\"series\":{\"a\":{\"data\":{\"result\":[]}}}}",
			"start has to be before end"},
		{"{\"version\":1,\"a\x01\":", "a control character"},
		{"{\"version\":1,\"\\ud800x\":", "no character"},
		{"{\"version\":1} x", "something follows"},
	};
	struct recording *r;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = parse(rows[i].json, &err);
		if (r)
			fail_msg("row %zu was accepted", i);
		if (!strstr(err.text, rows[i].error))
			fail_msg("row %zu: \"%s\" is not in \"%s\"", i,
				rows[i].error, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_holds_until_the_next_or_two_intervals),
		cmocka_unit_test(samples_are_read_as_prometheus_writes_them),
		cmocka_unit_test(an_empty_result_is_no_data),
		cmocka_unit_test(outages_and_several_series_are_told_apart),
		cmocka_unit_test(bad_recordings_are_refused_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
