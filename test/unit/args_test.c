/* SPDX-License-Identifier: Apache-2.0 */
/* Options from a table, did-you-mean, and what reaches a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/printable.h"
#include "base/suggest.h"
#include "cli/args.h"
#include "cli/output.h"

#define ARGV_MAX 12

struct values {
	const char *policy;
	struct text_list set;
	int64_t wait_ms;
	int jobs, format;
	bool adopt;
};

static const char *const formats[] = {"text", "json", NULL};

static const struct option_spec options[] = {
	{"policy", OPTION_TEXT, offsetof(struct values, policy), "FILE",
		"how to release"},
	{"set", OPTION_LIST, offsetof(struct values, set), "KEY=VALUE",
		"change the policy for this run, several times if need be, "
		"which is long enough to be wrapped"},
	{"wait", OPTION_DURATION, offsetof(struct values, wait_ms), "TIME",
		"how long"},
	{"jobs", OPTION_INT, offsetof(struct values, jobs), "N", "at once",
		.min = 1, .max = 8},
	{"format", OPTION_CHOICE, offsetof(struct values, format), NULL,
		"how results are printed", formats},
	{"adopt", OPTION_FLAG, offsetof(struct values, adopt), NULL,
		"accept a split"},
	{0},
};

/* Splits `line` at blanks into a changeable argv. */
static int parse(
	char *line, struct values *values, char **argv, struct err *err)
{
	char *save = NULL, *word = strtok_r(line, " ", &save);
	int argc = 0;

	for (; word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	argv[argc] = NULL;
	*values = (struct values){.jobs = 3};
	if (args_parse(options, values, &argc, argv, err))
		return -1;
	return argc;
}

static void options_and_arguments_mix(void **state)
{
	char line[] = "run --policy=a=b one --wait 1m30s --adopt --set x "
		      "--jobs 8 --set=y --format json - -- --two";
	char *argv[ARGV_MAX * 2];
	struct values values;
	struct err err;

	assert_int_equal(parse(line, &values, argv, &err), 4);
	assert_string_equal(values.policy, "a=b");
	assert_int_equal(values.wait_ms, 90000);
	assert_int_equal(values.jobs, 8);
	assert_int_equal(values.format, 1);
	assert_int_equal(values.set.n, 2);
	assert_string_equal(values.set.item[1], "y");
	assert_true(values.adopt);
	assert_string_equal(argv[1], "one");
	assert_string_equal(argv[2], "-");
	assert_string_equal(argv[3], "--two");
}

static void what_is_not_given_keeps_its_value(void **state)
{
	char line[] = "run", *argv[ARGV_MAX];
	struct values values;
	struct err err;

	assert_int_equal(parse(line, &values, argv, &err), 1);
	assert_int_equal(values.jobs, 3);
	assert_null(values.policy);
}

static void bad_options_are_refused_by_name(void **state)
{
	static const struct {
		const char *line, *text;
	} rows[] = {
		{"run --polcy x", "did you mean --policy?"},
		{"run --zzzzzz", "unknown option \"--zzzzzz\""},
		{"run -p", "two dashes"},
		{"run --policy", "--policy needs a value: --policy FILE"},
		{"run --policy --adopt", "--policy needs a value"},
		{"run --policy a --policy b", "--policy is given twice"},
		{"run --adopt=yes", "--adopt takes no value"},
		{"run --jobs 9", "a whole number from 1 to 8"},
		{"run --jobs 2x", "a whole number"},
		{"run --jobs 99999999999999999999", "a whole number"},
		{"run --wait 5", "--wait: \"5\" is not a duration"},
		{"run --format yaml", "one of text, json"},
		{"run --=x", "unknown option"},
	};
	char line[128], *argv[ARGV_MAX];
	struct values values;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(line, rows[i].line);
		assert_int_equal(parse(line, &values, argv, &err), -1);
		assert_int_equal(err.code, ERR_USAGE);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: %s", rows[i].line, err.text);
	}
}

static void lists_have_an_end(void **state)
{
	char word[] = "--set=x", verb[] = "run";
	char *argv[ARGS_LIST_MAX + 2];
	int argc = ARGS_LIST_MAX + 2, i;
	struct values values = {0};
	struct err err;

	argv[0] = verb;
	for (i = 1; i < argc; i++)
		argv[i] = word;
	assert_int_equal(args_parse(options, &values, &argc, argv, &err), -1);
}

