/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The buckets of histograms in an answer: which series are one histogram, and
 * whether all have the same bounds. Pure.
 */
#ifndef TIDEGATE_METRICS_BUCKETS_H
#define TIDEGATE_METRICS_BUCKETS_H

#include "base/err.h"
#include "engine/evidence_objective.h"
#include "metrics/counters.h"

struct buckets {
	size_t bins; /* 0: not known yet */
	double bounds[EVIDENCE_BINS_MAX]; /* the last is +Inf */
};

/* By labels and bound: what was answered, when it came in that order, or a copy
 * that is to be freed. */
struct sorted {
	const struct counter_sample *sample;
	struct counter_sample *copy; /* NULL: none was needed */
};
void buckets_sort(const struct counter_answer *answer, struct sorted *sorted_r);

/* All of the sorted samples have the bounds of `buckets`, or the first sets
 * them. Fails with ERR_INVALID and what to ask for instead. */
MUST_CHECK int buckets_check(struct buckets *buckets,
	const struct counter_sample *sorted, size_t n, struct err *err_r);

#endif
