/* The evidence of one objective; see evidence_objective.h. */
#include "engine/evidence_objective.h"

#include <math.h>
#include <string.h>

#include "policy/policy.h"

#define SHARE_MAX   0.95 /* references are shares below that */
#define LEVEL_MAX   0.5 /* … and limits below that */
#define SHAPE_MIN   200 /* of stable's requests, before shapes are compared */
#define BUCKET_SEED 0.5 /* that each bucket has in advance */
#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))

/* Sizes of a regression that is looked for, as a factor; statistics, section 3:
 * of the tolerated ratio, of the odds, of the tolerated shift. */
static const double ratio_sizes[] = {1.5, 2.5, 5, 12, 40};
static const double level_sizes[] = {1.5, 3, 8, 30};
static const double shape_sizes[] = {1.1, 1.25, 1.6, 2.5};
static const double shape_tolerated = 1.1;

/* What may be true of a release that passes: odds of the limit, ratios. */
static const double pass_sizes[PASS_SIZES] = {.75, .5, .25, .1, .02};
static const double pass_ratios[PASS_RATIOS] = {.5, 1, 1.4};

const struct evidence_rules evidence_defaults = {
	.alpha = 0.05,
	.beta = 0.05,
	.check_s = 15,
	.no_control = POLICY_CONTROL_PERCENT_MAX / 100.0,
	.pass_ratio = 2,
	.first = 0.7,
	.hazard_s = 1000,
	.floor_share = 0.1,
	.memory_s = 300,
	.recent_s = 120,
	.level_ratio = 2,
	.level_add = 2,
	.history_margin = 1.5,
	.dwell_s = POLICY_DWELL_MS / 1000,
	.warmup_s = 60,
	.suspicion = 1,
	.calm_events = 5,
	.step_back = true,
};

enum { CANDIDATE, STABLE };

/* One arm of one check, in bounds. */
struct arm {
	double bin[EVIDENCE_BINS_MAX];
	struct request_sum sum;
};

double evidence_count(double v)
{
	return v > 0 ? fmin(v, EVIDENCE_COUNT_MAX) : 0;
}

static void arm_sum(struct arm *arm, const struct evidence_spec *spec)
{
	size_t i;

	arm->sum = (struct request_sum){0, 0};
	for (i = 0; i < spec->bins; i++) {
		arm->sum.n += arm->bin[i];
		if (i > (spec->latency ? spec->bound : 0))
			arm->sum.x += arm->bin[i];
	}
}

static void arm_fill(struct arm *arm, const struct evidence_spec *spec,
	const struct evidence_counts *counts)
{
	size_t i;

	for (i = 0; i < spec->bins; i++)
		arm->bin[i] =
			counts->known ? evidence_count(counts->bin[i]) : 0;
	arm_sum(arm, spec);
}

/* Sums move only in checks in which their arm had requests. */
static void tally_decay(struct request_sum *t, const struct request_sum *add,
	double check_s, double keep_s)
{
	double kept = exp(-check_s / keep_s);

	if (add->n <= 0)
		return;
	t->n = t->n * kept + add->n;
	t->x = t->x * kept + add->x;
}

static double tally_share(const struct request_sum *t)
{
	return t->n > 0 ? t->x / t->n : 0;
}

void objective_init(struct evidence_objective *o,
	const struct evidence_spec *spec, struct request_sum history,
	const double *histogram)
{
	memset(o, 0, sizeof(*o));
	o->learned = history;
	if (histogram)
		memcpy(o->histogram, histogram,
			spec->bins * sizeof(histogram[0]));
	objective_climb_again(o);
}

void objective_climb_again(struct evidence_objective *o)
{
	bet_init(&o->ratio);
	bet_init(&o->level);
	bet_init(&o->shape);
	o->candidate = o->stable = o->floor = o->normal =
		(struct request_sum){0, 0};
	o->candidate_waits = o->stable_waits = false;
	memset(o->waiting, 0, sizeof(o->waiting));
}

void objective_begin_step(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double share, double limit, bool final)
{
	double low = limit > spec->floor ? limit : spec->floor;

	o->share = share;
	o->none = share > rules->no_control;
	o->full = o->none || final || limit <= spec->objective;
	o->limit_level = o->full ? spec->objective : fmin(limit, LEVEL_MAX);
	o->limit_low = fmin(spec->objective, low);
	o->checks = 0;
	memset(o->pass_level, 0, sizeof(o->pass_level));
	memset(o->pass_low, 0, sizeof(o->pass_low));
	memset(o->pass_ratio, 0, sizeof(o->pass_ratio));
}