static void help_is_not_the_value_of_an_option(void **state)
{
	char verb[] = "run", help[] = "--help", set[] = "--set", h[] = "-h",
	     end[] = "--";
	char *const asked[] = {verb, help}, *const value[] = {verb, set, h},
		    *const after[] = {verb, end, help};

	assert_true(args_want_help(options, 2, asked));
	assert_false(args_want_help(options, 3, value));
	assert_false(args_want_help(options, 3, after));
}

static void help_is_wrapped_at_80_columns(void **state)
{
	const char *line, *end;
	struct buf out;

	buf_init(&out, 4096);
	args_print_options(options, &out);
	assert_non_null(strstr(out.data, "  --format text|json      how"));
	for (line = out.data; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_true(end - line <= 80);
		assert_true(end == line || end[-1] != ' ');
	}
	buf_fini(&out);
}

static void slips_of_the_finger_find_the_name(void **state)
{
	static const struct {
		const char *word, *best;
	} rows[] = {
		{"polcy", "policy"},
		{"ploicy", "policy"},
		{"POLICY", "policy"},
		{"pol", "policy"},
		{"steps", "stop"},
		{"x", NULL},
		{"", NULL},
		{"nothing-like-it", NULL},
		{"pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp"
		 "pppppppppp",
			NULL},
	};
	struct suggest s;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		s = (struct suggest){.word = rows[i].word};
		suggest_try(&s, "policy");
		suggest_try(&s, "stop");
		if (!rows[i].best)
			assert_null(s.best);
		else
			assert_string_equal(s.best, rows[i].best);
	}
	assert_int_equal(suggest_distance("abcd", "acbd"), 1);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static void what_a_terminal_would_obey_is_escaped(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"plain \\ text", "plain \\ text"},
		{"a\033[2Jb\a\x7f", "a\\x1b[2Jb\\x07\\x7f"},
		{"a\r\nb\tc", "a\\r\\nb\\tc"},
		{"gr\xc3\xbc\xc3\x9f \xe2\x86\x92 \xf0\x9f\x8c\x8a",
			"gr\xc3\xbc\xc3\x9f \xe2\x86\x92 \xf0\x9f\x8c\x8a"},
		{"\xc2\x9b", "\\u{9b}"},
		{"\xe2\x80\xae", "\\u{202e}"},
		{"\xff\xc3", "\\xff\\xc3"},
		{"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"},
		{"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
	};
	struct buf out;
	size_t i;

	buf_init(&out, 256);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		printable_add(&out, rows[i].text);
		assert_string_equal(out.data, rows[i].shown);
	}
	buf_clear(&out);
	printable_add_lines(&out, "a\n\tb\r");
	assert_string_equal(out.data, "a\n\tb\\r");
	buf_fini(&out);
}

static void copies_are_cut_between_characters(void **state)
{
	static const struct {
		const char *text, *shown;
	} rows[] = {
		{"", ""},
		{"abcdefg", "abcdefg"},
		{"abcdefgh", "abcdefg"},
		{"abcdef\xc3\xbc", "abcdef"},
		{"abcde\xc3\xbc", "abcde\xc3\xbc"},
		{"abcde\xf0\x9f\x98\x80", "abcde"},
		{"\001\002", "\\x01\\x0"},
	};
	char shown[8];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		printable_copy(shown, sizeof(shown), rows[i].text);
		assert_string_equal(shown, rows[i].shown);
	}
}

static void tables_align_by_characters(void **state)
{
	static const char *const head[] = {"NAME", "PHASE"};
	static const char *const row[] = {"\xc3\xbc\xc3\xbc-\033", NULL};
	static const char *const last[] = {"x", "baking"};
	struct table table;
	struct buf out;

	table_init(&table, 2);
	table_add(&table, head);
	table_add(&table, row);
	table_add(&table, last);
	buf_init(&out, 256);
	table_print(&table, &out);
	assert_string_equal(out.data, "NAME     PHASE\n"
				      "\xc3\xbc\xc3\xbc-\\x1b  \n"
				      "x        baking\n");
	buf_fini(&out);
	table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_arguments_mix),
		cmocka_unit_test(what_is_not_given_keeps_its_value),
		cmocka_unit_test(bad_options_are_refused_by_name),
		cmocka_unit_test(lists_have_an_end),
		cmocka_unit_test(help_is_not_the_value_of_an_option),
		cmocka_unit_test(help_is_wrapped_at_80_columns),
		cmocka_unit_test(slips_of_the_finger_find_the_name),
		cmocka_unit_test(what_a_terminal_would_obey_is_escaped),
		cmocka_unit_test(copies_are_cut_between_characters),
		cmocka_unit_test(tables_align_by_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
