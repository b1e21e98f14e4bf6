/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past, from its raw counters over some hours to what a rollout knows
 * of an SLO of kind evidence before it begins: how many requests and bad ones,
 * the distribution of latency, how much all of it disperses. The same for what
 * is asked live and for what was recorded. Pure.
 *
 * Instances are dealt into two halves, which are compared with each other. An
 * instance is what the label `instance` says, or one of its other names. With
 * one instance only, the service is compared with itself a moment before.
 */
#ifndef TIDEGATE_METRICS_SLO_HISTORY_H
#define TIDEGATE_METRICS_SLO_HISTORY_H

#include "metrics/counting.h"

#define HISTORY_STEP_MS   30000 /* the usual grid */
#define HISTORY_LOOKS_MAX 2881 /* a day of it */
#define HISTORY_MS_MAX    ((int64_t)(HISTORY_LOOKS_MAX - 1) * HISTORY_STEP_MS)
#define HISTORY_BAD_FEW   50 /* with fewer bad requests look longer back */

/* One series of the past. `labels` as in counter_sample. */
struct past_series {
	const char *labels;
	double le; /* NaN: none */
	const double *values; /* one for each look; NaN: no sample */
};

/* What stable's counters showed at looks that are equally far apart. */
struct past {
	struct {
		const struct past_series *series;
		size_t n;
	} role[COUNTER_ROLES];
	size_t looks; /* HISTORY_LOOKS_MAX at most */
	double step_s;
};

/*
 * `index`: of the SLO in its policy. Without two looks that have samples
 * `history_r->seconds` is 0: nothing is known. Fails with ERR_INVALID as
 * counting_look does.
 */
MUST_CHECK int slo_history_make(const struct slo *slo, int index,
	const struct past *past, struct slo_history *history_r,
	struct err *err_r);

/* How far apart looks at the past of such an SLO are: not closer than samples. */
int64_t slo_history_step_ms(const struct policy *policy, const struct slo *slo);

/* There were too few bad requests in so much time to say how they come: a day
 * of it is to be looked at. */
bool slo_history_is_short(const struct slo_history *history, int64_t length_ms);

#endif
