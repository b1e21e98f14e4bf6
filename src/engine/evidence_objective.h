/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evidence of one objective: requests of the candidate and of stable, in
 * bins, become three bets against the candidate (more bad requests than stable
 * in the same time; more than stable has shown to be normal; a distribution of
 * latency that is shifted as a whole) and the evidence that a step may be left.
 * Pure; plain data but for its bins, which are its owner's.
 *
 * Counts are doubles. Bins of a ratio: good and bad requests. Bins of a
 * latency: the requests in each bucket, not cumulated.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_OBJECTIVE_H
#define TIDEGATE_ENGINE_EVIDENCE_OBJECTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/evidence_bet.h"

#define EVIDENCE_BINS_MAX  40 /* two for a ratio, else a histogram's buckets */
#define EVIDENCE_COUNT_MAX 1e15 /* requests; whole numbers are exact up to it */
#define PASS_SIZES         5
#define PASS_RATIOS        3

/* The constants of a rollout; evidence_defaults has the usual ones. */
struct evidence_rules {
	double alpha; /* of the whole rollout: rollbacks of good releases */
	double beta; /* of a step: passed early although it is above its limit */
	double check_s; /* from check to check */
	double no_control; /* above this share stable is no control */
	double pass_ratio; /* as bad as that beside stable is to be excluded */
	double first, hazard_s; /* what a bet puts in */
	double floor_share; /* of the objective; below it nothing counts */
	double memory_s, recent_s; /* how long counts are remembered */
	double level_ratio,
		level_add; /* beside stable's, before level counts */
	double history_margin; /* above what stable's history shows */
	double dwell_s; /* least time in a step */
	double warmup_s; /* of a step, that latency is not judged in */
	double suspicion; /* ln E above which no step is passed */
	double calm_events; /* bad requests that do not make stable uneasy */
	bool step_back; /* without a control the first cross goes back */
};

extern const struct evidence_rules evidence_defaults;

/* What is known of an objective before the rollout. */
struct evidence_spec {
	double objective; /* share of bad requests that may be */
	double tolerance; /* times stable's share that may be */
	double floor; /* share of bad requests that never counts */
	double phi, phi_level, phi_shape; /* over-dispersion, at least 1 */
	double check_s; /* its own, where it is not that of the rules; or 0 */
	bool latency;
	size_t bins;
	size_t bound; /* latency: the bucket whose upper bound it is */
};

static inline double evidence_check_s(
	const struct evidence_rules *rules, const struct evidence_spec *spec)
{
	return spec->check_s > 0 ? spec->check_s : rules->check_s;
}

/* One arm's requests since the check before; `known` is false when there was
 * no fresh sample, which is not the same as no requests. */
struct evidence_counts {
	bool known;
	double bin[EVIDENCE_BINS_MAX];
};

/* Requests and bad ones among them. */
struct request_sum {
	double n, x;
};

struct evidence_arms {
	struct request_sum candidate, stable;
};

struct evidence_objective {
	/* As many as the spec's: of one arm, until the other one is known, too;
	 * for a latency as many more: of stable over the whole rollout, as in
	 * `learned`. They are the owner's, who makes them 0. */
	double *bins;

	/* Over the whole rollout, and stable's past before it. */
	struct request_sum learned;

	/* Over the climb: since the start, or since the step back. */
	struct bet ratio, level, shape;
	struct request_sum candidate, stable; /* of late */
	struct request_sum floor; /* the candidate's, for longer */
	struct request_sum normal; /* stable's, for longer */
	bool candidate_waits, stable_waits; /* one of them at most */

	/* Over the step. */
	double share; /* planned */
	bool none; /* no control is to be expected */
	bool full; /* the objective itself is to be shown */
	double limit_level, limit_low; /* shares that are to be excluded */
	unsigned checks;
	double level_cost[PASS_SIZES], low_cost[PASS_SIZES];
	double pass_level[PASS_SIZES], pass_low[PASS_SIZES];
	double pass_ratio[PASS_RATIOS];
};

/* The numbers of an objective after a check, natural logarithms. */
struct evidence_numbers {
	double log_e, ratio, level, shape; /* against the candidate */
	double e; /* e^log_e; 0: it may be no number */
	double log_pass; /* for leaving the step */
	bool calm; /* stable is not in trouble itself */
};

/* A count as it is taken: what cannot be one is 0, also what is no number. */
double evidence_count(double v);

/* `history` is stable's before the rollout; `histogram` NULL: none. */
void objective_init(struct evidence_objective *o,
	const struct evidence_spec *spec, double *bins,
	struct request_sum history, const double *histogram);

/* All evidence is as new; what is known of stable stays. */
void objective_climb_again(struct evidence_objective *o);

/* A step begins. `limit` is the share of bad requests that may be true and
 * still cost little at the next share; `final`: the next share has no control,
 * or there is none. */
void objective_begin_step(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double share, double limit, bool final);

/* Takes the counts of one check; returns the sums of them. */
struct evidence_arms objective_check(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, const struct evidence_counts *candidate,
	const struct evidence_counts *stable);

/* e^log_e of the numbers; 0: it may be no number. */
double objective_e(
	const struct evidence_objective *o, const struct evidence_spec *spec);

/* Between which log_pass of the numbers is, without a logarithm; both within
 * what rounding may take. */
struct objective_bounds {
	double least, most;
};

struct objective_bounds objective_pass_bounds(
	const struct evidence_objective *o);

/* `calm` of the numbers. */
bool objective_is_calm(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec);

void objective_numbers(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	struct evidence_numbers *numbers_r);

enum evidence_test { TEST_RATIO, TEST_LEVEL, TEST_SHAPE };

/* The bet that weighs most against the candidate. */
enum evidence_test objective_heaviest(
	const struct evidence_spec *spec, const struct evidence_numbers *n);

/* By how many times latency is shifted, as far as the bet on its shape can
 * tell: the alternative that has won most. */
double objective_shift(const struct evidence_objective *o);

/* The share of bad requests that is normal for this service, as far as its
 * stable revision has shown; `seen` is a share seen of late, or 0. */
double objective_normal(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double seen);

#endif
