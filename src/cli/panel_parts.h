/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the panel share. Not for anybody else.
 *
 *   panel.c        the lines, and what gives way where rows are few
 *   panel_line.c   one line: cut at the width, or broken between words
 *   panel_slos.c   the table of SLOs and its trends
 */
#ifndef TIDEGATE_CLI_PANEL_PARTS_H
#define TIDEGATE_CLI_PANEL_PARTS_H

#include "base/buf.h"
#include "cli/output.h"
#include "cli/panel.h"

#define PANEL_LINE_MAX 65536 /* bytes */

struct panel_line {
	const struct panel *panel;
	struct buf *out;
	int used; /* cells of this line */
};

/* ---- panel_line.c ---- */

/* A text of which as much is shown as there is room for. */
void line_put(struct panel_line *line, enum colour colour, const char *text);
void line_putf(struct panel_line *line, enum colour colour, const char *fmt,
	...) PRINTFLIKE(3, 4);
/* … in `width` cells, filled up with blanks; what is longer ends in "…". */
void line_cell(struct panel_line *line, enum colour colour, const char *text,
	int width);
void line_pad(struct panel_line *line, int column);
void line_end(struct panel_line *line);
/* A text of as many lines as it takes, the first of which goes on in this one;
 * the others begin with `indent` blanks. Ends the last. */
void line_flow(struct panel_line *line, enum colour colour, const char *text,
	int indent);
/* Of a text as the terminal shows it. */
int line_width(const struct panel *panel, const char *text);

/* ---- panel_slos.c ---- */

/* The heading, and the SLOs from `first` on; none wider than the terminal. */
void slos_render(struct panel_line *line, size_t first, size_t n);

#endif
