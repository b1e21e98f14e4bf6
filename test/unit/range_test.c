/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of query_range put together, and times as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/timestamp.h"
#include "metrics/range_codec.h"

#define ANSWER(result)                                                 \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\"," \
	"\"result\":[" result "]}}"

static int add(struct range *range, const char *json, struct err *err)
{
	return range_add(range, 200, json, strlen(json), err);
}

static void expect_print(const struct range *range, const char *text)
{
	struct buf out;

	buf_init(&out, 65536);
	range_print(range, &out);
	assert_string_equal(out.data, text);
	buf_fini(&out);
}

static void chunks_become_one_series_without_doubles(void **state)
{
	struct range range;
	struct err err;

	range_init(&range, RANGE_SERIES_MAX);
	assert_int_equal(add(&range, ANSWER(""), &err), 0);
	assert_int_equal(
		add(&range,
			ANSWER("{\"metric\":{\"b\":\"2\",\"a\":\"1\"},"
			       "\"values\":[[10,\"1e-07\"],[12.5,\"NaN\"]]}"),
			&err),
		0);
	assert_int_equal(
		add(&range,
			ANSWER("{\"metric\":{\"a\":\"1\",\"b\":\"2\"},"
			       "\"values\":[[12.5,\"3\"],[15,\"+Inf\"]]}"),
			&err),
		0);
	expect_print(&range,
		"{\"resultType\":\"matrix\",\"result\":[\n    {\"metric\":"
		"{\"a\":\"1\",\"b\":\"2\"},\"values\":[[10,\"1e-07\"],"
		"[12.500,\"NaN\"],[15,\"+Inf\"]]}]}");
	range_fini(&range);
}

static void what_is_no_matrix_of_samples_is_refused(void **state)
{
	static const struct {
		int status;
		const char *json, *error;
		enum err_code code;
	} rows[] = {
		{200, "", "empty body", ERR_PROTOCOL},
		{200, "{}", "not one of Prometheus", ERR_PROTOCOL},
		{200, "{\"status\":\"success\"}", "no data.resultType",
			ERR_PROTOCOL},
		{200,
			"{\"status\":\"success\",\"data\":{\"resultType\":"
			"\"vector\",\"result\":[]}}",
			"is a vector where", ERR_PROTOCOL},
		{200, ANSWER("{\"values\":[]}"), "usable \"metric\"",
			ERR_PROTOCOL},
		{200, ANSWER("{\"metric\":{}}"), "has no \"values\"",
			ERR_PROTOCOL},
		{200, ANSWER("{\"metric\":{},\"histograms\":[]}"),
			"native histograms", ERR_INVALID},
		{200, ANSWER("{\"metric\":{},\"values\":[[1,2]]}"),
			"is not [timestamp", ERR_PROTOCOL},
		{200, ANSWER("{\"metric\":{},\"values\":[[1,\"x\"]]}"),
			"is not [timestamp", ERR_PROTOCOL},
		{200, ANSWER("{\"metric\":{},\"values\":[[-1,\"1\"]]}"),
			"is not [timestamp", ERR_PROTOCOL},
		{400,
			"{\"status\":\"error\",\"errorType\":\"bad_data\","
			"\"error\":\"no\"}",
			"the query is refused", ERR_INVALID},
		{503, "busy", "HTTP 503", ERR_UNAVAILABLE},
	};
	struct range range;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		range_init(&range, RANGE_SERIES_MAX);
		if (range_add(&range, rows[i].status, rows[i].json,
			    strlen(rows[i].json), &err) == 0)
			fail_msg("row %zu was taken", i);
		if (!strstr(err.text, rows[i].error) ||
			err.code != rows[i].code)
			fail_msg("row %zu: %s", i, err.text);
		range_fini(&range);
	}
}

static void a_warning_of_the_provider_is_kept(void **state)
{
	struct range range;
	struct err err;

	range_init(&range, RANGE_SERIES_MAX);
	assert_int_equal(add(&range,
				 "{\"status\":\"success\",\"warnings\":"
				 "[\"a store\\u001b is gone\"],\"data\":{"
				 "\"resultType\":\"matrix\",\"result\":[]}}",
				 &err),
		0);
	assert_string_equal(range.warning, "a store\\x1b is gone");
	assert_true(range.partial);
	range_fini(&range);
}

static void a_remark_about_the_query_is_no_lack_of_data(void **state)
{
	struct range range;
	struct err err;

	range_init(&range, RANGE_SERIES_MAX);
	assert_int_equal(add(&range,
				 "{\"status\":\"success\",\"warnings\":"
				 "[\"PromQL warning: x\"],\"data\":{"
				 "\"resultType\":\"matrix\",\"result\":[]}}",
				 &err),
		0);
	assert_string_equal(range.warning, "PromQL warning: x");
	assert_false(range.partial);
	range_fini(&range);
}

static void a_list_that_is_null_is_empty(void **state)
{
	struct range range;
	struct err err;

	range_init(&range, RANGE_SERIES_MAX);
	assert_int_equal(add(&range,
				 "{\"status\":\"success\",\"warnings\":null,"
				 "\"data\":{\"resultType\":\"matrix\","
				 "\"result\":null}}",
				 &err),
		0);
	assert_int_equal(range.n, 0);
	assert_int_equal(add(&range,
				 "{\"status\":\"success\",\"data\":{"
				 "\"resultType\":\"matrix\",\"result\":["
				 "{\"metric\":{},\"values\":null}]}}",
				 &err),
		0);
	assert_int_equal(range.n, 0);
	range_fini(&range);
}

static void times_are_absolute_or_that_long_ago(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* -1: refused */
	} rows[] = {
		{"2026-01-01T00:00:00Z", INT64_C(1767225600000)},
		{"2026-01-01T01:00:00.5+01:00", INT64_C(1767225600500)},
		{"1767225600", INT64_C(1767225600000)},
		{"1767225600.25", INT64_C(1767225600250)},
		{"-2h", INT64_C(1767225600000) - 7200000},
		{"-1h30m", INT64_C(1767225600000) - 5400000},
		{"now", INT64_C(1767225600000)},
		{"yesterday", -1},
		{"", -1},
		{"-", -1},
		{"2h", -1},
		{"1e9", -1},
		{"99999999999999999", -1},
		{"1.2.3", -1},
	};
	struct err err;
	int64_t ms;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ms = -1;
		if (timestamp_parse_point(rows[i].text, INT64_C(1767225600000),
			    &ms, &err) < 0)
			ms = -1;
		if (ms != rows[i].ms)
			fail_msg("\"%s\" is %lld", rows[i].text, (long long)ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_become_one_series_without_doubles),
		cmocka_unit_test(what_is_no_matrix_of_samples_is_refused),
		cmocka_unit_test(a_warning_of_the_provider_is_kept),
		cmocka_unit_test(a_remark_about_the_query_is_no_lack_of_data),
		cmocka_unit_test(a_list_that_is_null_is_empty),
		cmocka_unit_test(times_are_absolute_or_that_long_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