double objective_normal(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double seen)
{
	double n = o->learned.n, x = o->learned.x, upper, reference;

	if (n <= 0)
		return spec->objective;
	upper = (x + 1 + 2 * sqrt(x + 1)) / n;
	reference = rules->history_margin * fmax(upper, seen);
	reference = fmax(spec->floor, reference);
	if (x - 2 * sqrt(x) > spec->objective * n)
		return fmin(SHARE_MAX, reference);
	return fmin(spec->objective, reference);
}

/* The share that the candidate is held against in the level bet. */
static double level_reference(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct arm *stable)
{
	double longer = tally_share(&o->normal), base, beside;

	base = objective_normal(o, rules, spec, o->none ? longer : 0);
	if (o->none)
		return base;
	beside = spec->tolerance * fmax(tally_share(&stable->sum), longer);
	return fmin(SHARE_MAX, fmax(base, beside));
}

/* Stable shows nearly as much: the candidate is not blamed for it. */
static bool stable_has_it_too(
	const struct evidence_objective *o, const struct evidence_rules *rules)
{
	return !o->none && o->stable.n > 0 &&
	       o->candidate.x * o->stable.n <
		       rules->level_ratio * (o->stable.x + rules->level_add) *
			       o->candidate.n;
}

static void bet_on_level(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, const struct arm *candidate,
	const struct arm *stable)
{
	double reference = level_reference(o, rules, spec, stable);
	bool excused = stable_has_it_too(o, rules);
	double gain[LENGTH(level_sizes)];
	size_t i;

	for (i = 0; i < LENGTH(gain); i++) {
		gain[i] = bet_kernel(candidate->sum.x, candidate->sum.n,
				  reference, level_sizes[i]) /
			  spec->phi_level;
		if (excused)
			gain[i] = fmin(gain[i], 0);
	}
	bet_update(&o->level, gain, LENGTH(gain), bets);
}

static void pass_by_level(double *pass, const struct evidence_spec *spec,
	const struct arm *candidate, double limit)
{
	size_t i;

	for (i = 0; limit > 0 && i < PASS_SIZES; i++)
		pass[i] += bet_kernel(candidate->sum.x, candidate->sum.n, limit,
				   pass_sizes[i]) /
			   spec->phi;
}

static void bet_on_ratio(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, const struct request_sum *candidate,
	const struct request_sum *stable)
{
	double bad = candidate->x + stable->x, base, gain[LENGTH(ratio_sizes)];
	double part = candidate->n / (candidate->n + stable->n);
	size_t i;

	base = bet_kernel(candidate->x, bad, part, spec->tolerance);
	for (i = 0; i < LENGTH(gain); i++)
		gain[i] = (bet_kernel(candidate->x, bad, part,
				   ratio_sizes[i] * spec->tolerance) -
				  base) /
			  spec->phi;
	bet_update(&o->ratio, gain, LENGTH(gain), bets);
	base = bet_kernel(candidate->x, bad, part, rules->pass_ratio);
	for (i = 0; i < PASS_RATIOS; i++)
		o->pass_ratio[i] +=
			(bet_kernel(candidate->x, bad, part, pass_ratios[i]) -
				base) /
			spec->phi;
}

/* The whole distribution beside stable's, shifted by more than is tolerated. */
static void bet_on_shape(struct evidence_objective *o,
	const struct evidence_spec *spec, const struct bet_rules *bets,
	const struct arm *candidate, const struct arm *stable)
{
	double weights[EVIDENCE_BINS_MAX], all = 0, part, both;
	double shifted[EVIDENCE_BINS_MAX], allowed[EVIDENCE_BINS_MAX];
	double gain[LENGTH(shape_sizes)] = {0};
	size_t i, b;

	for (b = 0; b < spec->bins; b++) {
		all += o->histogram[b];
		weights[b] = o->histogram[b] + BUCKET_SEED;
	}
	if (all < SHAPE_MIN)
		return;
	part = candidate->sum.n / (candidate->sum.n + stable->sum.n);
	bet_bucket_ratios(weights, spec->bins, shape_tolerated, allowed);
	for (i = 0; i < LENGTH(gain); i++) {
		bet_bucket_ratios(weights, spec->bins,
			shape_tolerated * shape_sizes[i], shifted);
		for (b = 0; b < spec->bins; b++) {
			both = candidate->bin[b] + stable->bin[b];
			gain[i] += bet_kernel(candidate->bin[b], both, part,
					   shifted[b]) -
				   bet_kernel(candidate->bin[b], both, part,
					   allowed[b]);
		}
		gain[i] /= spec->phi_shape;
	}
	bet_update(&o->shape, gain, LENGTH(gain), bets);
}

