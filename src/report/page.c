/* Markdown and HTML; see page.h. Knows nothing of what it writes about. */
#include "report/page.h"

#include "base/escape.h"

static const char page_css[] =
	"body{margin:0 auto;max-width:60rem;padding:1.5rem;background:"
	"var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}"
	"h1{font-size:1.5rem;margin:.2rem 0 1rem}h2{font-size:1.1rem;"
	"margin:2rem 0 .5rem}"
	"p.good,p.bad,p.wait,p.plain{padding:.6rem .9rem;border-left:4px solid "
	"var(--line);background:var(--soft)}"
	"p.good{border-color:var(--good)}p.bad{border-color:var(--bad)}"
	"p.wait{border-color:var(--wait)}"
	".wide{overflow-x:auto}table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;vertical-align:top;padding:.3rem .7rem .3rem 0;"
	"border-bottom:1px solid var(--line);overflow-wrap:anywhere}"
	"th{color:var(--dim);font-weight:600}"
	"td:first-child{white-space:nowrap}"
	"tr.bad td:first-child{box-shadow:inset 3px 0 var(--bad);"
	"padding-left:.5rem}"
	"tr.good td:first-child{box-shadow:inset 3px 0 var(--good);"
	"padding-left:.5rem}"
	"tr.wait td:first-child{box-shadow:inset 3px 0 var(--wait);"
	"padding-left:.5rem}"
	"pre{background:var(--soft);padding:.7rem .9rem;overflow-x:auto;"
	"white-space:pre-wrap;overflow-wrap:anywhere}";

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

void page_begin(struct page *page, const char *title)
{
	if (!is_html(page)) {
		wrap(page, "# ", title, "\n");
		return;
	}
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
	wrap(page, "</style></head><body>\n<h1>", title, "</h1>\n");
}

void page_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</body></html>\n");
}

void page_heading(struct page *page, const char *text)
{
	if (is_html(page))
		wrap(page, "<h2>", text, "</h2>\n");
	else
		wrap(page, "\n## ", text, "\n");
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

void page_table_begin(struct page *page, const char *const *heads, size_t n)
{
	if (is_html(page)) {
		buf_adds(page->out, "<div class=\"wide\"><table><tr>");
		for (size_t i = 0; i < n; i++)
			wrap(page, "<th>", heads[i], "</th>");
		buf_adds(page->out, "</tr>\n");
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

void page_row(
	struct page *page, enum tone tone, const char *const *cells, size_t n)
{
	if (is_html(page))
		buf_addf(page->out, "<tr class=\"%s\">", tone_name(tone));
	else
		buf_addc(page->out, '|');
	for (size_t i = 0; i < n; i++) {
		const char *text = cells[i] ? cells[i] : "";

		if (is_html(page))
			wrap(page, "<td>", text, "</td>");
		else
			wrap(page, " ", text, " |");
	}
	buf_adds(page->out, is_html(page) ? "</tr>\n" : "\n");
}

void page_table_end(struct page *page)
{
	if (is_html(page))
		buf_adds(page->out, "</table></div>\n");
}

void page_chart(struct page *page, const struct chart *chart)
{
	if (is_html(page))
		chart_svg(chart, page->out);
}
