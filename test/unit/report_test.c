/* Pages: what comes from outside is text and nothing else. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"
#include "base/secret.h"
#include "report/page.h"

static const struct {
	const char *text, *html, *markdown;
} rows[] = {
	{"plain text", "plain text", "plain text"},
	{"error_rate of backend-1.2", "error_rate of backend-1.2",
		"error_rate of backend-1.2"},
	{"<script>alert('x')</script>",
		"&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;",
		"\\<script\\>alert('x')\\</script\\>"},
	{"a|b", "a|b", "a\\|b"},
	{"a\nb", "a\\nb", "a\\\\nb"},
	{"\"&", "&quot;&amp;", "\"\\&"},
	{"[x](y)", "[x](y)", "\\[x\\](y)"},
	{"# no heading", "# no heading", "\\# no heading"},
	{"_a_ `b` *c*", "_a_ `b` *c*", "\\_a\\_ \\`b\\` \\*c\\*"},
	{"hidden \xe2\x80\xae", "hidden \\u{202e}", "hidden \\\\u{202e}"},
};

static void texts_from_outside_are_escaped(void **state)
{
	struct buf out;

	buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_clear(&out);
		escape_html(&out, rows[i].text);
		assert_string_equal(out.data, rows[i].html);
		buf_clear(&out);
		escape_markdown(&out, rows[i].text);
		assert_string_equal(out.data, rows[i].markdown);
	}
	buf_fini(&out);
}

static void a_code_block_cannot_be_left(void **state)
{
	struct buf out;

	buf_init(&out, 4096);
	escape_markdown_code(&out, "a\n````\n# out");
	assert_string_equal(out.data, "`````\na\n````\n# out\n`````\n");
	buf_fini(&out);
}

/* Also one that escaping would have changed beyond recognition. */
static void secrets_are_masked_before_they_are_escaped(void **state)
{
	struct secret *secret = secret_new("p<ss&word", 9);
	struct buf out;

	buf_init(&out, 4096);
	escape_html(&out, "it was p<ss&word");
	assert_string_equal(out.data, "it was ***");
	buf_clear(&out);
	escape_markdown_code(&out, "p<ss&word");
	assert_string_equal(out.data, "```\n***\n```\n");
	buf_fini(&out);
	secret_free(&secret);
}

static int count(const char *text, const char *part)
{
	int n = 0;

	for (; (text = strstr(text, part)); text += strlen(part))
		n++;
	return n;
}

static void a_chart_shows_gaps_limits_and_breaches(void **state)
{
	static const struct chart_point points[] = {
		{0, 0.01, TONE_GOOD},
		{1000, NAN, TONE_WAIT},
		{2000, 0.02, TONE_GOOD},
		{3000, INFINITY, TONE_BAD},
	};
	static const struct chart_mark marks[] = {{2000, "a<b", TONE_BAD}};
	struct chart chart = {
		.title = "error-rate",
		.from_ms = 0,
		.to_ms = 4000,
		.points = points,
		.n_points = 4,
		.top = NAN,
		.limit = 0.05,
		.limit_label = "max 5%",
		.marks = marks,
		.n_marks = 1,
	};
	struct buf out;

	buf_init(&out, 65536);
	chart_svg(&chart, &out);
	assert_int_equal(count(out.data, "<path class=\"value\""), 2);
	assert_int_equal(count(out.data, "<circle"), 3);
	assert_int_equal(count(out.data, "circle class=\"bad\""), 1);
	assert_int_equal(count(out.data, "max 5%"), 1);
	assert_non_null(strstr(out.data, "a&lt;b"));
	assert_null(strstr(out.data, "nan"));
	buf_fini(&out);
}

static void a_chart_of_many_points_stays_small(void **state)
{
	static struct chart_point points[100000];
	struct chart chart = {.title = "long",
		.to_ms = 100000000,
		.points = points,
		.n_points = 100000,
		.top = NAN,
		.limit = NAN};
	struct buf out;

	for (int i = 0; i < 100000; i++)
		points[i] = (struct chart_point){
			i * 1000, i == 50001 ? 9 : i % 7 / 7.0, TONE_BAD};
	buf_init(&out, 1 << 20);
	chart_svg(&chart, &out);
	assert_false(out.overflow);
	assert_true(out.len < 100000);
	/* The one peak is not thinned away: the axis reaches it, and so does
	 * the line. */
	assert_non_null(strstr(out.data, ">10</text>"));
	assert_non_null(strstr(out.data, " 56.0"));
	buf_fini(&out);
}

static void charts_of_nothing_have_sound_numbers(void **state)
{
	struct chart chart = {.title = "", .top = NAN, .limit = NAN};
	struct buf out;

	buf_init(&out, 65536);
	chart_svg(&chart, &out);
	assert_null(strstr(out.data, "nan"));
	assert_null(strstr(out.data, "inf"));
	assert_non_null(strstr(out.data, "</svg>"));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_from_outside_are_escaped),
		cmocka_unit_test(a_code_block_cannot_be_left),
		cmocka_unit_test(secrets_are_masked_before_they_are_escaped),
		cmocka_unit_test(a_chart_shows_gaps_limits_and_breaches),
		cmocka_unit_test(a_chart_of_many_points_stays_small),
		cmocka_unit_test(charts_of_nothing_have_sound_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
