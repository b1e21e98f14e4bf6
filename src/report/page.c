/* SPDX-License-Identifier: Apache-2.0 */
/* Markdown and HTML; see page.h. Knows nothing of what it writes about. */
#include "report/page.h"

#include <math.h>
#include <string.h>

#include "base/cells.h"
#include "base/escape.h"
#include "base/printable.h"
#include "report/page_css.h"

#define SHORT         12 /* characters of a cell that stays on one line */
#define COLUMNS_USUAL 8

static bool is_html(const struct page *page)
{
	return page->format == PAGE_HTML;
}

static void add(struct page *page, const char *text)
{
	if (is_html(page))
		escape_html(page->out, text);
	else
		escape_markdown(page->out, text);
}

static void wrap(struct page *page, const char *before, const char *text,
	const char *after)
{
	buf_adds(page->out, before);
	add(page, text);
	buf_adds(page->out, after);
}

static bool is_there(const char *text)
{
	return text && *text;
}

/* ---- the page ---- */

void page_begin(struct page *page, const char *title)
{
	if (!is_html(page))
		return;
	/* No script, and nothing is fetched from anywhere. */
	wrap(page,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset="
		"\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" "
		"content=\"default-src 'none'; style-src 'unsafe-inline'\">"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\"><title>",
		title, "</title><style>");
	buf_adds(page->out, chart_css);
	buf_adds(page->out, page_css);
	buf_adds(page->out, "</style></head><body><main>\n");
}

void page_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</main></body></html>\n");
}

static void banner_line(struct page *page, const char *class, const char *text)
{
	if (!is_there(text))
		return;
	if (is_html(page))
		buf_addf(page->out, "<p class=\"%s\">", class);
	else
		buf_addc(page->out, '\n');
	wrap(page, "", text, is_html(page) ? "</p>" : "\n");
}

void page_banner(struct page *page, const struct page_banner *banner)
{
	if (is_html(page)) {
		buf_addf(page->out, "<div class=\"banner %s\">",
			tone_name(banner->tone));
		wrap(page, banner->is_part ? "<h2>" : "<h1>", banner->title,
			banner->is_part ? "</h2>" : "</h1>");
	} else {
		wrap(page, banner->is_part ? "\n## " : "# ", banner->title,
			"\n");
	}
	banner_line(page, "reason", banner->reason);
	banner_line(page, "sentence", banner->sentence);
	banner_line(page, "about", banner->about);
	if (is_html(page))
		buf_adds(page->out, "</div>\n");
}

/* ---- facts ---- */

static void write_fact(struct page *page, const struct page_fact *fact)
{
	bool html = is_html(page);

	if (!is_there(fact->value))
		return;
	wrap(page, html ? "<div><dt>" : "- ", fact->name,
		html ? "</dt><dd>" : ": ");
	add(page, fact->value);
	if (is_there(fact->note))
		wrap(page, html ? " <small>" : " (", fact->note,
			html ? "</small>" : ")");
	buf_adds(page->out, html ? "</dd></div>" : "\n");
}

static void write_facts(struct page *page, const char *class,
	const struct page_fact *facts, size_t n)
{
	size_t i;

	if (is_html(page))
		buf_addf(page->out, "<dl class=\"%s\">", class);
	else
		buf_addc(page->out, '\n');
	for (i = 0; i < n; i++)
		write_fact(page, &facts[i]);
	if (is_html(page))
		buf_adds(page->out, "</dl>\n");
}

void page_tiles(struct page *page, const struct page_fact *facts, size_t n)
{
	write_facts(page, "tiles", facts, n);
}

void page_facts(struct page *page, const struct page_fact *facts, size_t n)
{
	write_facts(page, "facts", facts, n);
}

/* ---- texts ---- */

void page_heading(struct page *page, const char *text)
{
	if (is_html(page))
		wrap(page, "<h2>", text, "</h2>\n");
	else
		wrap(page, "\n## ", text, "\n");
}

void page_subheading(struct page *page, const char *text)
{
	if (is_html(page))
		wrap(page, "<h3>", text, "</h3>\n");
	else
		wrap(page, "\n### ", text, "\n");
}

void page_paragraph(struct page *page, enum tone tone, const char *text)
{
	if (is_html(page)) {
		buf_addf(page->out, "<p class=\"%s\">", tone_name(tone));
		wrap(page, "", text, "</p>\n");
	} else {
		wrap(page, "\n", text, "\n");
	}
}

void page_code(struct page *page, const char *text)
{
	if (is_html(page)) {
		buf_adds(page->out, "<pre>");
		escape_html_lines(page->out, text);
		buf_adds(page->out, "</pre>\n");
	} else {
		buf_addc(page->out, '\n');
		escape_markdown_code(page->out, text);
	}
}

void page_meters_begin(struct page *page)
{
	buf_adds(page->out, is_html(page) ? "<div class=\"meters\">\n" : "\n");
}

void page_meters_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</div>\n");
}

