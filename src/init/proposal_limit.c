/* SPDX-License-Identifier: Apache-2.0 */
/* From a week to limits; see proposal.h. */
#include <math.h>

#include "init/proposal.h"

#define USUAL_ERRORS    0.05
#define USUAL_LATENCY   1.0
#define LEAST_ERRORS    0.001 /* less is no reason to take a release back */
#define MOST_ERRORS     0.5
#define LEAST_LATENCY   0.001
#define LATENCY_TIMES   1.25 /* the usual: it is no reason, either */
#define USUAL_OBJECTIVE 0.01 /* of evidence, which compares anyhow */
#define USUAL_INCREASE  0.02 /* of limits, which are compared then */
#define LEAST_INCREASE  0.005
#define RATIO           1.5 /* of latencies: less would be noise of buckets */
#define QUANTILE        0.95
#define QUANTILE_MOST   0.99

/* Two standard deviations of the 95th percentile's place among so many. */
double proposal_quantile(double requests)
{
	double q = QUANTILE;

	if (requests > 0)
		q += 2 * sqrt(QUANTILE * (1 - QUANTILE) / requests);
	q = ceil(q * 1000 - 1e-9) / 1000;
	return q < QUANTILE_MOST ? q : QUANTILE_MOST;
}

/* Of so few requests one failure is a large share. */
static double by_chance(const struct proposal *p, struct proposed_limit *limit)
{
	double requests = p->pace.expected;

	if (!(requests > 0))
		return 0;
	/* None at all in so many is less than three of them, by 95 %. */
	limit->chance = week_chance(
		requests, fmax(limit->week.median,
				  3 / (requests * (double)limit->week.n + 1)));
	return limit->chance / requests;
}

/* Where stable had incidents its limit is far above what it usually has: what is
 * worse than stable at the same time is found below that. */
static void compare_errors(struct proposed_limit *limit, double chance)
{
	double increase = fmax(fmax(limit->week.p99, chance), LEAST_INCREASE);

	increase = week_round_up(increase);
	if (increase <= limit->value / 2)
		limit->beyond_stable = increase;
}

static void set_errors(struct proposal *p)
{
	struct proposed_limit *limit = &p->errors;
	double least, chance;

	limit->is_measured = week_is_enough(&limit->week);
	if (!limit->is_measured) {
		limit->value = p->is_evidence ? USUAL_OBJECTIVE : USUAL_ERRORS;
		limit->value = fmax(
			limit->value, week_round_up(limit->week.high * 1.5));
		limit->beyond_stable = USUAL_INCREASE;
	} else {
		limit->value = week_limit(&limit->week);
		chance = by_chance(p, limit);
		least = fmax(chance, LEAST_ERRORS);
		limit->is_raised = limit->value < least;
		limit->value = week_round_up(fmax(limit->value, least));
		compare_errors(limit, chance);
	}
	limit->value = fmin(limit->value, MOST_ERRORS);
}

static void set_latency(struct proposal *p)
{
	struct proposed_limit *limit = &p->latency;
	double least = limit->week.median * LATENCY_TIMES;

	limit->is_measured = week_is_enough(&limit->week);
	limit->value = limit->is_measured
			       ? week_limit(&limit->week)
			       : fmax(USUAL_LATENCY, limit->week.high * 1.5);
	limit->is_raised = limit->is_measured && limit->value < least;
	limit->value =
		week_round_up(fmax(fmax(limit->value, least), LEAST_LATENCY));
	if (limit->is_measured && limit->value > 2 * RATIO * limit->week.median)
		limit->beyond_stable = RATIO;
}

void proposal_set_limits(struct proposal *proposal)
{
	set_errors(proposal);
	set_latency(proposal);
}
