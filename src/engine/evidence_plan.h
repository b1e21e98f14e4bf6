/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy can see: how long a regression of a given size takes to be
 * found in a step, before anything was released. Pure.
 *
 * From the expected growth of the bets: evidence needed over evidence per
 * second. Simulated, the median said is 0.9 to 1.5 times the true one with a
 * control, and nine of ten are found by the later time in 71 to 100 %.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_PLAN_H
#define TIDEGATE_ENGINE_EVIDENCE_PLAN_H

#include "engine/evidence_objective.h"

/* A step of one objective of a service. Times in seconds. */
struct plan_step {
	double rate; /* requests per second, of both revisions */
	double base; /* share of bad requests of stable */
	double share; /* of the candidate */
	size_t objectives; /* of the policy; at least 1 */
	double scrape_s; /* the metrics' own interval */
	double late_s; /* how old the newest sample is */
	struct request_sum history; /* of stable, before the rollout */
};

struct plan_times {
	double median_s, most_s; /* half, nine of ten found; INFINITY: never */
};

/* A candidate whose share of bad requests is `ratio` times stable's. */
void plan_find(const struct plan_step *step, const struct evidence_rules *rules,
	const struct evidence_spec *spec, double ratio,
	struct plan_times *times_r);

/* The smallest ratio that nine of ten times is found within `within_s`;
 * INFINITY: none, not even an outage. */
double plan_smallest(const struct plan_step *step,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double within_s);

/* So many bad requests of this objective hurt as one that failed. */
double plan_weight(const struct evidence_spec *spec);

/*
 * The share of bad requests that may be true in a step and still cost no more
 * than `harm` requests before it is seen at the next share. Slow requests
 * weigh less than failed ones.
 */
double plan_limit(const struct plan_step *step,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double next_share, double harm);

#endif
