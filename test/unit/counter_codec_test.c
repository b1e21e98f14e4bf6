/* SPDX-License-Identifier: Apache-2.0 */
/* Answers with many counters, and what is made of them. */
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
#include "metrics/counter_codec.h"
#include "metrics/past_table.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static struct arena arena;

static int setup(void **state)
{
	(void)state;
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

/* A body of the corpus that the fuzz target starts from, too. */
static char *read_corpus(const char *name, size_t *len_r)
{
	const char *srcdir = getenv("srcdir");
	const char *path = arena_printf(&arena,
		"%s/test/fuzz/corpus/counter/%s", srcdir ? srcdir : ".", name);
	char bytes[8192];
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("%s is missing", path);
	*len_r = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	return arena_strndup(&arena, bytes, *len_r);
}

static int decode_corpus(const char *name, int status,
	struct metric_reading *reading, struct err *err)
{
	size_t len;
	char *bytes = read_corpus(name, &len);
	const struct counter_reply reply = {status, bytes, len};

	return counter_decode(&reply, &arena, reading, err);
}

static void decode(const char *name, struct metric_reading *reading)
{
	struct err err;

	if (decode_corpus(name, 200, reading, &err) < 0)
		fail_msg("%s: %s", name, err.text);
}

static void series_come_in_the_order_of_their_labels(void **state)
{
	static const struct counter_sample rows[] = {
		{"{\"__name__\":\"http_requests_total\",\"code\":\"200\","
		 "\"instance\":\"a:80\"}",
			NAN, 1e6},
		{"{\"__name__\":\"http_requests_total\",\"code\":\"200\","
		 "\"instance\":\"b:80\"}",
			NAN, 1234},
		{"{\"__name__\":\"http_requests_total\",\"code\":\"500\","
		 "\"instance\":\"b:80\"}",
			NAN, 7},
	};
	struct metric_reading reading;
	size_t i;

	(void)state;
	decode("plain", &reading);
	assert_int_equal(reading.answer.kind, ANSWER_VALUE);
	assert_int_equal(reading.series, N(rows));
	for (i = 0; i < N(rows); i++) {
		assert_string_equal(
			reading.counters.sample[i].labels, rows[i].labels);
		assert_true(isnan(reading.counters.sample[i].le));
		assert_true(reading.counters.sample[i].value == rows[i].value);
	}
}

/* The other histogram has a NaN in a bucket: it has no fresh sample. */
static void bounds_are_numbers_and_no_labels(void **state)
{
	static const double le[] = {0.25, 0.5, INFINITY}, value[] = {5, 7, 9};
	struct metric_reading reading;
	size_t i;

	(void)state;
	decode("buckets", &reading);
	assert_int_equal(reading.counters.n, N(le));
	for (i = 0; i < N(le); i++) {
		assert_string_equal(reading.counters.sample[i].labels,
			"{\"__name__\":\"d_bucket\",\"instance\":\"a\"}");
		assert_true(reading.counters.sample[i].le == le[i]);
		assert_true(reading.counters.sample[i].value == value[i]);
	}
}

static void no_series_are_no_data(void **state)
{
	static const char *const names[] = {"empty", "null"};
	struct metric_reading reading;

	(void)state;
	for (size_t i = 0; i < N(names); i++) {
		decode(names[i], &reading);
		assert_int_equal(reading.answer.kind, ANSWER_NO_DATA);
		assert_int_equal(reading.counters.n, 0);
	}
}

static void members_come_in_any_order(void **state)
{
	struct metric_reading reading;

	(void)state;
	decode("late-type", &reading);
	assert_int_equal(reading.counters.n, 1);
	assert_true(reading.counters.sample[0].value == 3);
	decode("escapes", &reading);
	assert_int_equal(reading.counters.n, 1);
}

static void an_answer_says_whether_it_is_incomplete(void **state)
{
	struct metric_reading reading;

	(void)state;
	decode("partial", &reading);
	assert_true(reading.answer.partial);
	assert_string_equal(
		reading.warnings, "the answer is partial; store a is away");
	xfree(&reading.warnings);
	decode("infos", &reading);
	assert_false(reading.answer.partial);
	assert_null(reading.warnings);
}

static void what_is_no_counter_is_refused_with_a_remedy(void **state)
{
	static const struct {
		const char *name;
		int status;
		enum err_code code;
		const char *part;
	} rows[] = {
		{"native", 200, ERR_INVALID,
			"http_request_duration_seconds is a native histogram"},
		{"nameless", 200, ERR_INVALID, "without sum()"},
		{"gauge", 200, ERR_INVALID,
			"temperature has the value -3: it is no counter"},
		{"infinite", 200, ERR_INVALID, "it is no counter"},
		{"scalar", 200, ERR_INVALID, "ask for raw counters"},
		{"matrix", 200, ERR_INVALID, "without [5m]"},
		{"refused", 400, ERR_INVALID, "parse error"},
		{"refused", 200, ERR_INVALID, "parse error"},
		{"empty", 503, ERR_UNAVAILABLE, "HTTP 503"},
		{"html", 200, ERR_PROTOCOL, "not JSON"},
		{"cut", 200, ERR_PROTOCOL, "ends too early"},
		{"twins", 200, ERR_PROTOCOL, "a series is there twice"},
		{"twin-bounds", 200, ERR_PROTOCOL, "a series is there twice"},
		{"bad-bound", 200, ERR_PROTOCOL, "le is \"1s\""},
		{"bad-value", 200, ERR_PROTOCOL, "not a sample"},
		{"label-number", 200, ERR_PROTOCOL, "none with counters"},
		{"lost-value", 200, ERR_PROTOCOL, "lacks its metric or value"},
	};
	struct metric_reading reading;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		if (decode_corpus(
			    rows[i].name, rows[i].status, &reading, &err) == 0)
			fail_msg("%s was read", rows[i].name);
		assert_string_equal(err_name(err.code), err_name(rows[i].code));
		if (!strstr(err.text, rows[i].part))
			fail_msg("%s: %s", rows[i].name, err.text);
	}
	assert_int_equal(decode_corpus("label-twice", 200, &reading, &err), -1);
	assert_int_equal(decode_corpus("two-data", 200, &reading, &err), -1);
}

