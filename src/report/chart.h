/*
 * A chart over time as a figure of a page: a line, what it is compared with,
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
	/* A value with its unit; NULL: a plain number. Returns `text`. */
	const char *(*print)(
		const void *arg, double value, char text[CHART_TEXT_MAX]);
	const void *arg;
};

void chart_write(const struct chart *chart, struct buf *out);

/* Rules for the charts, and the colours of everything else on a page. */
extern const char chart_css[];

#endif
