/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: what is read, what is refused, what holds at a time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "sim/recording.h"

#define VALUES                                                          \
	HEAD "\"series\":{\"a\":{\"data\":{\"result\":[{\"metric\":{}," \
	     "\"values\":"
#define HEAD "{\"version\":1,\"start\":100,\"end\":400,\"interval\":30,"

/* Bytes that come a few at a time. */
struct pieces {
	const char *bytes;
	size_t len, at, piece;
};

static ssize_t next_piece(char *bytes, size_t size, void *arg, struct err *err)
{
	struct pieces *p = arg;
	size_t n = p->len - p->at;

	if (n > p->piece)
		n = p->piece;
	if (n > size)
		n = size;
	memcpy(bytes, p->bytes + p->at, n);
	p->at += n;
	return (ssize_t)n;
}

static struct recording *parse_pieces(
	const char *bytes, size_t len, size_t piece, struct err *err)
{
	struct pieces pieces = {bytes, len, 0, piece};
	const struct recording_source source = {next_piece, &pieces, 0};

	return recording_read("r.json", &source, err);
}

/* As people see it. */
static const char *shown(const struct err *err)
{
	static char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "%s:%d:%d: %s", err->pos.file,
		err->pos.line, err->pos.col, err->text);
	return text;
}

/* However it comes, it is read alike. */
static struct recording *parse_bytes(
	const char *json, size_t len, struct err *err)
{
	/* A copy without a NUL, so that a read beyond the end is found. */
	char *bytes = test_malloc(len ? len : 1);
	struct recording *whole, *pieces;
	struct err other;

	memcpy(bytes, json, len);
	whole = recording_parse("r.json", bytes, len, err);
	pieces = parse_pieces(bytes, len, 7, &other);
	assert_true(!whole == !pieces);
	if (!whole) {
		assert_string_equal(err->text, other.text);
		assert_memory_equal(&err->pos, &other.pos, sizeof(err->pos));
	}
	if (whole)
		assert_int_equal(whole->n_points, pieces->n_points);
	recording_free(&pieces);
	test_free(bytes);
	return whole;
}

