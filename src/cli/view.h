/*
 * The live view of a rollout on a terminal: steps, bake, SLOs against their
 * limits, what it waits for and how to answer. view_render is pure; the screen
 * below it repaints in place and scrolls decisions away above it.
 */
#ifndef TIDEGATE_CLI_VIEW_H
#define TIDEGATE_CLI_VIEW_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "engine/rollout.h"

#define VIEW_COLUMNS_MIN 40
#define VIEW_COLUMNS_MAX 120

struct view {
	const struct policy *policy;
	const struct rollout *rollout;
	const char *id, *candidate, *stable; /* "" while not known */
	int64_t now_ms;
	int columns; /* of the terminal; 0: lines are not cut */
	bool colour, utf8;
	bool undriven; /* no process carries out what is decided */
};

/* Appends the whole view, each line ended, none wider than `columns`. For a
 * rollout that is not driven `now_ms` is the time of its last entry. */
void view_render(const struct view *view, struct buf *out);

/* A screen that holds one view at its bottom. */
struct screen {
	FILE *stream; /* a terminal, borrowed */
	int lines; /* of the view painted last */
};

void screen_init(struct screen *screen, FILE *stream);
/* Paints `view` in place of the last one, with `lines` above it; each may be
 * empty. All of it appears, or nothing is changed. */
void screen_update(
	struct screen *screen, const struct buf *lines, const struct buf *view);
/* Takes the view away for good. */
void screen_clear(struct screen *screen);
int screen_columns(const struct screen *screen);
/* The terminal shows more than ASCII (LC_ALL, LC_CTYPE, LANG). */
bool screen_has_utf8(void);

#endif
