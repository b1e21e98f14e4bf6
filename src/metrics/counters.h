/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From raw counters to what happened between two looks at them. Every series is
 * differenced by itself: rate() and increase() would extrapolate, and lose what
 * happens between two windows. Pure.
 *
 *   grown        what it grew by
 *   fell         it was reset: all of what it shows now
 *   new          of the candidate: all of it, an instance began at zero;
 *                of stable: all of it where its instance was known before, as
 *                one that fails for the first time is; else nothing, the
 *                instance only begins to be known
 *   gone         nothing; it is known when it comes back
 *   first look   nothing, everything only begins to be known
 */
#ifndef TIDEGATE_METRICS_COUNTERS_H
#define TIDEGATE_METRICS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#define COUNTER_SERIES_MAX 16384 /* known at a time; half in one answer */
#define COUNTER_BINS_MAX   64

/* One series of an answer. `labels` are all but `le`: a JSON object without
 * spaces, its keys in order. */
struct counter_sample {
	const char *labels;
	double le; /* NaN: none */
	double value;
};

struct counter_answer {
	const struct counter_sample *sample;
	size_t n;
};

/* One series of one look: its labels but `le`, and its values. A plain counter
 * has one value; a histogram has one for each bound, cumulated as it comes. */
struct counter_series {
	const char *labels;
	const double *values;
};

/* Adds what a series grew by to `growth`, not cumulated. `before` NULL: all
 * that it shows. The last value is the count of all: when it falls, all were
 * reset. */
void counters_grow(
	const double *before, const double *now, size_t bins, double *growth);

struct counters; /* what was seen last */

/* `newcomers_count`: the candidate's, see above. */
struct counters *counters_new(bool newcomers_count);
void counters_free(struct counters **counters);

/* A newcomer whose instance is known to `all` from looks before began at zero,
 * and counts. `all` may be the same; else it takes its looks afterwards. */
void counters_count_births(
	struct counters *counters, const struct counters *all);

/* Before the first look: labels live as long as the counters, and the same ones
 * are the same text: they are neither copied nor compared. */
void counters_borrow_labels(struct counters *counters);

/* Everything is to be known anew: a look was missed for too long. */
void counters_forget(struct counters *counters);

/*
 * Takes a look: `n` series of `bins` values each, labels all different.
 * Returns false when there was no fresh sample (n is 0), which is not the same
 * as no growth; else *growth_r holds `bins` sums, not cumulated, none below 0.
 */
bool counters_look(struct counters *counters,
	const struct counter_series *series, size_t n, size_t bins,
	double *growth_r);

/* A look at just the series that are known can be taken again, of `n` values. */
bool counters_may_repeat(const struct counters *counters, size_t n);

/* Takes it: the values of all series one after the other, in the order of labels.
 * Adds to `growth` what counters_look would have come to. */
void counters_repeat(
	struct counters *counters, const double *values, double *growth);

/* A look that is known to have no series: what comes later is new. */
void counters_look_at_none(struct counters *counters);

#endif
