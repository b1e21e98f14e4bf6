/* SPDX-License-Identifier: Apache-2.0 */
/* JSON pointers into answers: the table of RFC 6901 and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "action/expect_codec.h"

/* The example document of RFC 6901, section 5, and some values of ours. */
static const char document[] =
	"{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"m~n\":8,"
	"\" \":7,\"up\":true,\"no\":null,\"ratio\":1.0,\"deep\":{\"x\":[{}]}}";

static const struct {
	const char *pointer, *value;
	bool met;
} cases[] = {
	{"/foo", "[\"bar\",\"baz\"]", true},
	{"/foo/0", "\"bar\"", true},
	{"/foo/1", "\"bar\"", false},
	{"/foo/01", "\"baz\"", false},
	{"/foo/2", NULL, false},
	{"/foo/-", NULL, false},
	{"/foo/+1", NULL, false},
	{"/foo/99999999999", NULL, false},
	{"/", "0", true},
	{"/a~1b", "1", true},
	{"/c%d", "2", true},
	{"/m~0n", "8", true},
	{"/ ", "7", true},
	{"/up", "true", true},
	{"/up", "\"true\"", false},
	{"/no", NULL, true},
	{"/no", "null", true},
	{"/ratio", "1", true},
	{"/ratio", "1.5", false},
	{"/deep/x/0", "{}", true},
	{"/deep/x/0/y", NULL, false},
	{"/up/x", NULL, false},
	{"/absent", NULL, false},
	{"", NULL, true},
};

static void pointers_find_values(void **state)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct json_expect expect = {.pointer = cases[i].pointer,
			.exists = !cases[i].value,
			.value = cases[i].value};
		struct err err = {0};
		int rc;

		assert_int_equal(json_expect_check(&expect, &err), 0);
		rc = json_expect_meet(
			&expect, 1, document, strlen(document), &err);
		if ((rc == 0) != cases[i].met)
			fail_msg("%s = %s: %d %s", cases[i].pointer,
				cases[i].value, rc, err.text);
	}
}

static void what_is_there_instead_is_told(void **state)
{
	struct json_expect expects[] = {
		{.pointer = "/up", .value = "true"},
		{.pointer = "/m~0n", .value = "9"},
	};
	struct err err = {0};

	assert_int_equal(
		json_expect_meet(expects, 2, document, strlen(document), &err),
		-1);
	assert_int_equal(err.code, ERR_ACTION);
	assert_string_equal(err.text, "/m~0n is 8, expected 9");
}

static void an_answer_that_is_not_json_is_said_to_be_so(void **state)
{
	struct json_expect expect = {.pointer = "/a", .exists = true};
	struct err err = {0};

	assert_int_equal(json_expect_meet(&expect, 1, "<html>", 6, &err), -1);
	assert_string_equal(err.text, "the answer is not JSON");
	assert_int_equal(json_expect_meet(&expect, 0, "<html>", 6, &err), 0);
}

static void expectations_that_cannot_be_are_refused(void **state)
{
	static const struct json_expect bad[] = {
		{.pointer = "balance", .exists = true},
		{.pointer = "/a~2b", .exists = true},
		{.pointer = "/a~", .exists = true},
		{.pointer = "/a", .value = "{"},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		err.code = ERR_NONE;
		assert_int_equal(json_expect_check(&bad[i], &err), -1);
		assert_int_equal(err.code, ERR_POLICY);
	}
}

static void integers_of_any_size_are_json(void **state)
{
	static const char body[] =
		"{\"id\":18446744073709551615,\"small\":9007199254740993,"
		"\"deep\":[-99999999999999999999999],"
		"\"text\":\"18446744073709551616 \\\"\",\"huge\":1e999,"
		"\"low\":-1e999,\"tiny\":1e-999}";
	static const struct {
		struct json_expect expect;
		int rc;
	} rows[] = {
		{{"/id", false, "18446744073709551615", JSON_EQUALS}, 0},
		{{"/id", false, "18446744073709551615", JSON_LESS}, -1},
		{{"/id", false, "9223372036854775807", JSON_GREATER}, 0},
		{{"/id", false, "1", JSON_EQUALS}, -1},
		/* The others stay as exact as they were. */
		{{"/small", false, "9007199254740993", JSON_EQUALS}, 0},
		{{"/small", false, "9007199254740992", JSON_EQUALS}, -1},
		{{"/text", false, "\"18446744073709551616 \\\"\"", JSON_EQUALS},
			0},
		{{"/deep/0", false, "0", JSON_LESS}, 0},
		{{"/huge", false, "1e308", JSON_GREATER}, 0},
		{{"/low", false, "-1e308", JSON_LESS}, 0},
		{{"/tiny", false, "1e-300", JSON_LESS}, 0},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(json_expect_check(&rows[i].expect, &err), 0);
		assert_int_equal(json_expect_meet(&rows[i].expect, 1, body,
					 sizeof(body) - 1, &err),
			rows[i].rc);
	}
	assert_int_equal(json_expect_meet(&rows[0].expect, 1,
				 "{18446744073709551615}", 22, &err),
		-1);
	assert_string_equal(err.text, "the answer is not JSON");
}

static void numbers_can_be_less_or_greater(void **state)
{
	static const char body[] = "{\"n\":5,\"text\":\"4\"}";
	static const struct {
		struct json_expect expect;
		int rc;
	} rows[] = {
		{{"/n", false, "6", JSON_LESS}, 0},
		{{"/n", false, "5.5", JSON_LESS}, 0},
		{{"/n", false, "5", JSON_LESS}, -1},
		{{"/n", false, "4", JSON_GREATER}, 0},
		{{"/n", false, "5", JSON_GREATER}, -1},
		{{"/text", false, "5", JSON_LESS}, -1},
		{{"/none", false, "5", JSON_LESS}, -1},
	};
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(json_expect_meet(&rows[i].expect, 1, body,
					 sizeof(body) - 1, &err),
			rows[i].rc);
	assert_int_equal(json_expect_meet(&rows[2].expect, 1, body,
				 sizeof(body) - 1, &err),
		-1);
	assert_string_equal(err.text, "/n is 5, expected less than 5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_of_any_size_are_json),
		cmocka_unit_test(numbers_can_be_less_or_greater),
		cmocka_unit_test(pointers_find_values),
		cmocka_unit_test(what_is_there_instead_is_told),
		cmocka_unit_test(an_answer_that_is_not_json_is_said_to_be_so),
		cmocka_unit_test(expectations_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
