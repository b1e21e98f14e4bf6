/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bet against the candidate: wealth that starts at 1 and is multiplied at
 * every check by a factor whose expectation is at most 1 while the candidate
 * is acceptable. It may be looked at whenever one likes: that it ever reaches
 * 1/alpha has a probability of at most alpha (Ville 1939). The wealth is spread
 * over several sizes of a regression and over the times at which one may begin
 * (Shin, Ramdas, Rinaldo, arXiv 2203.03532). Wealth is kept as its natural
 * logarithm and never as itself. Pure; plain data that may be copied.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_BET_H
#define TIDEGATE_ENGINE_EVIDENCE_BET_H

#include <stdbool.h>
#include <stddef.h>

#define BET_SIZES_MAX   5
#define BET_BUCKETS_MAX 40

struct bet {
	/* By size of the regression, a stake times e^scale: a check multiplies
	 * the stake, and moves the scale before it could be no number. */
	double stake[BET_SIZES_MAX], scale[BET_SIZES_MAX];
	double cash; /* ln of what was not bet yet */
	double wealth; /* ln E: stakes and cash */
	unsigned checks; /* updates so far */
};

/* What a check puts in: a share of the cash. */
struct bet_share {
	double put, kept; /* ln of the share, and of what is left */
};

/* How a bet moves; the same for all bets of a rollout. */
struct bet_rules {
	struct bet_share first, later; /* of the first check, of all others */
	double cap; /* a check multiplies the wealth by e^cap at most */
	double longer, recent; /* what is remembered of counts after a check */
};

struct bet_share bet_share(double share);

/*
 * ln(1 + v), v > -1: to the last digit, and in half the time of log1p. What a bet
 * gains is a likelihood ratio: of x hits in n trials when the odds of a hit, whose
 * chance is p, are multiplied by r it is ln(r) x - ln(1 + p (r - 1)) n.
 */
double log_1p(double v);

/* ln(e^a + e^b); either may be -INFINITY. */
double log_add(double a, double b);

/* ln of the mean of e^v. `n` > 0. */
double log_mean(const double *v, size_t n);

/* Nothing was bet yet. */
void bet_init(struct bet *bet);

/* The size, of `n`, that most is staked on. */
size_t bet_heaviest(const struct bet *bet, size_t n);

/* Takes one check: `gain` is the logarithm of the factor of each of `n` sizes
 * of a regression, the same n in every call. */
void bet_update(struct bet *bet, const double *gain, size_t n,
	const struct bet_rules *rules);

/* Of a histogram, what does not depend on the shift that is looked for. */
struct bet_buckets {
	size_t n;
	const bool *hit; /* borrowed; NULL: all are looked at */
	double above[BET_BUCKETS_MAX]; /* ln of the part in it and above */
	double part[BET_BUCKETS_MAX]; /* its part of all */
	double rest[BET_BUCKETS_MAX]; /* ln of what its part of those in it and
				       * above leaves; NaN: that is little */
};

/* `weights` are positive and need not sum to 1. `hit` says which buckets are
 * looked at, and lives as long as *buckets_r. */
void bet_buckets(const double *weights, size_t n, const bool *hit,
	struct bet_buckets *buckets_r);

/*
 * How much more often each bucket of a histogram is hit when the survival
 * function of the latency is taken to the power 1/kappa (Lehmann, Ann. Math.
 * Stat. 1953): rising with the bucket when kappa > 1. Only the ratios of buckets
 * that are looked at are set.
 */
void bet_bucket_ratios(
	const struct bet_buckets *buckets, double kappa, double *ratios_r);

#endif
