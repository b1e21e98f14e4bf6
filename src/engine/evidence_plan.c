/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy can see; see evidence_plan.h. */
#include "engine/evidence_plan.h"

#include <math.h>

#define RATIO_MAX      1e6
#define HALVINGS       60
#define SLOW_WEIGHT    5 /* so many slow requests hurt as one that failed */
#define REACT_LEAST_S  60
#define REACT_SAMPLE_S 30

/* Nats per trial that tell a chance of `is` from one of `was`. */
static double divergence(double is, double was)
{
	double rest = is < 1 ? (1 - is) * log((1 - is) / (1 - was)) : 0;

	return is * log(is / was) + rest;
}

static double whole_checks(const struct evidence_rules *rules, double s)
{
	/* A time that is whole but for the last bits is whole. */
	return ceil(s / rules->check_s - 1e-9) * rules->check_s;
}

static double candidate_part(double share, double ratio)
{
	return share * ratio / (1 + share * (ratio - 1));
}

/* With a control: nats per second of bad requests' parts, 0 for never. */
static double ratio_speed(const struct plan_step *step,
	const struct evidence_spec *spec, double ratio)
{
	double bad = step->rate * step->base * (1 + step->share * (ratio - 1));

	if (ratio <= spec->tolerance || ratio * step->base < spec->floor)
		return 0;
	return bad *
	       divergence(candidate_part(step->share, ratio),
		       candidate_part(step->share, spec->tolerance)) /
	       spec->phi;
}

/* Without one: of the candidate's share beside what is normal. */
static double level_speed(const struct plan_step *step,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double ratio)
{
	const struct evidence_objective known = {.learned = step->history};
	double normal = objective_normal(&known, rules, spec, 0);
	double is = fmin(ratio * step->base, 1);

	if (is <= normal)
		return 0;
	return step->rate * divergence(is, normal) / spec->phi_level;
}

void plan_find(const struct plan_step *step, const struct evidence_rules *rules,
	const struct evidence_spec *spec, double ratio,
	struct plan_times *times_r)
{
	bool none = step->share > rules->no_control;
	double speed = none ? level_speed(step, rules, spec, ratio)
			    : ratio_speed(step, spec, ratio);
	double needed =
		log((double)step->objectives / rules->alpha) + (none ? 4 : 2.2);
	double least = (none ? 3 : 2) * rules->check_s;
	double edge = (step->scrape_s + rules->check_s) / 2;

	if (speed <= 0) {
		*times_r = (struct plan_times){INFINITY, INFINITY};
		return;
	}
	times_r->median_s =
		step->late_s +
		whole_checks(rules, fmax(least, needed / speed + edge));
	times_r->most_s =
		step->late_s + rules->check_s +
		whole_checks(rules, fmax(least, 2 * needed / speed + edge));
}

double plan_smallest(const struct plan_step *step,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double within_s)
{
	double low = 1, high = RATIO_MAX, middle;
	struct plan_times times;
	int i;

	plan_find(step, rules, spec, high, &times);
	if (times.most_s > within_s)
		return INFINITY;
	for (i = 0; i < HALVINGS; i++) {
		middle = sqrt(low * high);
		plan_find(step, rules, spec, middle, &times);
		if (times.most_s > within_s)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double plan_weight(const struct evidence_spec *spec)
{
	return spec->latency ? SLOW_WEIGHT : 1;
}

double plan_limit(const struct plan_step *step,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double next_share, double harm)
{
	double react = fmax(REACT_LEAST_S,
		2 * rules->check_s + step->late_s + REACT_SAMPLE_S);

	return harm * plan_weight(spec) / (step->rate * next_share * react);
}
