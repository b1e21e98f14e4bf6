/* SPDX-License-Identifier: Apache-2.0 */
/* Round numbers and free places; see chart_scale.h. */
#include "report/chart_scale.h"

#include <math.h>

#include "base/cells.h"
#include "base/printable.h"

#define ROOM       1.04 /* beyond the highest value */
#define TIMES_MOST 7 /* ticks of time */
#define NARROW     290.0 /* pixels of a chart on a telephone */
#define CHARACTER  7.2 /* pixels of a label */
#define LABEL_GAP  8
#define LEFT_FROM  0.7 /* labels from here on end at their marks */

/* ---- values ---- */

/* The next number that reads well in the middle of an axis. */
static double round_up(double wanted)
{
	static const double round[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
	double power = pow(10, floor(log10(wanted)));
	size_t i = 0;

	while (round[i] * power < wanted * (1 - 1e-9) && round[i] < 10)
		i++;
	return round[i] * power;
}

static void take(double value, double *low, double *high)
{
	if (!isfinite(value))
		return;
	*low = fmin(*low, value);
	*high = fmax(*high, value);
}

/* Zero is always there, and room beyond what is drawn. */
static void find_range(const struct chart *c, double *low, double *high)
{
	size_t i;

	*low = *high = 0;
	take(c->limit, low, high);
	for (i = 0; i < c->n_points; i++) {
		take(c->points[i].value, low, high);
		take(c->points[i].other, low, high);
		take(c->points[i].limit, low, high);
	}
	*low *= ROOM;
	*high *= ROOM;
	if (isfinite(c->top))
		*high = c->top;
	if (!(*high - *low > 0) || !isfinite(*high - *low)) {
		*low = 0;
		*high = 1;
	}
}

void chart_scale_make(const struct chart *chart, struct chart_scale *scale_r)
{
	struct chart_scale *s = scale_r;
	double low, high, step;
	int first, last, i;

	*s = (struct chart_scale){.from_ms = chart->from_ms,
		.span_ms = chart->to_ms - chart->from_ms};
	find_range(chart, &low, &high);
	if (isfinite(chart->top))
		step = high / 2;
	else
		step = round_up(fmax(high, -low) / 2);
	first = (int)floor(low / step + 1e-9);
	last = (int)ceil(high / step - 1e-9);
	s->bottom = first * step;
	s->top = last * step;
	for (i = first; i <= last && s->n_ticks < CHART_TICKS_MAX; i++)
		s->tick[s->n_ticks++] = i * step;
}

double chart_scale_x(const struct chart_scale *scale, int64_t time_ms)
{
	double at = scale->span_ms > 0 ? (double)(time_ms - scale->from_ms) /
						 (double)scale->span_ms
				       : 0;

	return fmin(fmax(at, 0), 1);
}

double chart_scale_y(const struct chart_scale *scale, double value)
{
	double at = (scale->top - value) / (scale->top - scale->bottom);

	return fmin(fmax(at, 0), 1);
}

/* ---- time ---- */

size_t chart_times(const struct chart *chart, int64_t times[CHART_TIMES_MAX],
	int64_t *step_ms_r)
{
	static const int64_t steps_s[] = {1, 2, 5, 10, 15, 30, 60, 120, 300,
		600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800,
		604800, 2592000};
	int64_t span = chart->to_ms - chart->from_ms, step = 1000, time;
	size_t i, n = 0;

	for (i = 0; i < sizeof(steps_s) / sizeof(*steps_s); i++) {
		step = steps_s[i] * 1000;
		if (span / step < TIMES_MOST)
			break;
	}
	*step_ms_r = step;
	time = chart->from_ms - chart->from_ms % step;
	for (; time <= chart->to_ms && n < CHART_TIMES_MAX; time += step)
		if (time >= chart->from_ms)
			times[n++] = time;
	return n;
}

/* ---- labels ---- */

bool chart_label_is_left(double x)
{
	return x > LEFT_FROM;
}

void chart_labels_place(const struct chart *chart,
	const struct chart_scale *scale, struct chart_labels *labels_r)
{
	double end[CHART_LANES] = {0}, x, from, width;
	size_t i;
	int lane;

	labels_r->n_lanes = 0;
	for (i = 0; i < CHART_LABELS_MAX; i++)
		labels_r->lane[i] = -1;
	for (i = 0; i < chart->n_marks && i < CHART_LABELS_MAX; i++) {
		x = chart_scale_x(scale, chart->marks[i].time_ms);
		width = ((double)cells_width(chart->marks[i].label) *
					CHARACTER +
				LABEL_GAP) /
			NARROW;
		from = chart_label_is_left(x) ? x - width : x;
		for (lane = 0; lane < CHART_LANES && end[lane] > from; lane++)
			;
		if (lane == CHART_LANES)
			continue;
		end[lane] = from + width;
		labels_r->lane[i] = lane;
		if (lane >= labels_r->n_lanes)
			labels_r->n_lanes = lane + 1;
	}
}
