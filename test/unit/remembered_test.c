/* SPDX-License-Identifier: Apache-2.0 */
/* Series out of single checks: how long a value is taken to hold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/weave.h"

#define TEXT_MAX 4096

/* Steps of 1 s from 100 s to 120 s; a value holds for 4 s. */
static const struct remembered_grid grid = {100000, 120000, 1000, 4000};

static void assert_printed(
	const struct remembered *remembered, const char *samples)
{
	struct buf out, want;

	buf_init(&out, TEXT_MAX);
	buf_init(&want, TEXT_MAX);
	remembered_print(remembered, &grid, &out);
	buf_addf(&want,
		"{\"resultType\":\"matrix\",\"result\":[\n    "
		"{\"metric\":{},\"values\":[%s]}]}",
		samples);
	assert_string_equal(out.data, want.data);
	buf_fini(&out);
	buf_fini(&want);
}

static void a_value_changes_in_the_middle_between_two_checks(void **state)
{
	struct remembered r = {.n = 0};

	remembered_add(&r, 102500, 0.5);
	remembered_add(&r, 104200, 7);
	remembered_add(&r, 104200, 8); /* not later: left out */
	assert_printed(&r,
		"[100.500,\"0.5\"],[101.500,\"0.5\"],[102.500,\"0.5\"],"
		"[103.350,\"7\"],[104.350,\"7\"],[105.350,\"7\"],"
		"[106.350,\"7\"],[107.350,\"7\"],[108.200,\"NaN\"]");
	remembered_fini(&r);
}

static void nothing_is_known_after_a_check_that_had_no_value(void **state)
{
	struct remembered r = {.n = 0};

	remembered_add(&r, 100100, 1);
	remembered_add(&r, 101100, NAN);
	remembered_add(&r, 103000, 2);
	assert_printed(&r,
		"[100.000,\"1\"],[100.600,\"NaN\"],[101.600,\"NaN\"],"
		"[102.050,\"2\"],[103.050,\"2\"],[104.050,\"2\"],"
		"[105.050,\"2\"],[106.050,\"2\"],[107.000,\"NaN\"]");
	remembered_fini(&r);
}

static void checks_far_apart_leave_a_gap_and_the_span_ends(void **state)
{
	struct remembered r = {.n = 0};

	remembered_add(&r, 101000, 1);
	remembered_add(&r, 118500, 2);
	remembered_add(&r, 130000, 3);
	assert_printed(&r, "[100.000,\"1\"],[101.000,\"1\"],[102.000,\"1\"],"
			   "[103.000,\"1\"],[104.000,\"1\"],[105.000,\"NaN\"],"
			   "[116.500,\"2\"],[117.500,\"2\"],[118.500,\"2\"],"
			   "[119.500,\"2\"]");
	remembered_fini(&r);
}

static void without_checks_there_is_no_series(void **state)
{
	struct remembered r = {.n = 0};
	struct buf out;

	buf_init(&out, TEXT_MAX);
	remembered_print(&r, &grid, &out);
	assert_string_equal(
		out.data, "{\"resultType\":\"matrix\",\"result\":[]}");
	buf_fini(&out);
}

struct check {
	int64_t asked_ms;
	double value;
};

static void assert_woven(const char *values, const struct check *checks,
	size_t n, const char *woven)
{
	struct remembered r = {.n = 0};
	struct buf out;

	buf_init(&out, TEXT_MAX);
	for (size_t i = 0; i < n; i++)
		remembered_add(&r, checks[i].asked_ms, checks[i].value);
	weave(values, &r, &grid, &out);
	assert_string_equal(out.len ? out.data : "", woven);
	buf_fini(&out);
	remembered_fini(&r);
}

#define GRID "[100,\"1\"],[101,\"1\"],[102,\"2e0\"]"

static void what_the_past_says_too_is_not_woven_in(void **state)
{
	static const struct check same[] = {{99000, 7}, {100000, 1},
		{101700, 1}, {102000, 2}, {103999, 2}, {104000, NAN}};

	assert_woven(GRID, same, 6, GRID);
	assert_woven("", &(struct check){100500, NAN}, 1, "");
	assert_woven("[100,\"+Inf\"]", &(struct check){100500, INFINITY}, 1,
		"[100,\"+Inf\"]");
}

static void what_a_check_found_first_is_woven_in(void **state)
{
	static const struct check early[] = {{101800, 2}},
				  twice[] = {{101700, 1}, {101800, 2}},
				  gone[] = {{100500, NAN}},
				  late[] = {{104500, 5}, {105200, 6}},
				  last[] = {{119900, 5}, {125000, 6}};

	assert_woven(GRID, early, 1,
		"[100,\"1\"],[101,\"1\"],[101.400,\"2\"],[102,\"2e0\"]");
	assert_woven(GRID, twice, 2,
		"[100,\"1\"],[101,\"1\"],[101.750,\"2\"],[102,\"2e0\"]");
	assert_woven(GRID, gone, 1,
		"[100,\"1\"],[100.250,\"NaN\"],[101,\"1\"],[102,\"2e0\"]");
	/* It holds until the past is known again, or known to be nothing. */
	assert_woven(GRID, late, 2,
		GRID ",[104.250,\"5\"],[105.000,\"NaN\"],[105.100,\"6\"],"
		     "[106.000,\"NaN\"]");
	assert_woven(GRID, last, 2, GRID ",[119.450,\"5\"],[120.000,\"NaN\"]");
	assert_woven("", late, 1, "[104.250,\"5\"],[105.000,\"NaN\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_value_changes_in_the_middle_between_two_checks),
		cmocka_unit_test(
			nothing_is_known_after_a_check_that_had_no_value),
		cmocka_unit_test(
			checks_far_apart_leave_a_gap_and_the_span_ends),
		cmocka_unit_test(without_checks_there_is_no_series),
		cmocka_unit_test(what_the_past_says_too_is_not_woven_in),
		cmocka_unit_test(what_a_check_found_first_is_woven_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
