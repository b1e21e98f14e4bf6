/* SPDX-License-Identifier: Apache-2.0 */
/* Where the things of a chart are; for chart.c alone. Pure. */
#ifndef TIDEGATE_REPORT_CHART_SCALE_H
#define TIDEGATE_REPORT_CHART_SCALE_H

#include "report/chart.h"

#define CHART_LANES      4 /* of labels, one above the other */
#define CHART_TICKS_MAX  5 /* of values */
#define CHART_LABELS_MAX 64

struct chart_scale {
	int64_t from_ms, span_ms;
	double bottom, top; /* values at the edges */
	double tick[CHART_TICKS_MAX]; /* from the bottom up */
	size_t n_ticks;
};

void chart_scale_make(const struct chart *chart, struct chart_scale *scale_r);

/* 0 to 1 from left to right, and from top to bottom. */
double chart_scale_x(const struct chart_scale *scale, int64_t time_ms);
double chart_scale_y(const struct chart_scale *scale, double value);

/* Round times; `step_ms_r` apart. */
size_t chart_times(const struct chart *chart, int64_t times[CHART_TIMES_MAX],
	int64_t *step_ms_r);

/* Which lane the label of each mark is in, so that none covers another on the
 * narrowest screen; -1: there is no room for it. How many lanes are used. */
struct chart_labels {
	int lane[CHART_LABELS_MAX]; /* of the first marks; later ones: none */
	int n_lanes;
};

void chart_labels_place(const struct chart *chart,
	const struct chart_scale *scale, struct chart_labels *labels_r);
/* A label at the right edge ends at its mark. */
bool chart_label_is_left(double x);

#endif
