/* SPDX-License-Identifier: Apache-2.0 */
/* A week of a service; see week.h. */
#include "init/week.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"

#define QUIET_SHARE   0.1
#define BEYOND_SHARE  0.05
#define CHANCE_RARELY 0.002
#define CHANCE_MAX    100000
#define DAY_S         86400.0

static int by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

/* Of values in order. */
static double quantile(const double *value, size_t n, double share)
{
	double at = share * (double)(n - 1);
	size_t below = (size_t)at;

	if (below + 1 >= n)
		return value[n - 1];
	return value[below] +
	       (at - (double)below) * (value[below + 1] - value[below]);
}

/* ---- who had the users ---- */

/* The row with most at this look; n: nobody had any. */
static size_t leader(const struct past_table *table, size_t look)
{
	size_t best = table->n;

	for (size_t i = 0; i < table->n; i++) {
		if (!(table->row[i].values[look] > 0))
			continue;
		if (best == table->n || table->row[i].values[look] >
						table->row[best].values[look])
			best = i;
	}
	return best;
}

void week_traffic(
	const struct past_table *rates, struct week_traffic *traffic_r)
{
	double *rate = xcalloc(rates->grid.looks + 1, sizeof(*rate));
	size_t look, n = 0, at, before = rates->n;
	double sum;

	*traffic_r = (struct week_traffic){.days = 0};
	for (look = 0; look < rates->grid.looks; look++) {
		at = leader(rates, look);
		if (at == rates->n)
			continue;
		sum = 0;
		for (size_t i = 0; i < rates->n; i++)
			if (rates->row[i].values[look] > 0)
				sum += rates->row[i].values[look];
		rate[n++] = sum;
		traffic_r->revisions += at != before;
		before = at;
	}
	if (n) {
		qsort(rate, n, sizeof(*rate), by_size);
		traffic_r->usual = quantile(rate, n, 0.5);
		traffic_r->quiet = quantile(rate, n, QUIET_SHARE);
	}
	traffic_r->days =
		(double)n * (double)rates->grid.step_ms / 1000 / DAY_S;
	free(rate);
}

/* ---- values ---- */

static const struct past_row *row_like(
	const struct past_table *table, const char *labels)
{
	for (size_t i = 0; i < table->n; i++)
		if (strcmp(table->row[i].labels, labels) == 0)
			return &table->row[i];
	return NULL;
}

size_t week_values(const struct week_what *what, double *value)
{
	const struct past_table *requests = what->requests;
	const struct past_row *row;
	size_t look, at, n = 0;
	double had, one;

	for (look = 0; look < requests->grid.looks; look++) {
		at = leader(requests, look);
		if (at == requests->n)
			continue;
		had = requests->row[at].values[look];
		row = row_like(what->values, requests->row[at].labels);
		one = row ? row->values[look] : what->absent;
		if (isnan(one))
			one = what->absent;
		if (had < what->least || isnan(one))
			continue;
		value[n++] = what->share ? fmin(one / had, 1) : one;
	}
	return n;
}

void week_judge(double *value, size_t n, double days, struct week *week_r)
{
	double sum = 0;
	size_t i;

	*week_r = (struct week){.n = n, .days = days};
	if (!n)
		return;
	qsort(value, n, sizeof(*value), by_size);
	week_r->median = quantile(value, n, 0.5);
	week_r->p99 = quantile(value, n, 0.99);
	week_r->high = value[n - 1];
	week_r->from = quantile(value, n, 1 - BEYOND_SHARE);
	for (i = n; i > 0 && value[i - 1] > week_r->from; i--)
		sum += value[i - 1] - week_r->from;
	week_r->beyond = n - i;
	if (week_r->beyond)
		week_r->fall = sum / (double)week_r->beyond;
}

bool week_is_enough(const struct week *week)
{
	return week->n >= WEEK_WINDOWS_MIN && week->days >= WEEK_DAYS_MIN;
}

static double months_beyond(const struct week *week)
{
	return week->days > 0
		       ? (double)week->beyond * WEEK_MONTH_DAYS / week->days
		       : 0;
}

double week_limit(const struct week *week)
{
	double times = months_beyond(week), limit = week->from;

	if (times > 1)
		limit += week->fall * log(times);
	return fmax(limit, week->high);
}

double week_times(const struct week *week, double limit)
{
	if (!(week->fall > 0) || limit <= week->from)
		return limit < week->from ? INFINITY : 0;
	return months_beyond(week) * exp(-(limit - week->from) / week->fall);
}

const char *week_times_print(
	const struct week *week, double limit, char text[WEEK_TIMES_MAX])
{
	double times = week_times(week, limit);

	if (times >= 0.01)
		snprintf(text, WEEK_TIMES_MAX, "%.1g times a month", times);
	else
		snprintf(text, WEEK_TIMES_MAX, "less than once in years");
	return text;
}

/* ---- numbers ---- */

int week_chance(double requests, double share)
{
	double mean = requests * share, term = exp(-mean), sum = term;
	int k;

	if (mean > 500) /* the exponential is none any more */
		return (int)ceil(mean + 3 * sqrt(mean));
	for (k = 0; 1 - sum > CHANCE_RARELY && k < CHANCE_MAX; k++) {
		term *= mean / (k + 1);
		sum += term;
	}
	return k;
}

double week_round_up(double value)
{
	static const double steps[] = {1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10};
	double tens;
	size_t i;

	if (!(value > 0) || isinf(value))
		return value;
	tens = pow(10, floor(log10(value)));
	for (i = 0; i + 1 < sizeof(steps) / sizeof(steps[0]); i++)
		if (steps[i] * tens >= value * (1 - 1e-9))
			break;
	return steps[i] * tens;
}

const char *week_span_print(double days, char text[WEEK_SPAN_MAX])
{
	char exact[DURATION_TEXT_MAX];
	int64_t minutes = (int64_t)(days * DAY_S / 60 + 0.5);

	if (days >= 2)
		snprintf(text, WEEK_SPAN_MAX, "%.3g days", days);
	else
		snprintf(text, WEEK_SPAN_MAX, "%s",
			duration_print(minutes * 60 * 1000, exact));
	return text;
}
