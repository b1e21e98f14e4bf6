/* SPDX-License-Identifier: Apache-2.0 */
/* Pages: what comes from outside is text and nothing else. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/escape.h"
#include "base/secret.h"
#include "report/chart_scale.h"
#include "report/page.h"
#include "report/timeline_page.h"

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

static const char *print_percent(
	const void *arg, double value, char text[CHART_TEXT_MAX])
{
	snprintf(text, CHART_TEXT_MAX, "%g %%", 100 * value);
	return text;
}

static char *draw(const struct chart *chart)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	chart_write(chart, &out);
	assert_false(out.overflow);
	assert_null(strstr(out.data, "nan"));
	return buf_steal(&out);
}

static void a_chart_shows_gaps_limits_and_breaches(void **state)
{
	static const struct chart_point points[] = {
		{0, 0.01, 0.02, NAN, TONE_GOOD},
		{1000, NAN, NAN, NAN, TONE_WAIT},
		{2000, 0.02, 0.02, NAN, TONE_GOOD},
		{3000, INFINITY, 0.02, NAN, TONE_BAD},
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
		.limit_label = "max 5 %",
		.value_name = "candidate",
		.other_name = "stable",
		.decided = &points[3],
		.marks = marks,
		.n_marks = 1,
		.labels = true,
		.print = print_percent,
	};
	char *html = draw(&chart);

	/* Two parts of a line; stable's; one ring around the breach. */
	assert_int_equal(count(html, "<path class=\"value\""), 1);
	assert_int_equal(count(html, "M0.0 "), 2);
	assert_int_equal(count(html, "class=\"key other\">stable<"), 1);
	assert_int_equal(count(html, "<rect class=\"gap\" x=\"0.00%\""), 1);
	assert_int_equal(count(html, "<circle"), 4);
	assert_int_equal(count(html, "circle class=\"bad\""), 1);
	assert_int_equal(count(html, "circle class=\"ring\""), 1);
	assert_int_equal(count(html, "max 5 %"), 1);
	assert_int_equal(count(html, ">a&lt;b</text>"), 1);
	/* Three values at the axis, with their unit, and one is zero. */
	assert_int_equal(count(html, "text-anchor=\"end\">0 %</text>"), 1);
	assert_int_equal(count(html, "text-anchor=\"end\">3 %</text>"), 1);
	assert_int_equal(count(html, "text-anchor=\"end\">6 %</text>"), 1);
	free(html);
}

/* What the axis of values up to `value` looks like. */
static void expect_axis(double low, double high, const char *wanted)
{
	struct chart_point points[] = {{0, low, NAN, NAN, TONE_GOOD},
		{1000, high, NAN, NAN, TONE_GOOD}};
	struct chart chart = {.to_ms = 1000,
		.points = points,
		.n_points = 2,
		.top = NAN,
		.limit = NAN};
	struct chart_scale scale;
	char text[256] = "", tick[32];
	size_t i;

	chart_scale_make(&chart, &scale);
	for (i = 0; i < scale.n_ticks; i++) {
		snprintf(tick, sizeof(tick), "%s%g", i ? " " : "",
			scale.tick[i]);
		strcat(text, tick);
	}
	assert_string_equal(text, wanted);
	assert_true(scale.bottom <= low && scale.top >= high);
}

static void an_axis_has_zero_and_round_numbers(void **state)
{
	expect_axis(0, 0, "0 0.5 1");
	expect_axis(0, 0.00123, "0 0.0008 0.0016");
	expect_axis(0.2, 0.96, "0 0.5 1");
	expect_axis(400, 700, "0 400 800");
	expect_axis(-0.4, 0.9, "-0.5 0 0.5 1");
	expect_axis(-8, 0, "-10 -5 0");
	expect_axis(0, 1e300, "0 6e+299 1.2e+300");
}

/* However many there are, and wherever: on a telephone, too. */
static void labels_of_marks_do_not_cover_each_other(void **state)
{
	static struct chart_mark marks[60];
	struct chart chart = {
		.to_ms = 1000000, .marks = marks, .top = NAN, .limit = NAN};
	struct chart_labels labels;
	struct chart_scale scale;
	double end[CHART_LANES], from, width;
	int seed = 1, shown = 0;
	size_t i, round;

	for (round = 0; round < 200; round++) {
		chart.n_marks = round % 60 + 1;
		for (i = 0; i < chart.n_marks; i++) {
			seed = (int)((unsigned)seed * 1103515245U + 12345U);
			marks[i] = (struct chart_mark){
				(int64_t)i * 1000000 / (int64_t)chart.n_marks +
					(seed >> 16 & 0xfff),
				i % 3 ? "50 %" : "approved", TONE_PLAIN};
		}
		chart_scale_make(&chart, &scale);
		chart_labels_place(&chart, &scale, &labels);
		assert_true(labels.n_lanes <= CHART_LANES);
		memset(end, 0, sizeof(end));
		for (i = 0; i < chart.n_marks; i++) {
			double x = chart_scale_x(&scale, marks[i].time_ms);

			if (labels.lane[i] < 0)
				continue;
			/* As wide as letters are, of 290 pixels. */
			width = (double)strlen(marks[i].label) * 7.2 / 290;
			from = chart_label_is_left(x) ? x - width : x;
			assert_true(from >= end[labels.lane[i]] - 1e-9);
			end[labels.lane[i]] = from + width;
			shown++;
		}
	}
	assert_true(shown > 2000);
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
	char *html;

	for (int i = 0; i < 100000; i++)
		points[i] = (struct chart_point){i * 1000,
			i == 50001 ? 9 : i % 7 / 7.0, NAN, NAN, TONE_BAD};
	html = draw(&chart);
	assert_true(strlen(html) < 100000);
	/* The one peak is not thinned away: the axis reaches it, and so does
	 * the line. */
	assert_non_null(strstr(html, ">10</text>"));
	assert_non_null(strstr(html, " 23.0"));
	free(html);
}