/* As many as are looked at, each with its labels; one more is refused. */
static void thousands_of_series_are_read_and_more_are_refused(void **state)
{
	struct metric_reading reading;
	struct counter_reply reply = {.status = 200};
	struct err err;
	struct buf text;

	(void)state;
	for (int n = COUNTER_SAMPLES_MAX; n <= COUNTER_SAMPLES_MAX + 1; n++) {
		buf_init(&text, 2 * COUNTER_BYTES_MAX);
		buf_adds(&text, "{\"status\":\"success\",\"data\":{"
				"\"resultType\":\"vector\",\"result\":[");
		for (int i = 0; i < n; i++)
			buf_addf(&text,
				"%s{\"metric\":{\"__name__\":\"a\",\"i\":"
				"\"%d\"},\"value\":[1,\"%d\"]}",
				i ? "," : "", i, i);
		buf_adds(&text, "]}}");
		reply.bytes = text.data;
		reply.len = text.len;
		if (n == COUNTER_SAMPLES_MAX) {
			assert_int_equal(
				counter_decode(&reply, &arena, &reading, &err),
				0);
			assert_int_equal(reading.counters.n, n);
		} else {
			assert_int_equal(
				counter_decode(&reply, &arena, &reading, &err),
				-1);
			assert_int_equal(err.code, ERR_INVALID);
		}
		buf_fini(&text);
	}
}

/* ---- two queries in one ---- */

static const char *const roles[] = {"total", "bad"};

static int decode_joint(
	const char *name, struct metric_reading *readings, struct err *err)
{
	size_t len;
	char *bytes = read_corpus(name, &len);
	const struct counter_reply reply = {
		200, bytes, len, false, roles, N(roles)};

	return counter_decode(&reply, &arena, readings, err);
}

/* The same series in both is one of each; a NaN is no sample of its own only.
 */
