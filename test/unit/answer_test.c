/* SPDX-License-Identifier: Apache-2.0 */
/* What Prometheus and its kin answer, and what is made of it. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "metrics/answer_codec.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

/* A body of the corpus that the fuzz target starts from, too. */
static char *read_corpus(const char *name, size_t *len_r)
{
	const char *srcdir = getenv("srcdir");
	char *path = xasprintf(
		"%s/test/fuzz/corpus/answer/%s", srcdir ? srcdir : ".", name);
	char bytes[8192];
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("%s is missing", path);
	*len_r = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	xfree(&path);
	return xmemdup0(bytes, *len_r);
}

static int decode_corpus(const char *name, int status,
	struct metric_reading *reading, struct err *err)
{
	size_t len;
	char *bytes = read_corpus(name, &len);
	int rc = answer_decode(status, bytes, len, reading, err);

	xfree(&bytes);
	return rc;
}

static void answers_become_readings(void **state)
{
	static const struct {
		const char *name;
		enum answer_kind kind;
		double value;
		size_t series;
	} rows[] = {
		{"prometheus-vector", ANSWER_VALUE, 1, 1},
		{"prometheus-aggregate", ANSWER_VALUE, 1e-07, 1},
		{"prometheus-scalar", ANSWER_VALUE, 1e-09, 1},
		{"prometheus-inf", ANSWER_VALUE, INFINITY, 1},
		{"prometheus-minus-inf", ANSWER_VALUE, -INFINITY, 1},
		{"prometheus-nan", ANSWER_NO_DATA, 0, 1},
		{"prometheus-empty", ANSWER_NO_DATA, 0, 0},
		{"prometheus-stats", ANSWER_VALUE, 1, 1},
		{"prometheus-label-escapes", ANSWER_VALUE, 1, 1},
		{"prometheus-infos", ANSWER_VALUE, 0.25, 1},
		{"prometheus-warnings", ANSWER_VALUE, 0.25, 1},
		{"thanos-partial", ANSWER_VALUE, 0.0125, 1},
		{"thanos-empty-warnings", ANSWER_NO_DATA, 0, 0},
		{"mimir-vector", ANSWER_VALUE, 123456789012345680000.0, 1},
		{"victoriametrics-vector", ANSWER_VALUE, 0.995, 1},
		{"victoriametrics-partial", ANSWER_VALUE, 7, 1},
		{"victoriametrics-not-partial", ANSWER_NO_DATA, 0, 0},
		{"google-vector", ANSWER_VALUE, 0.0033333333333333335, 1},
	};
	struct metric_reading reading;
	struct err err;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		if (decode_corpus(rows[i].name, 200, &reading, &err) < 0)
			fail_msg("%s: %s", rows[i].name, err.text);
		assert_int_equal(reading.answer.kind, rows[i].kind);
		assert_int_equal(reading.series, rows[i].series);
		assert_true(reading.answer.value == rows[i].value);
		xfree(&reading.warnings);
	}
}

static void warnings_are_joined_and_infos_are_not(void **state)
{
	static const struct {
		const char *name, *warnings;
	} rows[] = {
		{"prometheus-vector", NULL},
		{"prometheus-infos", NULL},
		{"prometheus-warnings",
			"PromQL warning: bucket label \"le\" is missing; "
			"remote read: timeout"},
		{"thanos-empty-warnings", NULL},
		{"victoriametrics-partial", "the answer is partial"},
		{"victoriametrics-not-partial", NULL},
	};
	struct metric_reading reading;
	struct err err;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		memset(&reading, 'x', sizeof(reading));
		assert_int_equal(
			decode_corpus(rows[i].name, 200, &reading, &err), 0);
		if (rows[i].warnings)
			assert_string_equal(reading.warnings, rows[i].warnings);
		else
			assert_null(reading.warnings);
		xfree(&reading.warnings);
	}
}

static void an_answer_says_whether_it_is_incomplete(void **state)
{
	static const struct {
		const char *more;
		bool partial;
	} rows[] = {
		{"", false},
		{",\"warnings\":null", false},
		{",\"warnings\":[]", false},
		{",\"warnings\":[\"PromQL warning: le is missing\"]", false},
		{",\"warnings\":[\"PromQL info: a gauge?\"]", false},
		{",\"infos\":[\"store a did not answer\"]", false},
		{",\"warnings\":[\"store a did not answer\"]", true},
		{",\"warnings\":[\"PromQL warning: x\",\"remote read\"]", true},
		{",\"warnings\":[7]", true},
		{",\"isPartial\":false", false},
		{",\"isPartial\":true", true},
	};
	static const char *const results[] = {
		"[{\"metric\":{},\"value\":[1,\"0.5\"]}]", "[]", "null"};
	struct metric_reading reading;
	struct err err;
	char *json;

	for (size_t i = 0; i < N(rows) * N(results); i++) {
		json = xasprintf("{\"status\":\"success\",\"data\":{"
				 "\"resultType\":\"vector\",\"result\":%s}%s}",
			results[i % N(results)], rows[i / N(results)].more);
		if (answer_decode(200, json, strlen(json), &reading, &err) < 0)
			fail_msg("%s: %s", json, err.text);
		if (reading.answer.partial != rows[i / N(results)].partial)
			fail_msg("%s", json);
		assert_int_equal(reading.answer.kind,
			i % N(results) ? ANSWER_NO_DATA : ANSWER_VALUE);
		assert_true(reading.answer.value == (i % N(results) ? 0 : 0.5));
		xfree(&reading.warnings);
		xfree(&json);
	}
}

