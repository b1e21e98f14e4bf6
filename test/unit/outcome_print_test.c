/* SPDX-License-Identifier: Apache-2.0 */
/* How a rollout ended, as JSON, as text and for GitHub's runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "status/outcome_print.h"

static const struct rollout_end promoted = {
	.rollout = "shop-20260101-000000-aaaa",
	.service = "projects/p/locations/r/services/shop",
	.candidate = "shop-2",
	.stable = "shop-1",
	.outcome = "promoted",
	.phase = "promoted",
	.reason = "every step | has \"passed\"\nreally",
	.time_ms = INT64_C(1767225600000),
	.seq = 42,
	.percent = 100,
	.actions_failed = 1,
};

static void it_is_one_line_of_json(void **state)
{
	struct buf out;

	buf_init(&out, 4096);
	outcome_print_json(&promoted, &out);
	assert_string_equal(out.data,
		"{\"time\":\"2026-01-01T00:00:00.000Z\","
		"\"rollout\":\"shop-20260101-000000-aaaa\",\"seq\":42,"
		"\"event\":\"finished\",\"phase\":\"promoted\","
		"\"percent\":100,\"outcome\":\"promoted\","
		"\"reason\":\"every step | has \\\"passed\\\"\\nreally\","
		"\"candidate\":\"shop-2\",\"stable\":\"shop-1\","
		"\"actions_failed\":1,\"exit\":0}\n");
	buf_fini(&out);
}

static void people_read_it_in_a_few_lines(void **state)
{
	struct buf out;

	buf_init(&out, 4096);
	outcome_print_text(&promoted, &out);
	assert_string_equal(out.data,
		"shop-20260101-000000-aaaa: promoted: every step | has "
		"\"passed\"\\nreally\n"
		"shop-2 serves 100 %, stable was shop-1\n"
		"1 action failed: see tidegate status "
		"shop-20260101-000000-aaaa\n");
	buf_fini(&out);
}

/* A reason with a newline must not become an output of its own. */
static void github_gets_outputs_and_a_summary(void **state)
{
	struct buf out;

	buf_init(&out, 4096);
	outcome_print_outputs(&promoted, &out);
	assert_non_null(strstr(out.data, "outcome=promoted\n"));
	assert_non_null(strstr(out.data, "exit=0\n"));
	assert_non_null(strstr(
		out.data, "reason=every step | has \"passed\"\\nreally\n"));
	buf_clear(&out);
	outcome_print_summary(&promoted, &out);
	assert_non_null(strstr(out.data, "### shop: promoted\n"));
	assert_non_null(strstr(out.data,
		"| reason | every step \\| has \"passed\"\\\\nreally |\n"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_one_line_of_json),
		cmocka_unit_test(people_read_it_in_a_few_lines),
		cmocka_unit_test(github_gets_outputs_and_a_summary),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
