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

#include <stddef.h>

#define BET_SIZES_MAX 5

struct bet {
	double stake[BET_SIZES_MAX]; /* ln, by size of the regression */
	double cash; /* ln of what was not bet yet */
	double wealth; /* ln E: stakes and cash */
	unsigned checks; /* updates so far */
};

/* How a bet moves; the same for all bets of a rollout. */
struct bet_rules {
	double first; /* share of the cash that the first check bets */
	double later; /* … that every later one bets */
	double cap; /* a check multiplies the wealth by e^cap at most */
};

/* ln of the likelihood ratio of `hits` in `trials` when the odds of a hit are
 * multiplied by `odds`; `chance` is its probability without that. */
double bet_kernel(double hits, double trials, double chance, double odds);

/* ln(e^a + e^b); either may be -INFINITY. */
double log_add(double a, double b);

/* ln of the mean of e^v. `n` > 0. */
double log_mean(const double *v, size_t n);

/* Nothing was bet yet. */
void bet_init(struct bet *bet);

/* Takes one check: `gain` is the logarithm of the factor of each of `n` sizes
 * of a regression, the same n in every call. */
void bet_update(struct bet *bet, const double *gain, size_t n,
	const struct bet_rules *rules);

/*
 * How much more often each bucket of a histogram is hit when the survival
 * function of the latency is taken to the power 1/kappa (Lehmann, Ann. Math.
 * Stat. 1953): rising with the bucket when kappa > 1. `weights` are positive
 * and need not sum to 1.
 */
void bet_bucket_ratios(
	const double *weights, size_t n, double kappa, double *ratios_r);

#endif
