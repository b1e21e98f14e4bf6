/*
 * A page in Markdown or in HTML, element by element: the document is written
 * once and says nothing of either. All texts are escaped here. Pure.
 */
#ifndef TIDEGATE_REPORT_PAGE_H
#define TIDEGATE_REPORT_PAGE_H

#include <stddef.h>

#include "base/buf.h"
#include "report/chart.h"

enum page_format { PAGE_MARKDOWN, PAGE_HTML };

struct page {
	enum page_format format;
	struct buf *out;
};

void page_begin(struct page *page, const char *title);
void page_end(struct page *page);

void page_heading(struct page *page, const char *text);
void page_paragraph(struct page *page, enum tone tone, const char *text);
void page_code(struct page *page, const char *text); /* lines stay lines */

void page_list_begin(struct page *page);
void page_item(struct page *page, const char *text);
void page_list_end(struct page *page);

/* `n` cells each; a NULL cell is empty. */
void page_table_begin(struct page *page, const char *const *heads, size_t n);
void page_row(
	struct page *page, enum tone tone, const char *const *cells, size_t n);
void page_table_end(struct page *page);

/* Markdown has none: nothing is written. */
void page_chart(struct page *page, const struct chart *chart);

#endif