static void charts_of_nothing_have_sound_numbers(void **state)
{
	struct chart chart = {.title = "", .top = NAN, .limit = NAN};
	char *html = draw(&chart);

	assert_non_null(strstr(html, "</figure>"));
	free(html);
}

/* Both formats say the same, in the same order. */
static void a_page_leaves_out_what_is_not_known(void **state)
{
	static const struct page_fact facts[] = {{"known", "1 %", "of <all>"},
		{"not", NULL, NULL}, {"nor", "", "x"}};
	struct page_banner banner = {.tone = TONE_BAD,
		.title = "a<b",
		.reason = "because",
		.sentence = ""};
	struct buf out;
	struct page page = {.format = PAGE_HTML, .out = &out};

	buf_init(&out, 65536);
	page_banner(&page, &banner);
	page_tiles(&page, facts, 3);
	assert_string_equal(out.data,
		"<div class=\"banner bad\"><h1>a&lt;b</h1>"
		"<p class=\"reason\">because</p></div>\n"
		"<dl class=\"tiles\"><div><dt>known</dt><dd>1 % "
		"<small>of &lt;all&gt;</small></dd></div></dl>\n");
	buf_clear(&out);
	page.format = PAGE_MARKDOWN;
	page_banner(&page, &banner);
	page_tiles(&page, facts, 3);
	assert_string_equal(out.data,
		"# a\\<b\n\nbecause\n\n- known: 1 % (of \\<all\\>)\n");
	buf_fini(&out);
}

#define HOUR_MS INT64_C(3600000)

/* Traffic of 20 % from the fifth hour of 1970 on, back at the end. */
static void expect_traffic(int64_t last_ms, const char *wanted)
{
	static const struct policy policy = {.n_slos = 0};
	struct timeline_data data;
	struct buf out;
	struct page page = {.format = PAGE_MARKDOWN, .out = &out};

	timeline_data_init(&data, &policy);
	buf_init(&out, 65536);
	data.first_ms = 4 * HOUR_MS;
	data.last_ms = last_ms;
	timeline_add_percent(&data, 5 * HOUR_MS, 20);
	timeline_add_percent(&data, last_ms, 0);
	timeline_write_traffic(&data, &page);
	assert_string_equal(out.data, wanted);
	buf_fini(&out);
	timeline_data_fini(&data);
}

static void times_of_several_days_have_dates(void **state)
{
	expect_traffic(6 * HOUR_MS,
		"\n## Traffic\n\n- 05:00:00 UTC: 20 %\n- 06:00:00 UTC: 0 %\n");
	expect_traffic(25 * HOUR_MS,
		"\n## Traffic\n\n- 1970-01-01 05:00:00 UTC: 20 %\n"
		"- 1970-01-02 01:00:00 UTC: 0 %\n");
}

static void a_link_leads_nowhere_else(void **state)
{
	static const char *const heads[] = {"recording"};
	static const char *const cells[] = {"\"><script>"};
	struct buf out;
	struct page page = {.format = PAGE_HTML, .out = &out};

	buf_init(&out, 65536);
	page_table_begin(&page, heads, 1);
	buf_clear(&out);
	page_row_link(&page, TONE_PLAIN, "javascript:x\"/..", cells, 1);
	assert_string_equal(out.data,
		"<tr class=\"plain\"><td data-head=\"recording\">"
		"<a href=\"./javascript%3Ax%22%2F..\">"
		"&quot;&gt;&lt;script&gt;</a></td></tr>\n");
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_from_outside_are_escaped),
		cmocka_unit_test(a_code_block_cannot_be_left),
		cmocka_unit_test(secrets_are_masked_before_they_are_escaped),
		cmocka_unit_test(a_chart_shows_gaps_limits_and_breaches),
		cmocka_unit_test(an_axis_has_zero_and_round_numbers),
		cmocka_unit_test(labels_of_marks_do_not_cover_each_other),
		cmocka_unit_test(a_chart_of_many_points_stays_small),
		cmocka_unit_test(charts_of_nothing_have_sound_numbers),
		cmocka_unit_test(a_page_leaves_out_what_is_not_known),
		cmocka_unit_test(times_of_several_days_have_dates),
		cmocka_unit_test(a_link_leads_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
