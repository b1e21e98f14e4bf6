/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The panel of a rollout on a terminal: what is, what comes next, the SLOs with
 * their trends, what people can do. Pure: a summary and a size become lines.
 *
 * Narrow terminals lose columns from the right and trends; sentences are broken
 * between words; a command is never broken: one that is wider than the terminal
 * goes on in its next row by itself. Where there are fewer rows than lines, SLOs
 * that are not selected give way, then the lines on top.
 */
#ifndef TIDEGATE_CLI_PANEL_H
#define TIDEGATE_CLI_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/output.h"
#include "status/summary.h"

#define PANEL_COLUMNS_MIN 20
#define PANEL_ROWS_MIN    6

struct panel {
	const struct summary *summary;
	const struct policy *policy;
	const char *service; /* full name */
	int columns, rows; /* of the terminal */
	bool colour, utf8;
	int selected; /* SLO; -1: none is, there are no keys */
	/* Which decisions the person may take now, bits of enum verb. */
	unsigned verbs;
	bool has_keys; /* and [q]uit among them */
	const char *question; /* in place of the keys; NULL: none */
	const char *answer; /* what was typed so far */
};

/* Appends lines, each ended; without the last row, where the cursor stands. */
void panel_render(const struct panel *panel, struct buf *out);

/* Appends a text of as many lines as it takes, broken as the panel's sentences
 * are, behind `label` and indented by its width. */
struct panel_text {
	const char *label, *text;
	enum colour colour; /* of the text */
};
void panel_flow(const struct panel *panel, const struct panel_text *text,
	struct buf *out);

/* Rows that a text with escapes takes on a terminal. */
int panel_rows(const char *text, int columns);

#endif
