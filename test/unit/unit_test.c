/* SPDX-License-Identifier: Apache-2.0 */
/* Values for people: as the policy spells their limits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/check.h"
#include "policy/unit.h"

struct row {
	const char *limit, *unit; /* as the policy has them; NULL: not */
	double value;
	const char *text;
};

static void a_value_is_shown_as_its_limit_is_spelled(void **state)
{
	static const struct row rows[] = {
		{"5%", NULL, 0.148, "14.8 %"},
		{"5%", NULL, 0.05, "5 %"},
		{"5%", NULL, 0.0000123, "0.00123 %"},
		{"5%", NULL, 12.345, "1230 %"},
		{"500ms", NULL, 0.0737991, "73.8 ms"},
		{"500ms", NULL, 2.5, "2500 ms"},
		{"1.5s", NULL, 0.0737991, "0.0738 s"},
		{"1m30s", NULL, 94.18, "94.2 s"},
		{"2m", NULL, 90, "1.5 min"},
		{"3", NULL, 1.0 / 3, "0.333"},
		{"3", NULL, 0, "0"},
		{"3", NULL, -0.0, "0"},
		{"3", NULL, 100, "100"},
		{"3", NULL, 9.999, "10"},
		{"3", NULL, 1e20, "1e+20"},
		{"3", NULL, INFINITY, "infinite"},
		{"3", NULL, NAN, ""},
		{"3", "MiB", 1.5, "1.5 MiB"},
		{NULL, "m", 1.5, "1.5 m"},
	};
	char text[UNIT_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slo slo = {
			.texts.max = rows[i].limit, .unit = rows[i].unit};

		assert_string_equal(
			unit_print(&slo, rows[i].value, text), rows[i].text);
	}
}

static const char *judged(const struct slo *slo, double value, double baseline)
{
	static char text[CHECK_TEXT_MAX];
	struct check_state check = {0};
	struct answers answers = {
		.item = {[QUERY_VALUE] = {ANSWER_VALUE, value},
			[QUERY_BASELINE] = {ANSWER_VALUE, baseline}}};
	struct judgement j;

	check_judge(slo, &check, &answers, &j);
	return judgement_print(slo, &j, text);
}

static void a_comparison_says_what_its_limit_is_made_of(void **state)
{
	struct slo slo = {.has_max = true,
		.max = 0.5,
		.texts.max = "500ms",
		.compare_stable = true,
		.has_max_ratio = true,
		.max_ratio = 1.5};

	(void)state;
	assert_string_equal(judged(&slo, 0.0738, 0.04875),
		"73.8 ms > 73.1 ms (1.5 \u00d7 stable's 48.8 ms)");
	assert_string_equal(judged(&slo, 0.6, 0.5), "600 ms > max 500 ms");
	slo.compare_stable = false;
	slo.baseline = "b";
	slo.has_max_ratio = false;
	slo.has_max_increase = true;
	slo.max_increase = 0.01;
	assert_string_equal(judged(&slo, 0.0738, 0.04875),
		"73.8 ms > 58.8 ms (the baseline's 48.8 ms + 10 ms)");
}

/* "5 % > max 5 %" would be wrong to whoever reads it. */
static void what_differs_looks_different(void **state)
{
	struct slo slo = {.has_max = true, .max = 0.05, .texts.max = "5%"};

	(void)state;
	assert_string_equal(judged(&slo, 0.05004, 0), "5.004 % > max 5 %");
	assert_string_equal(judged(&slo, 0.05, 0), "5 % <= max 5 %");
}

static void requests_are_whole(void **state)
{
	char text[UNIT_TEXT_MAX];

	(void)state;
	assert_string_equal(unit_print_count(4452.3, text), "4452");
	assert_string_equal(unit_print_count(15.623, text), "15.6");
	assert_string_equal(unit_print_count(0, text), "0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_shown_as_its_limit_is_spelled),
		cmocka_unit_test(a_comparison_says_what_its_limit_is_made_of),
		cmocka_unit_test(what_differs_looks_different),
		cmocka_unit_test(requests_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
