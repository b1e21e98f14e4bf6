/* From a week to limits; see proposal.h. */
#include <math.h>

#include "init/proposal.h"

#define USUAL_ERRORS  0.05
#define USUAL_LATENCY 1.0
#define LEAST_ERRORS  0.001 /* less is no reason to take a release back */
#define MOST_ERRORS   0.5
#define LEAST_LATENCY 0.001
#define LATENCY_TIMES 1.25 /* the usual: it is no reason, either */
#define QUANTILE      0.95
#define QUANTILE_MOST 0.99

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

static void set_errors(struct proposal *p)
{
	struct proposed_limit *limit = &p->errors;
	double least;

	limit->is_measured = week_is_enough(&limit->week);
	if (!limit->is_measured) {
		limit->value = fmax(
			USUAL_ERRORS, week_round_up(limit->week.high * 1.5));
	} else {
		limit->value = week_limit(&limit->week);
		least = fmax(by_chance(p, limit), LEAST_ERRORS);
		limit->is_raised = limit->value < least;
		limit->value = week_round_up(fmax(limit->value, least));
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
}

void proposal_set_limits(struct proposal *proposal)
{
	set_errors(proposal);
	set_latency(proposal);
}
