/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions of a policy: what matches, what is refused, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "io/clock.h"
#include "policy/match.h"

static const struct {
	const char *pattern, *text;
	int found;
} cases[] = {
	{"healthy", "the service is healthy.", 1},
	{"healthy", "the service is ill.", 0},
	{"^ok$", "ok", 1},
	{"^ok$", "not ok", 0},
	{"\"status\":\\s*\"up\"", "{\"status\": \"up\"}", 1},
	{"", "", 1},
	{"(?i)HEALTHY", "Healthy", 1},
	{"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f Gott", 1},
	{"ok", "\xff\xfe ok \xc3", 1},
	{"\\x{ff}", "\xff", 0},
};

static void patterns_find_what_they_say(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = {0};
		int found = match_find(cases[i].pattern, cases[i].text,
			strlen(cases[i].text), &err);

		if (found != cases[i].found)
			fail_msg("\"%s\" in \"%s\": %d %s", cases[i].pattern,
				cases[i].text, found, err.text);
	}
}

static void a_bad_pattern_is_refused_with_its_place(void **state)
{
	struct err err = {0};

	assert_int_equal(match_check("a(b", &err), -1);
	assert_int_equal(err.code, ERR_POLICY);
	assert_non_null(strstr(err.text, "\"a(b\""));
	assert_non_null(strstr(err.text, "offset 3"));
	assert_int_equal(match_check("\\C", &err), -1);
	assert_int_equal(match_check("a{2,3}[0-9]+", &err), 0);
}

static void patterns_that_are_too_long_or_too_deep_are_refused(void **state)
{
	char *deep = xcalloc(1, 2 * (MATCH_NEST_MAX + 2) + 1);
	char *wide = xcalloc(1, MATCH_PATTERN_MAX + 2);
	struct err err = {0};

	memset(deep, '(', MATCH_NEST_MAX + 2);
	memset(deep + MATCH_NEST_MAX + 2, ')', MATCH_NEST_MAX + 2);
	memset(wide, 'a', MATCH_PATTERN_MAX + 1);
	assert_int_equal(match_check(deep, &err), -1);
	assert_int_equal(match_check(wide, &err), -1);
	free(deep);
	free(wide);
}

/* Without limits this one takes longer than the test may. */
static void a_match_that_explodes_is_given_up(void **state)
{
	char text[41] = {0};
	struct err err = {0};

	memset(text, 'a', 40);
	assert_int_equal(match_find("^(a+)+$x|^(a|a)*b", text, 40, &err), -1);
	assert_int_equal(err.code, ERR_LIMIT);
	assert_non_null(strstr(err.text, "simpler pattern"));
}

/* Each took seconds to hours when only the work from one place in the text was
 * limited. Processor time, with much room: sanitizers take their share. */
static void no_pattern_works_for_long_on_any_text(void **state)
{
	static const struct {
		const char *pattern, *end;
		size_t n;
	} hard[] = {
		{"x.*[yz]$", "", 50000},
		{"x.*[yz]$", "", 1000000},
		{"x*+y", "zy", 1000000},
		{"(x*)*y", "zy", 100000},
		{"\\w+\\s\\d", "", 1000000},
		{"(?s).*?.*?.*?q", "", 50000},
		{"(?>x*)y|z", "a", 1000000},
		/* A repeat fails without having moved. */
		{"x(?:.{40000}|a)y", "y", 39000},
		{"(?:(?=x{60000}y)x)*q", "zq", 100000},
		/* So does a back reference. */
		{"(x+)\\1y", "zy", 100000},
		{"(?(?=.*q)a|b)c|d", "q", 300000},
	};
	char *text;
	int64_t from_us;
	struct err err;

	for (size_t i = 0; i < sizeof(hard) / sizeof(hard[0]); i++) {
		text = xcalloc(1, hard[i].n + 3);
		memset(text, 'x', hard[i].n);
		memcpy(text + hard[i].n, hard[i].end, strlen(hard[i].end));
		from_us = clock_cpu_us();
		assert_int_equal(
			match_find(hard[i].pattern, text, strlen(text), &err),
			-1);
		assert_int_equal(err.code, ERR_LIMIT);
		assert_true(clock_cpu_us() - from_us < 1500000);
		free(text);
	}
}

/* A large page, and what people look for in one. */
static void simple_patterns_find_in_large_texts(void **state)
{
	static const char *const patterns[] = {"healthy", "(?i)HEALTHY",
		"\"status\": *\"healthy\"", "(?m)^.*healthy.*$",
		"(ok|healthy)"};
	struct buf text;
	struct err err;

	buf_init(&text, 2 * 1024 * 1024);
	while (text.len < 600000)
		buf_adds(&text, "<tr><td>a row of a table</td></tr>\n");
	buf_adds(&text, "{\"status\": \"healthy\"}");
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		assert_int_equal(
			match_find(patterns[i], text.data, text.len, &err), 1);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_find_what_they_say),
		cmocka_unit_test(a_bad_pattern_is_refused_with_its_place),
		cmocka_unit_test(
			patterns_that_are_too_long_or_too_deep_are_refused),
		cmocka_unit_test(a_match_that_explodes_is_given_up),
		cmocka_unit_test(no_pattern_works_for_long_on_any_text),
		cmocka_unit_test(simple_patterns_find_in_large_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