/* What it means is not known: then it is not taken for a whole one. */
static void what_may_say_that_it_is_incomplete_is_no_answer(void **state)
{
	static const char *const more[] = {"\"isPartial\":\"true\"",
		"\"isPartial\":1", "\"isPartial\":[]", "\"warnings\":\"x\""};
	struct metric_reading reading;
	struct err err;
	char *json;

	for (size_t i = 0; i < N(more); i++) {
		json = xasprintf("{\"status\":\"success\",\"data\":{"
				 "\"resultType\":\"vector\",\"result\":"
				 "[{\"metric\":{},\"value\":[1,\"0.5\"]}]},%s}",
			more[i]);
		assert_int_equal(
			answer_decode(200, json, strlen(json), &reading, &err),
			-1);
		assert_int_equal(err.code, ERR_PROTOCOL);
		xfree(&json);
	}
}

static void many_warnings_are_cut_between_characters(void **state)
{
	char json[8192] = "{\"status\":\"success\",\"data\":{\"resultType\":"
			  "\"scalar\",\"result\":[1,\"0\"]},\"warnings\":[";
	struct metric_reading reading;
	struct err err;
	int i;

	for (i = 0; i < 1000; i++)
		strcat(json, i ? ",\"ä\"" : "\"a\"");
	strcat(json, "]}");
	assert_int_equal(
		answer_decode(200, json, strlen(json), &reading, &err), 0);
	assert_non_null(strstr(reading.warnings, "ä; and 984 more"));
	xfree(&reading.warnings);

	json[strlen(json) - 2] = '\0';
	*strstr(json, "\"a\"") = '\0';
	strcat(json, "\"");
	for (i = 0; i < 1500; i++)
		strcat(json, "ä");
	strcat(json, "\"]}");
	assert_int_equal(
		answer_decode(200, json, strlen(json), &reading, &err), 0);
	assert_int_equal(strlen(reading.warnings), WARNINGS_BYTES_MAX - 2);
	xfree(&reading.warnings);
}

static void failures_tell_who_is_to_blame(void **state)
{
	/* long: a table */
	static const struct {
		int status;
		const char *name;
		enum err_code code;
		const char *text; /* a part of the message */
	} rows[] = {
		{400, "prometheus-bad-data", ERR_INVALID,
			"the query is refused (HTTP 400, bad_data): invalid "
			"parameter \"query\": 1:10: parse error"},
		{422, "prometheus-execution", ERR_INVALID, "too many samples"},
		{503, "prometheus-timeout", ERR_TIMEOUT, "timed out"},
		{500, "prometheus-unavailable", ERR_UNAVAILABLE, "not ready"},
		{500, "prometheus-internal", ERR_UNAVAILABLE, "expanding"},
		{499, "prometheus-canceled", ERR_UNAVAILABLE, "canceled"},
		{503, "prometheus-canceled", ERR_UNAVAILABLE, "canceled"},
		{503, "prometheus-starting", ERR_UNAVAILABLE,
			"HTTP 503 with \"Service Unavailable\""},
		{200, "prometheus-bad-data", ERR_INVALID, "parse error"},
		{200, "prometheus-matrix", ERR_INVALID, "rate()"},
		{200, "prometheus-string", ERR_INVALID, "a string"},
		{200, "prometheus-histogram", ERR_INVALID,
			"histogram_quantile()"},
		{429, "mimir-too-many", ERR_THROTTLED, "outstanding"},
		{401, "mimir-no-org", ERR_AUTH,
			"with \"no org id\\n\"; check metrics.auth"},
		{422, "mimir-limit", ERR_INVALID, "chunks"},
		{422, "victoriametrics-422", ERR_INVALID, "unparsed"},
		{503, "victoriametrics-503", ERR_UNAVAILABLE, "couldn't"},
		{400, "google-invalid", ERR_INVALID, "monitored_resource"},
		{401, "google-unauthenticated", ERR_AUTH, "UNAUTHENTICATED"},
		{403, "google-denied", ERR_DENIED, "PERMISSION_DENIED"},
		{429, "google-quota", ERR_THROTTLED, "Quota exceeded"},
		{403, "proxy-login-page", ERR_DENIED, "<!DOCTYPE"},
		{404, "proxy-login-page", ERR_NOT_FOUND,
			"it ends before /api/v1"},
		{302, "proxy-empty", ERR_PROTOCOL, "redirects"},
		{200, "proxy-login-page", ERR_PROTOCOL,
			"not JSON: \"<!DOCTYPE html>\\n<html>"},
		{200, "proxy-empty", ERR_PROTOCOL, "an empty body"},
		{204, "proxy-empty", ERR_PROTOCOL, "an empty body"},
		{200, "proxy-truncated", ERR_PROTOCOL, "ends too early"},
		{400, "proxy-login-page", ERR_PROTOCOL, "HTTP 400 with"},
		{502, "proxy-502", ERR_UNAVAILABLE, "502 Bad Gateway"},
		{504, "proxy-empty", ERR_TIMEOUT, "an empty body"},
		{413, "proxy-empty", ERR_LIMIT, "HTTP 413"},
		{418, "proxy-empty", ERR_PROTOCOL, "HTTP 418"},
		{200, "alien-json", ERR_PROTOCOL, "not one of Prometheus"},
		{200, "alien-array", ERR_PROTOCOL, "not one of Prometheus"},
		{200, "alien-duplicate-status", ERR_PROTOCOL, "not JSON"},
		{200, "alien-value-number", ERR_PROTOCOL, "[timestamp,"},
		{200, "alien-value-text", ERR_PROTOCOL, "\"0.5 \""},
		{200, "alien-value-nul", ERR_PROTOCOL, "not a number"},
		{200, "alien-value-three", ERR_PROTOCOL, "[timestamp,"},
		{200, "alien-no-data", ERR_PROTOCOL, "data.resultType"},
		{200, "alien-type", ERR_PROTOCOL, "\"tensor\\x1b\""},
		{200, "alien-series", ERR_PROTOCOL, "[timestamp,"},
		{200, "alien-vector-object", ERR_PROTOCOL, "not a list"},
		{200, "alien-warnings", ERR_PROTOCOL, "\"warnings\""},
		{200, "alien-deep", ERR_PROTOCOL, "not JSON"},
	};
	struct metric_reading reading;
	struct err err;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		if (decode_corpus(
			    rows[i].name, rows[i].status, &reading, &err) == 0)
			fail_msg("%s was accepted", rows[i].name);
		if (err.code != rows[i].code || !strstr(err.text, rows[i].text))
			fail_msg("%d %s: %s: %s", rows[i].status, rows[i].name,
				err_name(err.code), err.text);
	}
}

