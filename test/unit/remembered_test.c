/* Series out of single checks: how long a value is taken to hold. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/remembered.h"

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

static void a_value_holds_until_the_next_check(void **state)
{
	struct remembered r = {.n = 0};

	remembered_add(&r, 102500, 0.5);
	remembered_add(&r, 104200, 7);
	remembered_add(&r, 104200, 8); /* not later: left out */
	assert_printed(&r,
		"[101.500,\"0.5\"],[102.500,\"0.5\"],[103.500,\"0.5\"],"
		"[104.200,\"7\"],[105.200,\"7\"],[106.200,\"7\"],"
		"[107.200,\"7\"],[108.200,\"NaN\"]");
	remembered_fini(&r);
}

static void nothing_is_known_after_a_check_that_had_no_value(void **state)
{
	struct remembered r = {.n = 0};

	remembered_add(&r, 100100, 1);
	remembered_add(&r, 101100, NAN);
	remembered_add(&r, 103000, 2);
	assert_printed(&r, "[100.000,\"1\"],[100.100,\"1\"],[101.100,\"NaN\"],"
			   "[102.100,\"NaN\"],[103.000,\"2\"],[104.000,\"2\"],"
			   "[105.000,\"2\"],[106.000,\"2\"],[107.000,\"NaN\"]");
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
			   "[117.500,\"2\"],[118.500,\"2\"],[119.500,\"2\"]");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_holds_until_the_next_check),
		cmocka_unit_test(
			nothing_is_known_after_a_check_that_had_no_value),
		cmocka_unit_test(
			checks_far_apart_leave_a_gap_and_the_span_ends),
		cmocka_unit_test(without_checks_there_is_no_series),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
