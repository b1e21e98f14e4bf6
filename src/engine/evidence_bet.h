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

#define BET_SIZES_MAX 5
#define BETS_MAX      3 /* that are moved at once */

struct bet {
	/* By size of the regression, what is staked on it, and what was not bet
	 * yet: in e^unit. `apart`: their logarithms. */
	double stake[BET_SIZES_MAX], cash;
	double total; /* all of it, in e^unit: E */
	double unit; /* 0 until E is very large or small */
	bool apart; /* they are too different for one unit */
	unsigned checks; /* updates so far */
};

/* What a check puts in: a share of the cash. */
struct bet_share {
	double put, kept; /* the share, and what is left */
	double put_log, kept_log;
};

/* How a bet moves; the same for all bets of a rollout. */
struct bet_rules {
	struct bet_share first, later; /* of the first check, of all others */
	double cap; /* a check multiplies the wealth by e^cap at most … */
	double cap_times; /* … which is this */
	double longer, recent; /* what is remembered of counts after a check */
	double pass_ratio_log; /* of evidence_rules */
};

struct bet_share bet_share(double share);

/* Shares of the first check and of all others, and the cap. */
struct bet_rules bet_rules(double first, double later, double cap);

/* ln(e^a + e^b); either may be -INFINITY. */
double log_add(double a, double b);

/* ln of the mean of e^v. 0 < `n` <= BET_SIZES_MAX. */
double log_mean(const double *v, size_t n);

/* Nothing was bet yet. */
void bet_init(struct bet *bet);

/* ln E. */
double bet_wealth(const struct bet *bet);

/* The size, of `n`, that most is staked on; any, when all stakes were lost. */
size_t bet_heaviest(const struct bet *bet, size_t n);

/*
 * One check of a bet: `gain` is the logarithm of the factor of each of `n` sizes
 * of a regression, the same n in every check; NULL: each is 0. It is a likelihood
 * ratio: of x hits in n trials when the odds of a hit, whose chance is p, are
 * multiplied by r it is ln(r) x - ln(1 + p (r - 1)) n.
 */
struct bet_move {
	struct bet *bet;
	const double *gain;
	size_t n;
};

/* Takes one check of each of `n` <= BETS_MAX bets, all different. */
void bets_update(
	const struct bet_move *moves, size_t n, const struct bet_rules *rules);

static inline void bet_update(struct bet *bet, const double *gain, size_t n,
	const struct bet_rules *rules)
{
	const struct bet_move move = {bet, gain, n};

	bets_update(&move, 1, rules);
}

#endif
