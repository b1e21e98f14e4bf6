/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page in Markdown or in HTML, element by element: the document is written
 * once and says nothing of either. All texts are escaped here. A page of HTML
 * needs no script and nothing from anywhere; it fits a telephone, a dark screen
 * and paper. Pure.
 *
 *   page.c      elements
 *   page_css.c  how they look
 *   page_heat.c a grid of counts
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
	/* Of the table that is open. */
	const char *const *heads;
};

void page_begin(struct page *page, const char *title);
void page_end(struct page *page);

/* What comes first: NULL texts are left out. */
struct page_banner {
	enum tone tone;
	const char *title; /* the page's heading */
	const char *reason, *sentence;
	const char *about; /* whose, when */
	bool is_part; /* of a page about several */
};

void page_banner(struct page *page, const struct page_banner *banner);

/* A NULL or empty value: the fact is left out. */
struct page_fact {
	const char *name, *value;
	const char *note; /* smaller, beside the value; NULL: none */
};

/* A few that are to be seen at once, large, … */
void page_tiles(struct page *page, const struct page_fact *facts, size_t n);
/* … and any number, one beneath the other. */
void page_facts(struct page *page, const struct page_fact *facts, size_t n);

void page_heading(struct page *page, const char *text);
void page_subheading(struct page *page, const char *text);
void page_paragraph(struct page *page, enum tone tone, const char *text);
void page_code(struct page *page, const char *text); /* lines stay lines */

void page_meters_begin(struct page *page);
/* How full something is; `share` is cut to 0 to 1. */
void page_meter(struct page *page, enum tone tone, const char *name,
	double share, const char *text);
void page_meters_end(struct page *page);

void page_list_begin(struct page *page);
void page_item(struct page *page, const char *text);
void page_list_end(struct page *page);

/* `n` cells each; a NULL cell is empty. The heads are borrowed until the end
 * of the table, and none is empty: on a telephone they stand beside cells. */
void page_table_begin(struct page *page, const char *const *heads, size_t n);
/* The same of short numbers alone, which stays a table there. */
void page_numbers_begin(struct page *page, const char *const *heads, size_t n);
void page_row(
	struct page *page, enum tone tone, const char *const *cells, size_t n);
/* The first cell leads to another page in the same folder. */
void page_row_link(struct page *page, enum tone tone, const char *file,
	const char *const *cells, size_t n);
void page_table_end(struct page *page);

/* What is there for who wants to know it all: folded, with its heading. */
void page_fold_begin(struct page *page, const char *heading);
void page_fold_end(struct page *page);

/* Markdown has none: nothing is written. */
void page_chart(struct page *page, const struct chart *chart);

#endif
