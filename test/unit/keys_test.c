/* SPDX-License-Identifier: Apache-2.0 */
/* What is typed on the panel, and what a person gets by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/keys.h"

#define ALL ((1U << VERBS) - 1)

static struct keys keys;

static int setup(void **state)
{
	(void)state;
	memset(&keys, 0, sizeof(keys));
	return 0;
}

/* The last thing that was wanted. */
static enum keys_want type_with(
	const char *text, unsigned verbs, bool leave_asks)
{
	enum keys_want want = WANT_NOTHING;

	for (; *text; text++)
		want = keys_take(&keys, *text, true, verbs, leave_asks);
	return want;
}

static enum keys_want type(const char *text)
{
	return type_with(text, ALL, false);
}

static void a_decision_asks_for_a_comment(void **state)
{
	(void)state;
	assert_int_equal(type("a"), WANT_NOTHING);
	assert_int_equal(keys.asking, KEYS_COMMENT);
	assert_int_equal(type("looks good\r"), WANT_DECISION);
	assert_int_equal(keys.verb, VERB_APPROVE);
	assert_string_equal(keys.comment, "looks good");
	assert_int_equal(keys.asking, KEYS_NOTHING);
}

static void a_comment_may_be_empty_and_is_not_that_of_before(void **state)
{
	(void)state;
	assert_int_equal(type("plunch\n"), WANT_DECISION);
	assert_string_equal(keys.comment, "lunch");
	assert_int_equal(type("c\n"), WANT_DECISION);
	assert_int_equal(keys.verb, VERB_CONTINUE);
	assert_string_equal(keys.comment, "");
}

static void a_comment_is_edited_by_whole_characters(void **state)
{
	(void)state;
	type("a"
	     "gr\xc3\xbc\xe2\x82\xac"
	     "\x7f"
	     "\x7f"
	     "\b"
	     "o");
	assert_string_equal(keys.comment, "go");
	type("\x15"
	     "new");
	assert_string_equal(keys.comment, "new");
	type("\x7f\x7f\x7f\x7f\x7f");
	assert_string_equal(keys.comment, "");
}

static void a_comment_has_an_end(void **state)
{
	int i;

	(void)state;
	type("a");
	for (i = 0; i < 2 * KEYS_COMMENT_MAX; i++)
		type("x");
	assert_int_equal(strlen(keys.comment), KEYS_COMMENT_MAX - 1);
	assert_int_equal(type("\r"), WANT_DECISION);
}

/* No part of a character is left where there is no room for all of it. */
static void a_full_comment_ends_with_a_whole_character(void **state)
{
	int i;

	(void)state;
	type("a"
	     "xx");
	for (i = 0; i < KEYS_COMMENT_MAX; i++)
		type("\xe2\x82\xac");
	assert_int_equal((strlen(keys.comment) - 2) % 3, 0);
	assert_true(strlen(keys.comment) > KEYS_COMMENT_MAX - 5);
	/* What is shorter has room. */
	type("y");
	assert_int_equal(keys.comment[strlen(keys.comment) - 1], 'y');
}

static void escape_takes_the_question_back(void **state)
{
	(void)state;
	type("ano\033");
	assert_int_equal(keys.asking, KEYS_NOTHING);
	assert_int_equal(type("\r"), WANT_NOTHING);
}

static void an_abort_takes_a_second_key(void **state)
{
	(void)state;
	assert_int_equal(type("bbad\r"), WANT_NOTHING);
	assert_int_equal(keys.asking, KEYS_SURE);
	assert_int_equal(type("b"), WANT_DECISION);
	assert_int_equal(keys.verb, VERB_ABORT);
	assert_string_equal(keys.comment, "bad");
}

static void any_other_key_is_no_abort(void **state)
{
	const char *other;

	(void)state;
	for (other = "BynqaY\r "; *other; other++) {
		type("b\r");
		assert_int_equal(keys_take(&keys, *other, true, ALL, true),
			WANT_NOTHING);
		assert_int_equal(keys.asking, KEYS_NOTHING);
	}
}

static void what_would_not_be_taken_is_not_asked(void **state)
{
	(void)state;
	assert_int_equal(
		type_with("acb\r", 1U << VERB_PAUSE, false), WANT_NOTHING);
	assert_int_equal(keys.asking, KEYS_NOTHING);
	type_with("p", 1U << VERB_PAUSE, false);
	assert_int_equal(keys.asking, KEYS_COMMENT);
}

static void leaving_what_one_drives_takes_a_second_key(void **state)
{
	(void)state;
	assert_int_equal(type("q"), WANT_LEAVE);
	assert_int_equal(type_with("q", ALL, true), WANT_NOTHING);
	assert_int_equal(type_with("n", ALL, true), WANT_NOTHING);
	assert_int_equal(type_with("qq", ALL, true), WANT_LEAVE);
}

static void arrows_select(void **state)
{
	(void)state;
	assert_int_equal(type("\033[A"), WANT_UP);
	assert_int_equal(type("\033OB"), WANT_DOWN);
	assert_int_equal(type("k"), WANT_UP);
	assert_int_equal(type("j"), WANT_DOWN);
	/* Others of the kind are nothing, and none of their letters. */
	assert_int_equal(type("\033[5~"), WANT_NOTHING);
	assert_int_equal(type("\033[1;5C"), WANT_NOTHING);
	assert_int_equal(keys.asking, KEYS_NOTHING);
}

static void paste(const char *text)
{
	for (; *text; text++) {
		enum keys_want want = keys_take(&keys, *text, false, ALL, true);

		assert_int_not_equal(want, WANT_DECISION);
		assert_int_not_equal(want, WANT_LEAVE);
	}
}

static void a_paste_decides_nothing(void **state)
{
	(void)state;
	paste("approve it now\nplease\nq\nq\nb\n\nb");
	paste("\033[200~backend is fine\nb\033[201~");
	assert_int_equal(keys.asking, KEYS_NOTHING);
	/* Nor is the end of one the second key of an abort. */
	assert_int_equal(type("bwhy\r"), WANT_NOTHING);
	paste("bb");
	assert_int_equal(keys.asking, KEYS_NOTHING);
}

/* The comment itself may be one. */
static void a_comment_may_be_pasted(void **state)
{
	(void)state;
	assert_int_equal(type("p"), WANT_NOTHING);
	paste("it is about lunch time");
	assert_int_equal(type("\r"), WANT_DECISION);
	assert_string_equal(keys.comment, "it is about lunch time");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_decision_asks_for_a_comment),
		TEST(a_comment_may_be_empty_and_is_not_that_of_before),
		TEST(a_comment_is_edited_by_whole_characters),
		TEST(a_comment_has_an_end),
		TEST(a_full_comment_ends_with_a_whole_character),
		TEST(escape_takes_the_question_back),
		TEST(an_abort_takes_a_second_key),
		TEST(any_other_key_is_no_abort),
		TEST(what_would_not_be_taken_is_not_asked),
		TEST(leaving_what_one_drives_takes_a_second_key),
		TEST(arrows_select),
		TEST(a_paste_decides_nothing),
		TEST(a_comment_may_be_pasted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
