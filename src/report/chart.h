/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A chart over time, or over another number, as a figure of a page: a line, what it is compared with,
 * its limit, marks of what happened. It is as wide as there is room: lines are
 * stretched, texts and dots are not. Pure; whoever makes the page includes
 * chart_css once.
 *
 *   chart.c        the figure
 *   chart_scale.c  where things are, and which numbers stand at the axes
 *   chart_css.c    how it looks
 */
#ifndef TIDEGATE_REPORT_CHART_H
#define TIDEGATE_REPORT_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CHART_COLUMNS    380 /* a line is thinned to two points in each */
#define CHART_DOTS_MAX   120 /* more points than this have no dots … */
#define CHART_ALARMS_MAX 400 /* … but for the bad ones */
#define CHART_TEXT_MAX   64 /* of a value, with the NUL */
#define CHART_TIMES_MAX  16 /* ticks of time */

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WAIT, TONE_BAD };

const char *tone_name(enum tone tone); /* class of the style sheet */

struct chart_point {
	int64_t time_ms;
	double value; /* NaN: a gap; an infinity: shown at the edge */
	double other; /* what it is compared with; NaN: nothing is */
	double limit; /* what it was held against; NaN: nothing was */
	enum tone tone;
};

struct chart_mark {
	int64_t time_ms;
	const char *label; /* few characters; from outside or not */
	enum tone tone;
};

/* Where all is well, from one place to another. */
struct chart_band {
	int64_t from_ms, to_ms;
};

/* What a chart is over when it is not over time: its places are numbers of any
 * kind then, and their names are drawn at ticks. */
struct chart_base {
	const char *name;
	const int64_t *ticks; /* in their order, CHART_TIMES_MAX at most */
	size_t n_ticks;
	/* Returns `text`. */
	const char *(*print)(
		const void *arg, int64_t place, char text[CHART_TEXT_MAX]);
	const void *arg;
};

struct chart {
	const char *title;
	int64_t from_ms, to_ms;
	const struct chart_point *points; /* in the order of time */
	size_t n_points;
	bool holds; /* a value holds until the next one: steps, filled */
	double top; /* of the axis; NaN: as the values need it */
	double limit; /* that is the same all the time; NaN: none */
	const char *limit_label; /* "max 1%"; NULL: there is none */
	const char *value_name, *other_name; /* in the legend; NULL: no line */
	const struct chart_point *decided; /* gets a ring; NULL: none */
	const struct chart_mark *marks; /* in the order of time */
	size_t n_marks;
	bool labels; /* marks have theirs; else they are lines alone */
	const struct chart_band *bands;
	size_t n_bands;
	const char *band_name; /* in the legend */
	const struct chart_base *base; /* NULL: time, in UTC */
	/* A value with its unit; NULL: a plain number. Returns `text`. */
	const char *(*print)(
		const void *arg, double value, char text[CHART_TEXT_MAX]);
	const void *arg;
};

void chart_write(const struct chart *chart, struct buf *out);

/* Rules for the charts, and the colours of everything else on a page. */
extern const char chart_css[];

#endif
