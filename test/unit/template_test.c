/* SPDX-License-Identifier: Apache-2.0 */
/* {{templates}}: what is accepted, where an error is, how values are escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/template.h"

#define ROWS(rows) (sizeof(rows) / sizeof((rows)[0]))

static void texts_with_known_names_are_accepted(void **state)
{
	static const char *const rows[] = {"", "no template", "{{candidate}}",
		"{{ candidate }}", "up{revision=\"{{revision}}\"}",
		"{\"a\": {\"b\": {{percent}}}}", "{\"a\": {\"b\": 1}}", "}}",
		"{{project}}{{region}}{{service}}{{stable}}{{candidate_url}}",
		"[{{window}}] {{rollout}} {{reason}}"};
	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(template_check(rows[i], NULL, NULL), 0);
}

/* What was told, one after the other: "at: text\n". */
static void tell(size_t at, const struct err *err, void *arg)
{
	assert_int_equal(err->code, ERR_POLICY);
	buf_addf(arg, "%zu: %s\n", at, err->text);
}

static void bad_templates_are_told_with_their_place(void **state)
{
	static const struct {
		const char *text;
		size_t at;
		const char *says;
	} rows[] = {
		{"{{canary}}", 0, "unknown template {{canary}}"},
		{"{{candidat}}", 0, "did you mean {{candidate}}?"},
		{"ab {{service}} {{windw}}", 15, "did you mean {{window}}?"},
		{"{{Candidate}}", 0, "did you mean {{candidate}}?"},
		{"a {{", 2, "never closed"},
		{"{{service", 0, "never closed"},
		{"{{service}", 0, "never closed"},
		{"{{}}", 0, "there are candidate"},
		{"{{{service}}}", 0, "unknown template {{{service}}"},
		{"{{\nservice}}", 0, "unknown template"},
	};
	struct buf told;

	buf_init(&told, 4096);
	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_clear(&told);
		assert_int_equal(template_check(rows[i].text, tell, &told), 1);
		assert_int_equal(atoi(told.data), rows[i].at);
		assert_non_null(strstr(told.data, rows[i].says));
	}
	buf_fini(&told);
}

static void every_bad_template_of_a_text_is_told(void **state)
{
	struct buf told;

	buf_init(&told, 4096);
	assert_int_equal(template_check("{{windo}} {{service}} {{ratio}} {{re",
				 tell, &told),
		3);
	assert_non_null(strstr(told.data,
		"0: unknown template {{windo}}: did you mean {{window}}?\n"
		"22: unknown template {{ratio}}: there are candidate"));
	assert_non_null(strstr(told.data, "\n32: this \"{{\" is never closed"));
	buf_fini(&told);
}

static void values_are_escaped_for_where_they_go(void **state)
{
	static const struct template_values values = {
		.candidate = "a\\b\"c\nd",
		.candidate_url = "https://a.b/?c=d e",
		.percent = "10",
		.reason = "5 > 1 % & \x1b \xc3\xa9",
	};
	static const struct {
		const char *text;
		enum template_escape escape;
		const char *rendered;
	} rows[] = {
		{"x", ESCAPE_NONE, "x"},
		{"x {{ percent }}% y", ESCAPE_NONE, "x 10% y"},
		{"{{candidate}}", ESCAPE_NONE, "a\\b\"c\nd"},
		{"{r=\"{{candidate}}\"}", ESCAPE_PROMQL,
			"{r=\"a\\\\b\\\"c\\nd\"}"},
		{"{{candidate_url}}/x?r={{reason}}", ESCAPE_URL,
			"https://a.b/?c=d e/x?r=5%20%3E%201%20%25%20%26%20"
			"%1B%20%C3%A9"},
		{"{\"r\": \"{{candidate}}{{reason}}\"}", ESCAPE_JSON,
			"{\"r\": \"a\\\\b\\\"c\\u000ad5 > 1 % & \\u001b "
			"\xc3\xa9\"}"},
		{"why={{reason}}&x={{candidate_url}}", ESCAPE_FORM,
			"why=5%20%3E%201%20%25%20%26%20%1B%20%C3%A9&x=https%3A"
			"%2F%2Fa.b%2F%3Fc%3Dd%20e"},
		{"<r a='{{candidate}}'>{{reason}}</r>", ESCAPE_XML,
			"<r a='a\\b&#34;c\nd'>5 &#62; 1 % &#38;   "
			"\xc3\xa9</r>"},
		{"k:{{candidate}}:{{candidate_url}}*", ESCAPE_GLOB,
			"k:a\\\\b\"c\nd:https://a.b/\\?c=d e*"},
		{"a/{{stable}}{{candidate_url}}.md", ESCAPE_PATH,
			"a/https:__a.b_?c=d e.md"},
		{"[{{stable}}]", ESCAPE_NONE, "[]"},
		{"{{percent}}{{percent}}", ESCAPE_NONE, "1010"},
	};
	struct buf out;

	buf_init(&out, 4096);
	for (size_t i = 0; i < ROWS(rows); i++) {
		buf_clear(&out);
		template_render(&out, rows[i].text, &values, rows[i].escape);
		assert_string_equal(out.data, rows[i].rendered);
	}
	buf_fini(&out);
}