static void each_query_of_a_joint_one_has_its_series(void **state)
{
	static const char one[] = "{\"__name__\":\"a\",\"i\":\"1\"}";
	struct metric_reading readings[N(roles)];
	struct err err;

	(void)state;
	assert_int_equal(decode_joint("joint", readings, &err), 0);
	assert_int_equal(readings[0].series, 2);
	assert_int_equal(readings[0].answer.kind, ANSWER_VALUE);
	assert_true(readings[0].answer.value == 2);
	assert_true(readings[0].counters.sample[0].value == 5);
	assert_string_equal(readings[0].counters.sample[1].labels, one);
	assert_true(readings[0].counters.sample[1].value == 20);
	assert_int_equal(readings[1].counters.n, 1);
	assert_string_equal(readings[1].counters.sample[0].labels, one);
	assert_true(readings[1].counters.sample[0].value == 2);

	assert_int_equal(decode_joint("joint-escapes", readings, &err), 0);
	assert_int_equal(readings[0].answer.kind, ANSWER_NO_DATA);
	assert_int_equal(readings[0].counters.n, 0);
	assert_string_equal(readings[1].counters.sample[0].labels, one);

	assert_int_equal(decode_joint("empty", readings, &err), 0);
	assert_int_equal(readings[0].answer.kind, ANSWER_NO_DATA);
	assert_int_equal(readings[1].answer.kind, ANSWER_NO_DATA);
}

static void buckets_of_two_queries_are_kept_apart(void **state)
{
	static const double le[] = {0.5, INFINITY};
	static const double value[N(roles)][N(le)] = {{1, 4}, {6, 7}};
	struct metric_reading readings[N(roles)];
	struct err err;
	size_t role, i;

	(void)state;
	assert_int_equal(decode_joint("joint-buckets", readings, &err), 0);
	for (role = 0; role < N(roles); role++) {
		assert_int_equal(readings[role].counters.n, N(le));
		for (i = 0; i < N(le); i++) {
			assert_true(
				readings[role].counters.sample[i].le == le[i]);
			assert_true(readings[role].counters.sample[i].value ==
				    value[role][i]);
		}
	}
}

static void a_joint_answer_that_lacks_a_part_lacks_it_for_all(void **state)
{
	struct metric_reading readings[N(roles)];
	struct err err;

	(void)state;
	assert_int_equal(decode_joint("joint-partial", readings, &err), 0);
	assert_true(readings[0].answer.partial && readings[1].answer.partial);
	assert_string_equal(readings[0].warnings, "store a is away");
	assert_null(readings[1].warnings);
	xfree(&readings[0].warnings);
}

static void a_series_of_no_query_is_refused(void **state)
{
	static const struct {
		const char *name;
		enum err_code code;
		const char *part;
	} rows[] = {
		{"plain", ERR_PROTOCOL, "does not say which query"},
		{"joint-none", ERR_PROTOCOL, "does not say which query"},
		{"joint-stranger", ERR_PROTOCOL, "does not say which query"},
		{"joint-prefix", ERR_PROTOCOL, "does not say which query"},
		{"joint-empty-role", ERR_PROTOCOL, "does not say which query"},
		{"joint-role-number", ERR_PROTOCOL, "none with counters"},
		{"joint-role-twice", ERR_PROTOCOL, "not JSON"},
		{"joint-twins", ERR_PROTOCOL, "a series is there twice"},
		{"joint-gauge", ERR_INVALID, "g has the value -2"},
		{"refused", ERR_INVALID, "parse error"},
	};
	struct metric_reading readings[N(roles)];
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		if (decode_joint(rows[i].name, readings, &err) == 0)
			fail_msg("%s was read", rows[i].name);
		assert_string_equal(err_name(err.code), err_name(rows[i].code));
		if (!strstr(err.text, rows[i].part))
			fail_msg("%s: %s", rows[i].name, err.text);
	}
}