static void an_answer_that_is_too_long_is_not_read(void **state)
{
	size_t len = ANSWER_BYTES_MAX + 1;
	char *bytes = xcalloc(len + 1, 1);
	struct metric_reading reading;
	struct err err;

	memset(bytes, ' ', len);
	assert_int_equal(answer_decode(200, bytes, len, &reading, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	xfree(&bytes);
}

static void values_are_read_as_prometheus_writes_them(void **state)
{
	static const struct {
		const char *text;
		double value;
	} rows[] = {
		{"0", 0},
		{"-0", 0},
		{"0.5", 0.5},
		{"-12.25", -12.25},
		{"1e-07", 1e-07},
		{"1e+21", 1e+21},
		{"1.7976931348623157e+308", 1.7976931348623157e+308},
		{"5e-324", 5e-324},
		{"+Inf", INFINITY},
		{"Inf", INFINITY},
		{"-Inf", -INFINITY},
	};
	double value;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		assert_int_equal(sample_value_parse(rows[i].text,
					 strlen(rows[i].text), &value),
			0);
		assert_true(value == rows[i].value);
	}
	assert_int_equal(sample_value_parse("NaN", 3, &value), 0);
	assert_true(isnan(value));
}

static void other_spellings_are_not_values(void **state)
{
	static const char *const rows[] = {"", " 1", "1 ", "+1", "1.", ".5",
		"0x10", "1e", "1e+", "1,5", "1_000", "nan", "NAN", "nan(1)",
		"inf", "infinity", "1e999", "-1e999", "--1", "1e5.5", "-"};
	double value;
	size_t i;

	for (i = 0; i < N(rows); i++) {
		if (sample_value_parse(rows[i], strlen(rows[i]), &value) == 0)
			fail_msg("\"%s\" was accepted", rows[i]);
	}
	assert_int_equal(sample_value_parse("1\0x", 3, &value), -1);
}

static void a_locale_with_decimal_commas_changes_nothing(void **state)
{
	double value;

	if (!setlocale(LC_ALL, "de_DE.UTF-8"))
		skip();
	assert_int_equal(sample_value_parse("0.5", 3, &value), 0);
	assert_true(value == 0.5);
	setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_become_readings),
		cmocka_unit_test(warnings_are_joined_and_infos_are_not),
		cmocka_unit_test(an_answer_says_whether_it_is_incomplete),
		cmocka_unit_test(
			what_may_say_that_it_is_incomplete_is_no_answer),
		cmocka_unit_test(many_warnings_are_cut_between_characters),
		cmocka_unit_test(failures_tell_who_is_to_blame),
		cmocka_unit_test(an_answer_that_is_too_long_is_not_read),
		cmocka_unit_test(values_are_read_as_prometheus_writes_them),
		cmocka_unit_test(other_spellings_are_not_values),
		cmocka_unit_test(a_locale_with_decimal_commas_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
