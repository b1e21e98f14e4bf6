/*
 * A chart over time as inline SVG: one line, its limits, marks of what
 * happened. Pure; whoever makes the page includes chart_css once, which knows
 * a light and a dark screen.
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

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WAIT, TONE_BAD };

const char *tone_name(enum tone tone); /* class of the style sheet */

struct chart_point {
	int64_t time_ms;
	double value; /* NaN: a gap; an infinity: shown at the edge */
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
	double limit; /* NaN: none */
	const char *limit_label; /* "max 1%"; NULL: the number */
	/* Of each point the limit it was held against, where that is another
	 * one; NaN: none. NULL: no point has. */
	const double *limits;
	const struct chart_point *decided; /* gets a ring; NULL: none */
	const struct chart_mark *marks;
	size_t n_marks;
};

void chart_svg(const struct chart *chart, struct buf *out);

/* Rules for the charts and for everything else on a page of ours. */
extern const char chart_css[];

#endif