/* It is ours wherever it stands: a series is the same one in any answer. */
static void the_role_is_no_label_of_a_series(void **state)
{
	struct metric_reading reading;
	struct err err;

	(void)state;
	assert_int_equal(
		decode_corpus("joint-escapes", 200, &reading, &err), 0);
	assert_string_equal(reading.counters.sample[0].labels,
		"{\"__name__\":\"a\",\"i\":\"1\"}");
	assert_int_equal(decode_corpus("joint-prefix", 200, &reading, &err), 0);
	assert_string_equal(reading.counters.sample[0].labels,
		"{\"__name__\":\"a\",\"i\":\"1\"}");
}

/* ---- ranges ---- */

static int decode_range(const char *name, size_t from, size_t n,
	struct past_table *table, struct err *err)
{
	size_t len;
	char *bytes = read_corpus(name, &len);
	const struct counter_reply reply = {200, bytes, len};
	struct metric_reading reading;

	return counter_decode_range(&reply, from, n, table, &reading, err);
}

/* Two pieces of one grid, and a longer past before them. */
static void ranges_lie_on_a_grid(void **state)
{
	static const struct past_grid grid = {0, 30000, 8};
	const struct past_row *row;
	struct past_table table;
	struct err err;

	(void)state;
	past_table_init(&table, &grid);
	assert_int_equal(decode_range("range", 0, 4, &table, &err), 0);
	assert_int_equal(table.n, 2);
	past_table_extend(&table, 4);
	assert_int_equal(table.grid.start_ms, -4 * 30000);
	assert_int_equal(decode_range("range", 4, 4, &table, &err), 0);
	assert_int_equal(table.n, 2);
	row = &table.row[0];
	assert_non_null(strstr(row->labels, "\"i\":\"1\""));
	assert_true(isnan(row->values[3]) && isnan(row->values[6]));
	assert_true(row->values[4] == 3 && row->values[5] == 5);
	assert_true(row->values[7] == 9 && isnan(row->values[8]));
	past_table_fini(&table);
}

static void a_range_of_something_else_is_refused(void **state)
{
	static const struct {
		const char *name, *part;
	} rows[] = {
		{"range-off-grid", "lies where none was asked for"},
		{"range-native", "a is a native histogram"},
		{"plain", "no matrix"},
	};
	static const struct past_grid grid = {0, 30000, 4};
	struct past_table table;
	struct err err;

	(void)state;
	for (size_t i = 0; i < N(rows); i++) {
		past_table_init(&table, &grid);
		assert_int_equal(
			decode_range(rows[i].name, 0, 4, &table, &err), -1);
		if (!strstr(err.text, rows[i].part))
			fail_msg("%s: %s", rows[i].name, err.text);
		past_table_fini(&table);
	}
}

/* A gauge: a counter falls when its instance is restarted, and not often. */
static void what_falls_often_is_no_counter(void **state)
{
	static const struct past_grid grid = {0, 30000, 100};
	struct past_table table;
	double values[100];
	struct err err;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		past_table_init(&table, &grid);
		for (int i = 0; i < 100; i++)
			values[i] = kind ? i % 3 : i % 10;
		assert_int_equal(
			past_table_add(&table, "{}", NAN, values, 0, 100, &err),
			0);
		assert_true(
			(past_table_no_counter(&table) != NULL) == (kind == 1));
		past_table_fini(&table);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(series_come_in_the_order_of_their_labels),
		T(bounds_are_numbers_and_no_labels),
		T(no_series_are_no_data),
		T(members_come_in_any_order),
		T(an_answer_says_whether_it_is_incomplete),
		T(what_is_no_counter_is_refused_with_a_remedy),
		T(thousands_of_series_are_read_and_more_are_refused),
		T(each_query_of_a_joint_one_has_its_series),
		T(buckets_of_two_queries_are_kept_apart),
		T(a_joint_answer_that_lacks_a_part_lacks_it_for_all),
		T(a_series_of_no_query_is_refused),
		T(the_role_is_no_label_of_a_series),
		T(ranges_lie_on_a_grid),
		T(a_range_of_something_else_is_refused),
		T(what_falls_often_is_no_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
