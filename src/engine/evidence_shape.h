/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole distribution of latency beside stable's: what a check says for each
 * of several shifts, beyond one that is tolerated. Pure.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_SHAPE_H
#define TIDEGATE_ENGINE_EVIDENCE_SHAPE_H

#include <stddef.h>

#define SHAPE_BUCKETS_MAX 40
#define SHAPE_KAPPAS_MAX  5
#define SHAPE_SIZES       4 /* of a shift */

/* By how many times latency is shifted in size `size`. */
double shape_shift(size_t size);

/*
 * How much more often each bucket of a histogram is hit when the survival
 * function of the latency is taken to the power 1/kappa (Lehmann, Ann. Math.
 * Stat. 1953): rising with the bucket when kappa > 1. `weights` are positive and
 * need not sum to 1. Looks at the `n_hits` buckets that `hit` names, in rising
 * order; ratios_r has their ratios one after the other, of each kappa.
 */
void shape_ratios(const double *weights, size_t n, const size_t *hit,
	size_t n_hits, const double *kappas, size_t n_kappas, double *ratios_r);

/*
 * The gain of each size. `weights` is stable's histogram of before, as above;
 * `candidate` and `stable` are the requests of the check in each of its `n`
 * buckets, `part` is the candidate's part of all of them.
 */
void shape_gains(const double *weights, size_t n, const double *candidate,
	const double *stable, double part, double gains_r[SHAPE_SIZES]);

#endif
