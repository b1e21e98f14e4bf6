/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a terminal's width: nothing is lost, no command is broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/wrap.h"

static struct buf out;

static const char *wrapped(const char *text, int columns, int indent)
{
	buf_clear(&out);
	wrap_add(&out, text, columns, indent);
	return out.data;
}

static int setup(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

static void lines_break_between_words(void **state)
{
	(void)state;
	assert_string_equal(
		wrapped("it reverts at noon unless it heals", 20, 2),
		"it reverts at noon\n  unless it heals\n");
	assert_string_equal(wrapped("", 20, 2), "\n");
	assert_string_equal(wrapped("it reverts at noon unless", 0, 2),
		"it reverts at noon unless\n");
}

static void a_command_is_never_broken(void **state)
{
	(void)state;
	assert_string_equal(
		wrapped("say `tidegate resume backend-1` now", 20, 0),
		"say\n`tidegate resume backend-1`\nnow\n");
	assert_string_equal(
		wrapped("a-word-that-is-wider-than-the-line x", 20, 0),
		"a-word-that-is-wider-than-the-line\nx\n");
}

static void width_is_in_characters_and_nothing_moves_the_cursor(void **state)
{
	(void)state;
	assert_string_equal(
		wrapped("\u00d7\u00d7\u00d7\u00d7\u00d7 "
			"\u00d7\u00d7\u00d7\u00d7 \u00d7\u00d7\u00d7"
			"\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7",
			20, 0),
		"\u00d7\u00d7\u00d7\u00d7\u00d7 \u00d7\u00d7\u00d7\u00d7 "
		"\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\u00d7\n");
	assert_string_equal(wrapped("a\nb\033[2J", 20, 0), "a\\nb\\x1b[2J\n");
}

static void piped_output_is_as_wide_as_columns_says(void **state)
{
	FILE *file = tmpfile();

	(void)state;
	unsetenv("COLUMNS");
	assert_int_equal(wrap_columns(file), 0);
	setenv("COLUMNS", "72", 1);
	assert_int_equal(wrap_columns(file), 72);
	setenv("COLUMNS", "3", 1);
	assert_int_equal(wrap_columns(file), WRAP_COLUMNS_MIN);
	setenv("COLUMNS", "wide", 1);
	assert_int_equal(wrap_columns(file), 0);
	unsetenv("COLUMNS");
	fclose(file);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(lines_break_between_words),
		T(a_command_is_never_broken),
		T(width_is_in_characters_and_nothing_moves_the_cursor),
		T(piped_output_is_as_wide_as_columns_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
