/* How a rollout ended, as JSON, as text and for GitHub's runner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/finished.h"

static const struct finished promoted = {
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
	finished_print_json(&promoted, &out);
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
	finished_print_text(&promoted, &out);
	assert_string_equal(out.data,
		"shop-20260101-000000-aaaa: promoted: every step | has "
		"\"passed\"\\nreally\n"
		"shop-2 serves 100 %, stable was shop-1\n"
		"1 action failed: see tidegate status "
		"shop-20260101-000000-aaaa\n");
	buf_fini(&out);
}

static void read_all(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t n;

	assert_non_null(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
}

/* A reason with a newline must not become an output of its own. */
static void github_gets_outputs_and_a_summary(void **state)
{
	char output[] = "/tmp/finished-output-XXXXXX";
	char summary[] = "/tmp/finished-summary-XXXXXX";
	char text[4096];

	close(mkstemp(output));
	close(mkstemp(summary));
	setenv("GITHUB_OUTPUT", output, 1);
	setenv("GITHUB_STEP_SUMMARY", summary, 1);
	finished_tell_github(&promoted);
	read_all(output, text, sizeof(text));
	assert_non_null(strstr(text, "outcome=promoted\n"));
	assert_non_null(strstr(text, "exit=0\n"));
	assert_non_null(
		strstr(text, "reason=every step | has \"passed\"\\nreally\n"));
	read_all(summary, text, sizeof(text));
	assert_non_null(strstr(text, "### shop: promoted\n"));
	assert_non_null(strstr(
		text, "| reason | every step \\| has \"passed\"\\\\nreally |\n"));
	unlink(output);
	unlink(summary);
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
