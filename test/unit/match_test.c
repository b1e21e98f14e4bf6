/* Regular expressions of a policy: what matches, what is refused, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_find_what_they_say),
		cmocka_unit_test(a_bad_pattern_is_refused_with_its_place),
		cmocka_unit_test(
			patterns_that_are_too_long_or_too_deep_are_refused),
		cmocka_unit_test(a_match_that_explodes_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
