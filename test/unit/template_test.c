/* {{templates}}: what is accepted, where an error is, how values are escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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
	struct err err;
	size_t at;

	for (size_t i = 0; i < ROWS(rows); i++)
		assert_int_equal(template_check(rows[i], &at, &err), 0);
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
	struct err err;
	size_t at;

	for (size_t i = 0; i < ROWS(rows); i++) {
		assert_int_equal(template_check(rows[i].text, &at, &err), -1);
		assert_int_equal(at, rows[i].at);
		assert_int_equal(err.code, ERR_POLICY);
		assert_non_null(strstr(err.text, rows[i].says));
	}
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
		cmocka_unit_test(values_are_escaped_for_where_they_go),
		cmocka_unit_test(values_are_not_rendered_again),
		cmocka_unit_test(a_text_tells_which_names_it_uses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