static struct recording *parse(const char *json, struct err *err)
{
	return parse_bytes(json, strlen(json), err);
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
		"[[129,\"1\"]]}]}}},\"expect\":\"promoted\"}",
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

/* As when a pod is replaced by another one: the server answered with the series
 * that were there at that time. */
static void a_series_ends_where_another_one_goes_on(void **state)
{
	struct err err;
	struct recording *r = parse(HEAD
		"\"series\":{\"a\":{\"data\":{\"resultType\":\"matrix\","
		"\"result\":["
		"{\"metric\":{\"pod\":\"c\"},\"values\":[[190,\"3\"]]},"
		"{\"metric\":{\"pod\":\"a\"},\"values\":[[100,\"1\"],"
		"[130,\"1\"]]},"
		"{\"metric\":{\"pod\":\"b\"},\"values\":[[160,\"2\"],"
		"[190,\"2\"],[220,\"2\"]]}]}}}}",
		&err);

	assert_non_null(r);
	expect_at(r, 159, RECORDED_VALUE, 1);
	expect_at(r, 160, RECORDED_VALUE, 2);
	expect_at(r, 189, RECORDED_VALUE, 2);
	expect_at(r, 190, RECORDED_SEVERAL, 0);
	expect_at(r, 220, RECORDED_VALUE, 2);
	expect_at(r, 279, RECORDED_VALUE, 2);
	expect_at(r, 280, RECORDED_NOTHING, 0);
	recording_free(&r);
}

static void incomplete_answers_have_values_and_say_so(void **state)
{
	struct err err;
	struct recording *r = parse(HEAD
		"\"series\":{\"a\":{\"errors\":["
		"{\"from\":110,\"to\":130,\"type\":\"partial\"},"
		"{\"from\":120,\"to\":125,\"type\":\"error\"}],"
		"\"data\":{\"resultType\":\"matrix\",\"result\":["
		"{\"metric\":{},\"values\":[[100,\"1\"],[110,\"2\"]]}"
		"]}}}}",
		&err);

	assert_non_null(r);
	expect_at(r, 109, RECORDED_VALUE, 1);
	expect_at(r, 110, RECORDED_VALUE, 2);
	expect_at(r, 120, RECORDED_OUTAGE, 0);
	assert_false(recording_is_partial(&r->series[0], 109999));
	assert_true(recording_is_partial(&r->series[0], 110000));
	assert_true(recording_is_partial(&r->series[0], 129999));
	assert_false(recording_is_partial(&r->series[0], 130000));
	recording_free(&r);
}

static void a_list_that_is_null_is_empty(void **state)
{
	struct err err;
	struct recording *r = parse(HEAD
		"\"history\":null,\"series\":{\"a\":{\"errors\":null,\"data\":{"
		"\"resultType\":\"matrix\",\"result\":null}},"
		"\"b\":{\"data\":{\"resultType\":\"matrix\",\"result\":["
		"{\"metric\":{},\"values\":null}]}}}}",
		&err);

	if (!r) {
		fail_msg("%s", shown(&err));
		return;
	}
	assert_int_equal(r->n_histories, 0);
	expect_at(r, 120, RECORDED_NOTHING, 0);
	assert_int_equal(r->series[1].result[0].n, 0);
	recording_free(&r);
}

#define RESULTS HEAD "\"series\":{\"a/buckets\":{\"data\":{\"result\":["

/* Counters keep what tells them apart; the order is not the file's. */
static void counters_are_known_by_their_labels(void **state)
{
	struct counter_sample samples[3];
	size_t cursors[3] = {0}, n;
	struct err err;
	struct recording *r = parse(RESULTS
		"{\"metric\":{\"le\":\"+Inf\",\"pod\":\"\\\"b\",\"job\":\"x\"},"
		"\"values\":[[100,\"7\"],[130,\"9\"]]},"
		"{\"metric\":{\"pod\":\"\\\"b\",\"job\":\"x\",\"le\":\"0.5\"},"
		"\"values\":[[100,\"4\"],[130,\"NaN\"]]},"
		"{\"values\":[[130,\"1\"]]}]}}}}",
		&err);

	if (!r) {
		fail_msg("%s", shown(&err));
		return;
	}
	assert_int_equal(recording_look(r, &r->series[0], 110000, 0, cursors,
				 samples, &n),
		RECORDED_VALUE);
	assert_int_equal(n, 2);
	assert_string_equal(
		samples[0].labels, "{\"job\":\"x\",\"pod\":\"\\\"b\"}");
	assert_string_equal(samples[0].labels, samples[1].labels);
	assert_true(samples[0].le == 0.5 && samples[0].value == 4);
	assert_true(isinf(samples[1].le) && samples[1].value == 7);
	assert_int_equal(recording_look(r, &r->series[0], 131000, 0, cursors,
				 samples, &n),
		RECORDED_VALUE);
	assert_int_equal(n, 2);
	assert_true(samples[0].value == 9);
	assert_string_equal(samples[1].labels, "{}");
	assert_true(isnan(samples[1].le));
	recording_free(&r);
}

struct refused {
	const char *json, *error;
};

static void expect_refused(const struct refused *rows, size_t n)
{
	struct recording *r;
	struct err err;
	size_t i;

	for (i = 0; i < n; i++) {
		r = parse(rows[i].json, &err);
		if (r)
			fail_msg("row %zu was accepted", i);
		if (!strstr(shown(&err), rows[i].error))
			fail_msg("row %zu: \"%s\" is not in \"%s\"", i,
				rows[i].error, shown(&err));
	}
}

static void bad_recordings_are_refused_with_their_place(void **state)
{
	static const struct refused rows[] = {
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
		{HEAD "\"context\":{\"seed\":\"-1\"",
			"seed is a number of 64 bits"},
		{HEAD "\"context\":{\"seed\":\"99999999999999999999\"",
			"seed is a number of 64 bits"},
		{HEAD "\"context\":{\"seed\":7", "'\"' is expected"},
		{"{\"version\":1,\"start\":500,\"end\":400,\"interval\":30,"
		 "\"series\":{\"a\":{\"data\":{\"result\":[]}}}}",
			"start has to be before end"},
		{"{\"version\":1,\"a\x01\":", "a control character"},
		{"{\"version\":1,\"\\ud800x\":", "no character"},
		{"{\"version\":1} x", "something follows"},
		{"{\"version\":1,\"start\":0100", "a 0 too many"},
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]));
}