static void learn(struct evidence_objective *o,
	const struct evidence_spec *spec, const struct arm *stable)
{
	size_t i;

	o->learned.n += stable->sum.n;
	o->learned.x += stable->sum.x;
	for (i = 0; spec->latency && i < spec->bins; i++)
		o->histogram[i] += stable->bin[i];
}

static void wait_for_other(struct evidence_objective *o, int which,
	const struct evidence_spec *spec, const struct arm *arm)
{
	size_t i;

	for (i = 0; i < spec->bins; i++)
		o->waiting[which][i] += arm->bin[i];
	if (which == CANDIDATE)
		o->candidate_waits = true;
	else
		o->stable_waits = true;
}

static void take_waiting(struct evidence_objective *o, int which,
	const struct evidence_spec *spec, struct arm *arm)
{
	memcpy(arm->bin, o->waiting[which], sizeof(arm->bin));
	memset(o->waiting[which], 0, sizeof(o->waiting[which]));
	arm_sum(arm, spec);
}

/* What needs both arms waits until both are known. */
static void compare(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, bool warming)
{
	struct arm candidate, stable;

	if (!o->candidate_waits || !o->stable_waits)
		return;
	o->candidate_waits = o->stable_waits = false;
	take_waiting(o, CANDIDATE, spec, &candidate);
	take_waiting(o, STABLE, spec, &stable);
	if (candidate.sum.n > 0 && stable.sum.n > 0 && !warming) {
		bet_on_ratio(o, rules, spec, bets, &candidate.sum, &stable.sum);
		if (spec->latency)
			bet_on_shape(o, spec, bets, &candidate, &stable);
	}
	learn(o, spec, &stable);
}

static void remember(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct request_sum *candidate,
	const struct request_sum *stable)
{
	tally_decay(&o->floor, candidate, rules->check_s, rules->memory_s);
	tally_decay(&o->candidate, candidate, rules->check_s, rules->recent_s);
	tally_decay(&o->normal, stable, rules->check_s, rules->memory_s);
	tally_decay(&o->stable, stable, rules->check_s, rules->recent_s);
}

void objective_check(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, const struct evidence_counts *candidate,
	const struct evidence_counts *stable)
{
	struct arm c, s;
	bool warming;

	arm_fill(&c, spec, candidate);
	arm_fill(&s, spec, stable);
	o->checks++;
	warming =
		spec->latency && o->checks * rules->check_s <= rules->warmup_s;
	if (warming)
		memset(&c, 0, sizeof(c)); /* only stable is learned */
	else
		remember(o, rules, &c.sum, &s.sum);
	if (c.sum.n > 0) {
		bet_on_level(o, rules, spec, bets, &c, &s);
		pass_by_level(o->pass_level, spec, &c, o->limit_level);
		pass_by_level(o->pass_low, spec, &c, o->limit_low);
	}
	if (candidate->known)
		wait_for_other(o, CANDIDATE, spec, &c);
	if (stable->known)
		wait_for_other(o, STABLE, spec, &s);
	compare(o, rules, spec, bets, warming);
}

static double log_pass(const struct evidence_objective *o)
{
	double level = log_mean(o->pass_level, PASS_SIZES), beside;
	double low = o->limit_low > 0 ? log_mean(o->pass_low, PASS_SIZES) : 0;

	if (o->none || !o->full)
		return level;
	beside = log_add(log_mean(o->pass_ratio, PASS_RATIOS), low) - log(2);
	return fmin(level, beside);
}

void objective_numbers(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	struct evidence_numbers *numbers_r)
{
	struct evidence_numbers *n = numbers_r;
	bool open = o->floor.n > 0 && o->floor.x >= spec->floor * o->floor.n;

	n->ratio = open ? o->ratio.wealth : fmin(o->ratio.wealth, 0);
	n->shape = open ? o->shape.wealth : fmin(o->shape.wealth, 0);
	n->level = o->level.wealth;
	if (spec->latency)
		n->log_e = log_add(
			log_add(log(0.5) + n->shape, log(0.35) + n->ratio),
			log(0.15) + n->level);
	else
		n->log_e = log_add(log(0.85) + n->ratio, log(0.15) + n->level);
	n->log_pass = log_pass(o);
	n->calm = o->stable.x < rules->calm_events ||
		  o->stable.x <=
			  objective_normal(o, rules, spec, 0) * o->stable.n;
}
