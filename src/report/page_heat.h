/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A grid of a page whose cells are counts: where all are counted it is good, and
 * the more are short of that, the worse. Pure.
 */
#ifndef TIDEGATE_REPORT_PAGE_HEAT_H
#define TIDEGATE_REPORT_PAGE_HEAT_H

#include "report/page.h"

#define HEAT_TEXT_MAX 256

struct heat {
	const char
		*caption; /* what is counted, and what rows and columns are */
	size_t n_rows, n_columns;
	/* Their heads; return `text`. */
	const char *(*row)(const void *arg, size_t row, char text[]);
	const char *(*column)(const void *arg, size_t column, char text[]);
	size_t whole; /* no cell has more; not 0 */
	size_t (*count)(const void *arg, size_t row, size_t column);
	const void *arg;
};

void page_heat(struct page *page, const struct heat *heat);

#endif