#define HISTORY HEAD "\"history\":[{\"slo\":\"a\",\"seconds\":1,"
#define PHIS \
	"\"requests\":9,\"bad\":1,\"phi\":1,\"phi_level\":1,\"phi_shape\":1"

static void bad_counters_and_histories_are_refused(void **state)
{
	static const struct refused rows[] = {
		{RESULTS "{\"metric\":{\"a\":1}", "'\"' is expected"},
		{RESULTS "{\"metric\":{\"\":\"x\"}",
			"name of a label is empty"},
		{RESULTS "{\"metric\":{\"a\":\"x\",\"a\":\"y\"}",
			"a series has a label twice"},
		{RESULTS "{\"metric\":{\"le\":\"wide\"}",
			"le is \"wide\", not a bound"},
		{RESULTS "{\"metric\":{\"le\":\"NaN\"}", "not a bound"},
		{RESULTS "{\"metric\":{\"a\":\"x\"}},{\"metric\":{\"a\":\"x\"}}"
			 "]",
			"two series have the same labels"},
		{HISTORY PHIS ",\"phi\":1}", "\"phi\" is there twice"},
		{HISTORY "\"requests\":-1", "a number of a history"},
		{HISTORY "\"requests\":1}", "a history has slo, seconds"},
		{HISTORY "\"size\":1}", "\"size\" is there twice, or not"},
		{HISTORY PHIS ",\"le\":[1],\"buckets\":[1]}",
			"one bucket more than bounds"},
		{HISTORY PHIS ",\"le\":[2,1],\"buckets\":[1,1,1]}",
			"the bounds of a history rise"},
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]));
}

static void what_is_there_twice_and_no_utf8_is_refused(void **state)
{
	static const struct refused rows[] = {
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[]}},"
		      "\"a\":",
			"the series \"a\" is there twice"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[]},"
		      "\"data\":",
			"`data` is there twice"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[],"
		      "\"result\":",
			"`result` is there twice"},
		{HEAD "\"series\":{},\"series\":", "`series` is there twice"},
		{"{\"version\":1,\"version\":", "`version` is there twice"},
		{HEAD "\"start\":", "`start` is there twice"},
		{HEAD "\"end\":", "`end` is there twice"},
		{HEAD "\"interval\":", "`interval` is there twice"},
		{HEAD "\"expect\":\"promoted\",\"expect\":",
			"`expect` is there twice"},
		{HEAD "\"context\":{},\"context\":",
			"`context` is there twice"},
		{HEAD "\"context\":{\"stable\":\"a\",\"stable\":",
			"`stable` is there twice"},
		{HEAD "\"context\":{\"x\":1,\"x\":", "`x` is there twice"},
		{HEAD "\"context\":{\"seed\":\"1\",\"seed\":",
			"`seed` is there twice"},
		{HEAD "\"series\":{\"a\":{\"query\":\"q\",\"query\":",
			"`query` is there twice"},
		{HEAD "\"series\":{\"a\":{\"errors\":[],\"errors\":",
			"`errors` is there twice"},
		{HEAD "\"series\":{\"a\":{\"errors\":[{\"from\":1,\"from\":",
			"`from` is there twice"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"resultType\":"
		      "\"matrix\",\"resultType\":",
			"`resultType` is there twice"},
		{HEAD "\"series\":{\"a\":{\"data\":{\"result\":[{\"metric\":"
		      "{},\"metric\":",
			"`metric` is there twice"},
		{HEAD "\"series\":{\"a\xff\":", "not UTF-8"},
		{HEAD "\"series\":{\"\xc0\xaf\":", "not UTF-8"},
		{HEAD "\"context\":{\"service\":\"\xed\xa0\x80\"", "not UTF-8"},
		{"{\"\x80\":", "not UTF-8"},
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]));
}

