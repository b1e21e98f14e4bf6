/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A grid of counts; see page_heat.h. It fits every width: where numbers have no
 * room on a telephone the colours are left, and heads stand above several.
 */
#include "report/page_heat.h"

#include <stdio.h>
#include <string.h>

#include "base/cells.h"
#include "base/escape.h"

#define ROOM 36 /* characters that columns have on a telephone, together */

static int digits_of(size_t n)
{
	char text[32];

	return snprintf(text, sizeof(text), "%zu", n);
}

/* How many columns share a head, so that all of them have room. */
static size_t columns_per_head(const struct heat *heat)
{
	char text[HEAT_TEXT_MAX];
	size_t i, width, most = 0, n;

	for (i = 0; i < heat->n_columns; i++) {
		width = (size_t)cells_width(heat->column(heat->arg, i, text));
		most = width > most ? width : most;
	}
	n = (heat->n_columns * (most + 1) + ROOM - 1) / ROOM;
	return n ? n : 1;
}

static void write_heads(const struct heat *heat, struct buf *out)
{
	size_t each = columns_per_head(heat), i, n;
	char text[HEAT_TEXT_MAX];

	buf_adds(out, "<thead><tr><td></td>");
	for (i = 0; i < heat->n_columns; i += each) {
		n = heat->n_columns - i < each ? heat->n_columns - i : each;
		buf_addf(out, "<th scope=\"col%s\" colspan=\"%zu\">",
			n > 1 ? "group" : "", n);
		escape_html(out, heat->column(heat->arg, i, text));
		buf_adds(out, "</th>");
	}
	buf_adds(out, "</tr></thead>");
}

static void write_cell(
	const struct heat *heat, size_t row, size_t column, struct buf *out)
{
	size_t n = heat->count(heat->arg, row, column);

	if (n == heat->whole)
		buf_addf(out, "<td class=\"all\">%zu</td>", n);
	else
		buf_addf(out, "<td style=\"--short:%.0f%%\">%zu</td>",
			100 * (double)(heat->whole - n) / (double)heat->whole,
			n);
}

static void write_html(const struct heat *heat, struct buf *out)
{
	bool is_dense =
		heat->n_columns * (size_t)(digits_of(heat->whole) + 1) > ROOM;
	char text[HEAT_TEXT_MAX];
	size_t row, column;

	buf_addf(out, "<table class=\"heat%s\"><caption>",
		is_dense ? " dense" : "");
	escape_html(out, heat->caption);
	buf_adds(out, "</caption>");
	write_heads(heat, out);
	buf_adds(out, "<tbody>\n");
	for (row = 0; row < heat->n_rows; row++) {
		buf_adds(out, "<tr><th scope=\"row\">");
		escape_html(out, heat->row(heat->arg, row, text));
		buf_adds(out, "</th>");
		for (column = 0; column < heat->n_columns; column++)
			write_cell(heat, row, column, out);
		buf_adds(out, "</tr>\n");
	}
	buf_adds(out, "</tbody></table>\n");
}

static void write_markdown(const struct heat *heat, struct buf *out)
{
	char text[HEAT_TEXT_MAX];
	size_t row, column;

	buf_addc(out, '\n');
	escape_markdown(out, heat->caption);
	buf_adds(out, "\n\n| |");
	for (column = 0; column < heat->n_columns; column++) {
		buf_addc(out, ' ');
		escape_markdown(out, heat->column(heat->arg, column, text));
		buf_adds(out, " |");
	}
	buf_adds(out, "\n| --- |");
	for (column = 0; column < heat->n_columns; column++)
		buf_adds(out, " --- |");
	for (row = 0; row < heat->n_rows; row++) {
		buf_adds(out, "\n| ");
		escape_markdown(out, heat->row(heat->arg, row, text));
		buf_adds(out, " |");
		for (column = 0; column < heat->n_columns; column++)
			buf_addf(out, " %zu |",
				heat->count(heat->arg, row, column));
	}
	buf_addc(out, '\n');
}

void page_heat(struct page *page, const struct heat *heat)
{
	if (page->format == PAGE_HTML)
		write_html(heat, page->out);
	else
		write_markdown(heat, page->out);
}
