/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of what a Prometheus has: names come out as they are, and whatever is
 * no such list is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "metrics/listing_codec.h"

#define N(array)     (sizeof(array) / sizeof((array)[0]))
#define ANSWER(data) "{\"status\":\"success\",\"data\":" data "}"
#define MATRIX(list) ANSWER("{\"resultType\":\"matrix\",\"result\":[" list "]}")

static struct listing_reply reply_of(const char *json)
{
	return (struct listing_reply){200, json, strlen(json)};
}

static void series_have_their_labels(void **state)
{
	struct listing_reply reply = reply_of(
		ANSWER("[{\"__name__\":\"a_total\",\"x\":\"1\\n\\\"\"},{}]"));
	struct listing listing;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	assert_int_equal(
		listing_decode_series(&reply, &arena, &listing, &err), 0);
	assert_int_equal(listing.n, 2);
	assert_string_equal(
		listed_value(&listing.series[0], "__name__"), "a_total");
	assert_string_equal(listed_value(&listing.series[0], "x"), "1\n\"");
	assert_null(listed_value(&listing.series[0], "y"));
	assert_int_equal(listing.series[1].n, 0);
	arena_fini(&arena);
}

static void values_are_a_list_of_texts(void **state)
{
	struct listing_reply reply = reply_of(ANSWER("[\"0.1\",\"+Inf\"]"));
	const char *const *value;
	struct arena arena;
	struct err err;
	size_t n;

	arena_init(&arena);
	assert_int_equal(
		listing_decode_values(&reply, &arena, &value, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_string_equal(value[1], "+Inf");
	reply = reply_of(ANSWER("null"));
	assert_int_equal(
		listing_decode_values(&reply, &arena, &value, &n, &err), 0);
	assert_int_equal(n, 0);
	arena_fini(&arena);
}

/* One sample that is missing, or late, is not the rule. */
static void the_usual_gap_is_that_of_most_samples(void **state)
{
	static const struct {
		const char *json;
		int64_t gap_ms;
	} rows[] = {
		{MATRIX(""), 0},
		{MATRIX("{\"values\":[[10,\"1\"],[25,\"2\"]]}"), 0},
		{MATRIX("{\"values\":[[10,\"1\"],[25,\"2\"],[40,\"3\"]]}"),
			15000},
		{MATRIX("{\"values\":[[10,\"1\"],[25.5,\"2\"],[40.5,\"3\"],"
			"[85.5,\"4\"],[100.5,\"4\"]]}"),
			15000},
		{MATRIX("{\"values\":[[1,\"1\"]]},{\"values\":[[1,\"1\"],"
			"[31,\"2\"],[61,\"3\"]]},{\"values\":[[1,\"1\"],"
			"[11,\"2\"],[21,\"3\"]]}"),
			10000},
	};
	struct listing_reply reply;
	struct err err;
	int64_t gap_ms;

	for (size_t i = 0; i < N(rows); i++) {
		reply = reply_of(rows[i].json);
		assert_int_equal(listing_decode_gap(&reply, &gap_ms, &err), 0);
		assert_int_equal(gap_ms, rows[i].gap_ms);
	}
}

static void what_is_no_list_is_refused(void **state)
{
	enum what { SERIES, VALUES, GAP };
	static const struct {
		enum what what;
		const char *json, *error;
	} rows[] = {
		{SERIES, "", "empty body"},
		{SERIES, ANSWER("{}"), "no list of series"},
		{SERIES, ANSWER("[1]"), "is not its labels"},
		{SERIES, ANSWER("[{\"a\":1}]"), "no text"},
		{SERIES, ANSWER("[{\"a\":\"\\u0000\"}]"), ""},
		{VALUES, ANSWER("[1]"), "no text"},
		{VALUES, ANSWER("{}"), "no list"},
		{GAP, ANSWER("{}"), "no data.result"},
		{GAP, MATRIX("{}"), "no list"},
		{GAP, MATRIX("{\"values\":[[\"x\",\"1\"]]}"), "no time"},
		{GAP, MATRIX("{\"values\":[[2,\"1\"],[1,\"1\"]]}"),
			"not in order"},
		{GAP, MATRIX("{\"values\":[[1e300,\"1\"]]}"), "no time"},
	};
	struct listing_reply reply;
	const char *const *value;
	struct listing listing;
	struct arena arena;
	struct err err;
	int64_t gap_ms;
	size_t n;
	int rc;

	arena_init(&arena);
	for (size_t i = 0; i < N(rows); i++) {
		reply = reply_of(rows[i].json);
		rc = rows[i].what == SERIES ? listing_decode_series(&reply,
						      &arena, &listing, &err)
		     : rows[i].what == VALUES
			     ? listing_decode_values(
				       &reply, &arena, &value, &n, &err)
			     : listing_decode_gap(&reply, &gap_ms, &err);
		assert_int_equal(rc, -1);
		if (!strstr(err.text, rows[i].error))
			fail_msg("%s: %s", rows[i].json, err.text);
	}
	arena_fini(&arena);
}

static void errors_of_the_server_are_told(void **state)
{
	static const char json[] = "{\"status\":\"error\",\"errorType\":"
				   "\"bad_data\",\"error\":\"no match[]\"}";
	struct listing_reply reply = {400, json, sizeof(json) - 1};
	struct listing listing;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	assert_int_equal(
		listing_decode_series(&reply, &arena, &listing, &err), -1);
	assert_int_equal(err.code, ERR_INVALID);
	assert_non_null(strstr(err.text, "no match[]"));
	arena_fini(&arena);
}

static void what_is_too_long_is_refused(void **state)
{
	struct listing_reply reply = {200, "", LISTING_BYTES_MAX + 1};
	struct listing listing;
	struct arena arena;
	struct buf json;
	struct err err;

	arena_init(&arena);
	assert_int_equal(
		listing_decode_series(&reply, &arena, &listing, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	buf_init(&json, LISTING_BYTES_MAX);
	buf_adds(&json, "{\"status\":\"success\",\"data\":[{}");
	for (int i = 0; i < LISTING_SERIES_MAX; i++)
		buf_adds(&json, ",{}");
	buf_adds(&json, "]}");
	reply = (struct listing_reply){200, json.data, json.len};
	assert_int_equal(
		listing_decode_series(&reply, &arena, &listing, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	buf_fini(&json);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series_have_their_labels),
		cmocka_unit_test(values_are_a_list_of_texts),
		cmocka_unit_test(the_usual_gap_is_that_of_most_samples),
		cmocka_unit_test(what_is_no_list_is_refused),
		cmocka_unit_test(errors_of_the_server_are_told),
		cmocka_unit_test(what_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