static void bad_samples_and_times_are_refused(void **state)
{
	static const struct refused rows[] = {
		{VALUES "[[100,\"1\"],[130,\"1\"],[129,\"1\"]]",
			"times do not go forward"},
		{VALUES "[[100,\"1\"],[9223372036854775807,\"1\"]]",
			"not between years"},
		{VALUES "[[100,\"1\"],[9223372036854775808,\"1\"]]",
			"not between years"},
		{VALUES "[[100,\"1\"],[1e300,\"1\"]]", "not between years"},
		{VALUES "[[-1e300,\"1\"]]", "not between years"},
		{VALUES "[[253402300800,\"1\"]]", "after year 9999"},
		{VALUES "[[100,\"1\",2]]", "a pair has two members"},
		{VALUES "[[100]]", "is expected here"},
		{VALUES "[[100,\"1", "is not a sample"},
		{VALUES "[[100,\"1e\"]]", "is not a sample"},
		{VALUES "[[100,\"0x10\"]]", "is not a sample"},
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]));
}

/* ---- long ones ---- */

#define LONG_BYTES (32 * 1024 * 1024)

/* HEAD, `open`, `item` n times with commas, `close`; the caller frees it. */
static struct buf many(
	const char *open, const char *item, size_t n, const char *close)
{
	struct buf out;
	size_t i;

	buf_init(&out, LONG_BYTES);
	buf_addf(&out, "%s%s", HEAD, open);
	for (i = 0; i < n; i++)
		buf_addf(&out, "%s%s", i ? "," : "", item);
	buf_adds(&out, close);
	assert_false(out.overflow);
	return out;
}

static void a_million_series_of_one_query_are_refused_at_the_65th(void **state)
{
	struct buf json = many("\"series\":{\"a\":{\"data\":{\"result\":[",
		"{\"metric\":{},\"values\":[]}", 1000000, "]}}}}");
	struct err err;

	assert_null(parse_bytes(json.data, json.len, &err));
	assert_non_null(strstr(err.text, "answered more than 64 series"));
	buf_fini(&json);
}

static void a_million_named_series_are_refused_at_the_129th(void **state)
{
	struct buf json;
	struct err err;
	int i;

	buf_init(&json, LONG_BYTES * 2);
	buf_addf(&json, "%s\"series\":{", HEAD);
	for (i = 0; i < 1000000; i++)
		buf_addf(&json, "%s\"s%d\":{\"data\":{\"result\":[]}}",
			i ? "," : "", i);
	buf_adds(&json, "}}");
	assert_false(json.overflow);
	assert_null(parse_bytes(json.data, json.len, &err));
	assert_non_null(strstr(err.text, "more than 128 series"));
	buf_fini(&json);
}

static void nothing_but_nan_is_no_data_everywhere(void **state)
{
	struct buf json;
	struct recording *r;
	struct err err;
	int i;

	buf_init(&json, LONG_BYTES);
	buf_addf(&json, "%s[", VALUES);
	for (i = 100; i <= 400; i++)
		buf_addf(&json, "%s[%d,\"NaN\"]", i > 100 ? "," : "", i);
	buf_adds(&json, "]}]}}}}");
	r = parse_bytes(json.data, json.len, &err);
	assert_non_null(r);
	for (i = 100; i <= 400; i++)
		expect_at(r, i, RECORDED_VALUE, NAN);
	recording_free(&r);
	buf_fini(&json);
}

/* Brackets, blanks, a text and a number that never end: each is an error
 * before it costs anything. */
static void what_never_ends_is_refused(void **state)
{
	static const struct {
		const char *begin;
		char more;
		const char *error;
	} rows[] = {
		{"{\"context\":{\"x\":", '[', "nested deeper than 32"},
		{"[", '[', "'{' is expected"},
		{"", ' ', "the file ends where"},
		{"{\"", 'k', "the file ends in a string"},
		{"{\"context\":{\"service\":\"", 's', "ends in a string"},
		{"{\"context\":{\"other\":\"", 's', "ends in a string"},
		{"{\"start\":", '1', "this is not a number"},
		{"{\"start\":1", '0', "this is not a number"},
		{"{\"start\":1e", '0', "this is not a number"},
		{"{\"start\":0.", '0', "this is not a number"},
	};
	struct recording *r;
	struct buf json;
	struct err err;
	char more[4096];
	size_t i, j;

	buf_init(&json, LONG_BYTES);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(more, rows[i].more, sizeof(more));
		buf_clear(&json);
		buf_adds(&json, rows[i].begin);
		for (j = 0; j < 512 * 1024 / sizeof(more); j++)
			buf_add(&json, more, sizeof(more));
		r = parse_bytes(json.data, json.len, &err);
		if (r || !strstr(err.text, rows[i].error))
			fail_msg("row %zu: \"%s\" is not in \"%s\"", i,
				rows[i].error, r ? "accepted" : err.text);
	}
	buf_fini(&json);
}