/* A value that looks like a template is text, not another template. */
static void values_are_not_rendered_again(void **state)
{
	static const struct template_values values = {
		.reason = "{{candidate}}", .candidate = "c"};
	struct buf out;

	buf_init(&out, 4096);
	template_render(&out, "{{reason}}", &values, ESCAPE_NONE);
	assert_string_equal(out.data, "{{candidate}}");
	buf_fini(&out);
}

/* All texts of braces and a letter up to a length, before and after text that
 * is a template: each comes out as it is. */
static void literals_are_rendered_as_they_are(void **state)
{
	static const struct template_values values = {.candidate = "c"};
	static const char alphabet[] = "{}a";
	char literal[8], wanted[64];
	struct buf text, out;
	static const int all[] = {1, 3, 9, 27, 81, 243};
	int n, len;

	buf_init(&text, 4096);
	buf_init(&out, 4096);
	for (len = 0; len <= 5; len++)
		for (n = 0; n < all[len]; n++) {
			memset(literal, 0, sizeof(literal));
			for (int i = 0, rest = n; i < len; i++, rest /= 3)
				literal[i] = alphabet[rest % 3];
			buf_clear(&text);
			template_add_literal(&text, literal, strlen(literal));
			buf_adds(&text, "{{candidate}}");
			template_add_literal(&text, literal, strlen(literal));
			buf_clear(&out);
			template_render(&out, text.data, &values, ESCAPE_URL);
			snprintf(wanted, sizeof(wanted), "%sc%s", literal,
				literal);
			assert_string_equal(out.data, wanted);
		}
	buf_fini(&out);
	buf_fini(&text);
}

static void bodies_are_escaped_for_their_type(void **state)
{
	static const struct {
		const char *type;
		enum template_escape escape;
	} rows[] = {
		{"application/json", ESCAPE_JSON},
		{"application/vnd.api+JSON; charset=utf-8", ESCAPE_JSON},
		{"application/x-www-form-urlencoded", ESCAPE_FORM},
		{"text/xml", ESCAPE_XML},
		{"application/soap+xml; charset=utf-8", ESCAPE_XML},
		{"text/html", ESCAPE_XML},
		{"text/plain; charset=utf-8", ESCAPE_NONE},
	};

	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(
			template_escape_of(rows[i].type), rows[i].escape);
}

static void a_text_tells_which_names_it_uses(void **state)
{
	assert_true(template_uses("a {{stable}} {{ revision }}", "revision"));
	assert_false(template_uses("a {{stable}} revision", "revision"));
	assert_false(template_uses("{{candidate_url}}", "candidate"));
	assert_false(template_uses("{{revision", "revision"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_with_known_names_are_accepted),
		cmocka_unit_test(bad_templates_are_told_with_their_place),
		cmocka_unit_test(every_bad_template_of_a_text_is_told),
		cmocka_unit_test(literals_are_rendered_as_they_are),
		cmocka_unit_test(bodies_are_escaped_for_their_type),
		cmocka_unit_test(values_are_escaped_for_where_they_go),
		cmocka_unit_test(values_are_not_rendered_again),
		cmocka_unit_test(a_text_tells_which_names_it_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
