/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service was like for a week: how much traffic, and which limit its own
 * values would have broken less than once a month. Pure.
 *
 * A month is longer than what was looked at, so that the limit lies beyond the
 * highest value seen: the highest twentieth of the values is taken to fall off
 * as an exponential does (peaks over a threshold).
 */
#ifndef TIDEGATE_INIT_WEEK_H
#define TIDEGATE_INIT_WEEK_H

#include <stdbool.h>

#include "metrics/past_table.h"

#define WEEK_DAYS_MIN    1 /* fewer tell nothing of a month */
#define WEEK_WINDOWS_MIN 100
#define WEEK_MONTH_DAYS  30

struct week_traffic {
	double usual, quiet; /* requests a second: median, lowest tenth */
	double days; /* of which there are samples; 0: nothing is known */
	size_t revisions; /* that had most of it, one after the other */
};

/* Values of windows that do not overlap. */
struct week {
	size_t n;
	double days;
	double median, p99, high;
	double from, fall; /* beyond `from` they fall off with this mean */
	size_t beyond; /* so many of them */
};

/* `rates` has the requests a second of each revision. */
void week_traffic(
	const struct past_table *rates, struct week_traffic *traffic_r);

/*
 * At each look the value of the revision that had most requests, if they were
 * `least` at least; how many there are. A row that `values` lacks is `absent`:
 * 0 for failures, which have no series when there are none; NaN: no value.
 * With `share` values are divided by the requests. `value` has room for all
 * looks.
 */
struct week_what {
	const struct past_table *requests, *values;
	double least, absent;
	bool share;
};

size_t week_values(const struct week_what *what, double *value);

/* `value` is put in order. */
void week_judge(double *value, size_t n, double days, struct week *week_r);

bool week_is_enough(const struct week *week);

/* Broken once in a month, by what is expected; not below the highest value. */
double week_limit(const struct week *week);
/* How often in a month; for people: "0.2 times a month". */
#define WEEK_SPAN_MAX  32 /* bytes with the NUL */
#define WEEK_TIMES_MAX 48
double week_times(const struct week *week, double limit);
const char *week_times_print(
	const struct week *week, double limit, char text[WEEK_TIMES_MAX]);

/* So many failures of `requests` a candidate with this share of them has by
 * chance, but for one window in 500. */
int week_chance(double requests, double share);

/* The next number that people write: 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10. */
double week_round_up(double value);

/* "6.9 days", or "1h" when it is less than two of them; returns `text`. */
const char *week_span_print(double days, char text[WEEK_SPAN_MAX]);

#endif