void page_meter(struct page *page, enum tone tone, const char *name,
	double share, const char *text)
{
	if (!is_html(page)) {
		wrap(page, "- ", name, ": ");
		wrap(page, "", text, "\n");
		return;
	}
	buf_addf(page->out, "<div class=\"meter %s\">", tone_name(tone));
	wrap(page, "<span class=\"name\">", name, "</span>");
	/* Where a page is served, it may have no styles inside. */
	buf_addf(page->out,
		"<svg class=\"bar\" width=\"100%%\" height=\"9\" "
		"aria-hidden=\"true\"><rect class=\"full\" width=\"100%%\" "
		"height=\"9\" rx=\"3\"/><rect width=\"%.0f%%\" "
		"height=\"9\" rx=\"3\"/></svg>",
		100 * fmin(fmax(share, 0), 1));
	wrap(page, "<span>", text, "</span></div>\n");
}

/* ---- lists ---- */

void page_list_begin(struct page *page)
{
	buf_adds(page->out, is_html(page) ? "<ul>\n" : "\n");
}

void page_item(struct page *page, const char *text)
{
	if (is_html(page))
		wrap(page, "<li>", text, "</li>\n");
	else
		wrap(page, "- ", text, "\n");
}

void page_list_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</ul>\n");
}

/* ---- tables ---- */

/* A key of a policy, which may be broken anywhere. */
static bool is_long_word(const char *head)
{
	return cells_width(head) > SHORT && !strchr(head, ' ');
}

static void begin_table(struct page *page, const char *class,
	const char *const *heads, size_t n)
{
	page->heads = heads;
	if (is_html(page)) {
		buf_addf(page->out, "<table class=\"%s\"><thead><tr>", class);
		for (size_t i = 0; i < n; i++)
			wrap(page,
				is_long_word(heads[i])
					? "<th scope=\"col\" class=\"long\">"
					: "<th scope=\"col\">",
				heads[i], "</th>");
		buf_adds(page->out, "</tr></thead><tbody>\n");
		return;
	}
	buf_adds(page->out, "\n|");
	for (size_t i = 0; i < n; i++)
		wrap(page, " ", heads[i], " |");
	buf_adds(page->out, "\n|");
	for (size_t i = 0; i < n; i++)
		buf_adds(page->out, " --- |");
	buf_addc(page->out, '\n');
}

void page_table_begin(struct page *page, const char *const *heads, size_t n)
{
	begin_table(page, n > COLUMNS_USUAL ? "cards wide" : "cards", heads, n);
}

void page_numbers_begin(struct page *page, const char *const *heads, size_t n)
{
	begin_table(page, "numbers", heads, n);
}

/* What a URL may hold as it is; the rest is written %XX. */
static void add_file(struct page *page, const char *file)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";

	buf_adds(page->out, "./");
	for (; *file; file++) {
		if (strchr(plain, *file))
			buf_addc(page->out, *file);
		else
			buf_addf(page->out, "%%%02X", (unsigned char)*file);
	}
}

static void write_link(struct page *page, const char *file, const char *text)
{
	if (is_html(page)) {
		buf_adds(page->out, "<a href=\"");
		add_file(page, file);
		wrap(page, "\">", text, "</a>");
	} else {
		wrap(page, "[", text, "](");
		add_file(page, file);
		buf_addc(page->out, ')');
	}
}

static void write_cell(
	struct page *page, size_t i, const char *file, const char *text)
{
	if (is_html(page)) {
		buf_adds(page->out, "<td");
		/* "1.2 %" is not broken, nor is a time. */
		if (strncmp(page->heads[i], "time", 4) == 0 ||
			(!file && cells_width(text) <= SHORT))
			buf_adds(page->out, " class=\"short\"");
		wrap(page, " data-head=\"", page->heads[i], "\">");
	} else {
		buf_addc(page->out, ' ');
	}
	if (file)
		write_link(page, file, text);
	else
		add(page, text);
	buf_adds(page->out, is_html(page) ? "</td>" : " |");
}

static void write_row(struct page *page, enum tone tone, const char *file,
	const char *const *cells, size_t n)
{
	if (is_html(page))
		buf_addf(page->out, "<tr class=\"%s\">", tone_name(tone));
	else
		buf_addc(page->out, '|');
	for (size_t i = 0; i < n; i++)
		write_cell(page, i, i ? NULL : file, cells[i] ? cells[i] : "");
	buf_adds(page->out, is_html(page) ? "</tr>\n" : "\n");
}

void page_row(
	struct page *page, enum tone tone, const char *const *cells, size_t n)
{
	write_row(page, tone, NULL, cells, n);
}

void page_row_link(struct page *page, enum tone tone, const char *file,
	const char *const *cells, size_t n)
{
	write_row(page, tone, file, cells, n);
}

void page_table_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</tbody></table>\n");
}

/* ---- what is folded, and charts ---- */

void page_fold_begin(struct page *page, const char *heading)
{
	if (is_html(page))
		wrap(page, "<details><summary><h2>", heading,
			"</h2></summary>\n");
	else
		page_heading(page, heading);
}

void page_fold_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</details>\n");
}

void page_chart(struct page *page, const struct chart *chart)
{
	if (is_html(page))
		chart_write(chart, page->out);
}
