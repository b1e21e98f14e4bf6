/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A terminal with a panel at its bottom, repainted in place; what is said for
 * good scrolls away above it. Width and height are asked for each time.
 */
#ifndef TIDEGATE_CLI_SCREEN_H
#define TIDEGATE_CLI_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

struct screen {
	FILE *stream; /* a terminal, borrowed */
	struct buf shown; /* the panel that was painted last */
};

void screen_init(struct screen *screen, FILE *stream);
void screen_fini(struct screen *screen);
/* Paints `panel` in place of the last one, with `lines` above it; each may be
 * empty. All of it appears, or nothing is changed. */
void screen_update(struct screen *screen, const struct buf *lines,
	const struct buf *panel);
/* Takes the panel away for good. */
void screen_clear(struct screen *screen);
/* The panel stays where it is, the next is painted below it. */
void screen_forget(struct screen *screen);
int screen_columns(const struct screen *screen);
int screen_rows(const struct screen *screen);
/* The terminal shows more than ASCII (LC_ALL, LC_CTYPE, LANG). */
bool screen_has_utf8(void);
/* It can move its cursor: a terminal, and not a dumb one. */
bool screen_can_paint(FILE *stream);

#endif