static void a_recording_cut_off_anywhere_is_an_error(void **state)
{
	static const char json[] = HEAD
		"\"context\":{\"service\":\"b\\u00e9\",\"shift\":1.5,"
		"\"seed\":\"18446744073709551615\"},"
		"\"expect\":\"promoted\",\"series\":{\"a\":{\"query\":\"q\","
		"\"errors\":[{\"from\":200,\"to\":210,\"type\":\"x\"}],"
		"\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":"
		"{\"l\":null},\"values\":[[100,\"1\"],[130.25,\"NaN\"]]}]}}}}";
	struct recording *r;
	struct err err;
	size_t len;

	for (len = 0; len < sizeof(json) - 1; len++) {
		r = parse_bytes(json, len, &err);
		if (r)
			fail_msg("its first %zu bytes are accepted", len);
	}
	r = parse_bytes(json, sizeof(json) - 1, &err);
	assert_non_null(r);
	assert_int_equal(r->shift_ms, 1500);
	assert_true(r->seed == UINT64_MAX);
	recording_free(&r);
}

/* The place of an error behind a window's end. */
static void places_are_right_however_far_they_are(void **state)
{
	struct recording *r;
	struct buf json;
	struct err err;
	int i;

	buf_init(&json, LONG_BYTES);
	buf_addf(&json, "%s[", VALUES);
	for (i = 0; i < 50000; i++)
		buf_addf(&json, "%s[%d,\"0.%d\"]", i ? ",\n" : "", i + 100, i);
	buf_adds(&json, ",\n  [50101,\"x\"]");
	r = parse_bytes(json.data, json.len, &err);
	assert_null(r);
	assert_non_null(strstr(shown(&err), "r.json:50001:11: this is not a"));
	buf_fini(&json);
}

static ssize_t broken(char *bytes, size_t size, void *arg, struct err *err_r)
{
	return err_set(err_r, ERR_IO, "the disk is gone");
}

static void trouble_while_it_is_read_is_told(void **state)
{
	const struct recording_source source = {broken, NULL, 0};
	struct err err;

	assert_null(recording_read("r.json", &source, &err));
	assert_string_equal(err.text, "the disk is gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_holds_until_the_next_or_two_intervals),
		cmocka_unit_test(samples_are_read_as_prometheus_writes_them),
		cmocka_unit_test(an_empty_result_is_no_data),
		cmocka_unit_test(outages_and_several_series_are_told_apart),
		cmocka_unit_test(a_series_ends_where_another_one_goes_on),
		cmocka_unit_test(incomplete_answers_have_values_and_say_so),
		cmocka_unit_test(a_list_that_is_null_is_empty),
		cmocka_unit_test(counters_are_known_by_their_labels),
		cmocka_unit_test(bad_counters_and_histories_are_refused),
		cmocka_unit_test(bad_recordings_are_refused_with_their_place),
		cmocka_unit_test(what_is_there_twice_and_no_utf8_is_refused),
		cmocka_unit_test(bad_samples_and_times_are_refused),
		cmocka_unit_test(
			a_million_series_of_one_query_are_refused_at_the_65th),
		cmocka_unit_test(
			a_million_named_series_are_refused_at_the_129th),
		cmocka_unit_test(nothing_but_nan_is_no_data_everywhere),
		cmocka_unit_test(what_never_ends_is_refused),
		cmocka_unit_test(a_recording_cut_off_anywhere_is_an_error),
		cmocka_unit_test(places_are_right_however_far_they_are),
		cmocka_unit_test(trouble_while_it_is_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
