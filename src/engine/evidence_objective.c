/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence of one objective; see evidence_objective.h. */
#include "engine/evidence_objective.h"

#include <math.h>
#include <string.h>

#include "engine/evidence_shape.h"
#include "engine/logs.h"
#include "policy/policy.h"

#define SHARE_MAX   0.95 /* references are shares below that */
#define LEVEL_MAX   0.5 /* … and limits below that */
#define SHAPE_MIN   200 /* of stable's requests, before shapes are compared */
#define BUCKET_SEED 0.5 /* that each bucket has in advance */
#define LENGTH(a)   (sizeof(a) / sizeof((a)[0]))

/* Sizes of a regression that is looked for, as a factor; statistics, section 3:
 * of the tolerated ratio, of the odds; and their logarithms. */
static const double ratio_sizes[] = {1.5, 2.5, 5, 12, 40};
static const double ratio_logs[] = {0.40546510810816438, 0.91629073187415511,
	1.6094379124341003, 2.4849066497880004, 3.6888794541139363};
static const double level_sizes[] = {1.5, 3, 8, 30};
static const double level_logs[] = {0.40546510810816438, 1.0986122886681098,
	2.0794415416798357, 3.4011973816621555};

/* What may be true of a release that passes: odds of the limit, ratios. */
static const double pass_sizes[PASS_SIZES] = {.75, .5, .25, .1, .02};
static const double pass_logs[PASS_SIZES] = {-0.2876820724517809,
	-0.69314718055994529, -1.3862943611198906, -2.3025850929940455,
	-3.912023005428146};
static const double pass_ratios[PASS_RATIOS] = {.5, 1, 1.4};
static const double pass_ratio_logs[PASS_RATIOS] = {
	-0.69314718055994529, 0, 0.33647223662121289};

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
	.dwell_s = POLICY_DWELL_MS / 1000.0,
	.warmup_s = 60,
	.suspicion = 1,
	.calm_events = 5,
	.step_back = true,
};

/* One arm of one check, in bounds. */
struct arm {
	double bin[EVIDENCE_BINS_MAX];
	struct request_sum sum;
};

double evidence_count(double v)
{
	return !(v > 0) ? 0 : v < EVIDENCE_COUNT_MAX ? v : EVIDENCE_COUNT_MAX;
}

/* Of two numbers; fmin and fmax are calls, for what is none. */
static double lesser(double a, double b)
{
	return a < b ? a : b;
}

static double greater(double a, double b)
{
	return a > b ? a : b;
}

static void arm_sum(struct arm *arm, const struct evidence_spec *spec)
{
	size_t i, good = spec->latency ? spec->bound + 1 : 1;
	double n = 0, x = 0;

	for (i = 0; i < good && i < spec->bins; i++)
		n += arm->bin[i];
	for (; i < spec->bins; i++) {
		n += arm->bin[i];
		x += arm->bin[i];
	}
	arm->sum = (struct request_sum){n, x};
}

static void arm_fill(struct arm *arm, const struct evidence_spec *spec,
	const struct evidence_counts *counts)
{
	size_t i;

	if (!counts->known) {
		memset(arm->bin, 0, spec->bins * sizeof(arm->bin[0]));
		arm->sum = (struct request_sum){0, 0};
		return;
	}
	for (i = 0; i < spec->bins; i++)
		arm->bin[i] = evidence_count(counts->bin[i]);
	arm_sum(arm, spec);
}

/* Sums move only in checks in which their arm had requests. */
static void tally_decay(
	struct request_sum *t, const struct request_sum *add, double kept)
{
	if (add->n <= 0)
		return;
	t->n = t->n * kept + add->n;
	t->x = t->x * kept + add->x;
}

static double tally_share(const struct request_sum *t)
{
	return t->n > 0 ? t->x / t->n : 0;
}

/* Of a latency whose bins are known. */
static double *histogram_of(
	const struct evidence_objective *o, const struct evidence_spec *spec)
{
	return o->bins + spec->bins;
}

void objective_init(struct evidence_objective *o,
	const struct evidence_spec *spec, double *bins,
	struct request_sum history, const double *histogram)
{
	memset(o, 0, sizeof(*o));
	o->bins = bins;
	o->learned = history;
	if (histogram)
		memcpy(histogram_of(o, spec), histogram,
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
}

/* What one request that is not bad says against each size. */
static void pass_costs(double *costs_r, double limit)
{
	size_t i;

	for (i = 0; i < PASS_SIZES; i++)
		costs_r[i] = limit * (pass_sizes[i] - 1);
	logs_of_1p(costs_r, PASS_SIZES);
}

void objective_begin_step(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double share, double limit, bool final)
{
	double low = limit > spec->floor ? limit : spec->floor;

	o->share = share;
	o->none = share > rules->no_control;
	o->full = o->none || final || limit <= spec->objective;
	o->limit_level = o->full ? spec->objective : lesser(limit, LEVEL_MAX);
	o->limit_low = lesser(spec->objective, low);
	o->checks = 0;
	memset(o->pass_level, 0, sizeof(o->pass_level));
	memset(o->pass_low, 0, sizeof(o->pass_low));
	memset(o->pass_ratio, 0, sizeof(o->pass_ratio));
	pass_costs(o->level_cost, o->limit_level);
	pass_costs(o->low_cost, o->limit_low);
}

double objective_normal(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	double seen)
{
	double n = o->learned.n, x = o->learned.x, upper, reference;

	if (n <= 0)
		return spec->objective;
	upper = (x + 1 + 2 * sqrt(x + 1)) / n;
	reference = rules->history_margin * greater(upper, seen);
	reference = greater(spec->floor, reference);
	if (x - 2 * sqrt(x) > spec->objective * n)
		return lesser(SHARE_MAX, reference);
	return lesser(spec->objective, reference);
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
	beside = spec->tolerance * greater(tally_share(&stable->sum), longer);
	return lesser(SHARE_MAX, greater(base, beside));
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

static void pass_by_level(double *pass, const double *costs,
	const struct evidence_spec *spec, const struct arm *candidate,
	double limit)
{
	double per_phi = 1 / spec->phi, x = candidate->sum.x * per_phi;
	double n = candidate->sum.n * per_phi;
	size_t i;

	for (i = 0; limit > 0 && i < PASS_SIZES; i++)
		pass[i] += x * pass_logs[i] - n * costs[i];
}

/* What logarithms are taken of, all at once; … of how likely a bad request of the
 * candidate is when its odds are multiplied by a size, */
enum log_of {
	LOG_LEVEL,
	/* … and of how likely bad requests of both are when the candidate's
	 * part of all requests is multiplied: by what is tolerated, what is
	 * looked for, what a pass excludes, what may pass. */
	LOG_TOLERATED = LOG_LEVEL + LENGTH(level_sizes),
	LOG_SIZE,
	LOG_PASS = LOG_SIZE + LENGTH(ratio_sizes),
	LOG_MAY_PASS,
	LOGS = LOG_MAY_PASS + PASS_RATIOS
};

static void level_logs_of(double reference, double logs_r[LOGS])
{
	size_t i;

	for (i = 0; i < LENGTH(level_sizes); i++)
		logs_r[LOG_LEVEL + i] = reference * (level_sizes[i] - 1);
}

static void ratio_logs_of(const struct evidence_rules *rules,
	const struct evidence_spec *spec, double part, double logs_r[LOGS])
{
	size_t i;

	logs_r[LOG_TOLERATED] = part * (spec->tolerance - 1);
	for (i = 0; i < LENGTH(ratio_sizes); i++)
		logs_r[LOG_SIZE + i] =
			part * (ratio_sizes[i] * spec->tolerance - 1);
	logs_r[LOG_PASS] = part * (rules->pass_ratio - 1);
	for (i = 0; i < PASS_RATIOS; i++)
		logs_r[LOG_MAY_PASS + i] = part * (pass_ratios[i] - 1);
}

/* The bets of one check, before they are moved together. */
struct moves {
	struct bet_move move[BETS_MAX];
	size_t n;
	double level[LENGTH(level_sizes)], ratio[LENGTH(ratio_sizes)];
	double shape[SHAPE_SIZES];
};

static void add_move(
	struct moves *m, struct bet *bet, const double *gain, size_t n)
{
	m->move[m->n++] = (struct bet_move){bet, gain, n};
}

static void bet_on_level(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct request_sum *candidate, const double logs[LOGS],
	struct moves *m)
{
	double per_phi = 1 / spec->phi_level, x = candidate->x * per_phi;
	double n = candidate->n * per_phi;
	size_t i;

	for (i = 0; i < LENGTH(m->level); i++)
		m->level[i] = x * level_logs[i] - n * logs[LOG_LEVEL + i];
	if (stable_has_it_too(o, rules)) {
		for (i = 0; i < LENGTH(m->level); i++)
			m->level[i] = lesser(m->level[i], 0);
	}
	add_move(m, &o->level, m->level, LENGTH(m->level));
}

static void bet_on_ratio(struct evidence_objective *o,
	const struct evidence_spec *spec, const struct bet_rules *bets,
	const struct request_sum *candidate, const struct request_sum *stable,
	const double logs[LOGS], struct moves *m)
{
	double per_phi = 1 / spec->phi, x = candidate->x * per_phi;
	double bad = (candidate->x + stable->x) * per_phi;
	size_t i;

	for (i = 0; i < LENGTH(m->ratio); i++)
		m->ratio[i] = x * ratio_logs[i] -
			      bad * (logs[LOG_SIZE + i] - logs[LOG_TOLERATED]);
	add_move(m, &o->ratio, m->ratio, LENGTH(m->ratio));
	for (i = 0; i < PASS_RATIOS; i++)
		o->pass_ratio[i] +=
			x * (pass_ratio_logs[i] - bets->pass_ratio_log) -
			bad * (logs[LOG_MAY_PASS + i] - logs[LOG_PASS]);
}

/* The whole distribution beside stable's, shifted by more than is tolerated. */
static void bet_on_shape(struct evidence_objective *o,
	const struct evidence_spec *spec, const struct arm *candidate,
	const struct arm *stable, struct moves *m)
{
	const double *histogram = histogram_of(o, spec);
	double weights[EVIDENCE_BINS_MAX], all = 0;
	double per_phi = 1 / spec->phi_shape;
	size_t i;

	for (i = 0; i < spec->bins; i++) {
		all += histogram[i];
		weights[i] = histogram[i] + BUCKET_SEED;
	}
	if (all < SHAPE_MIN)
		return;
	shape_gains(weights, spec->bins, candidate->bin, stable->bin,
		candidate->sum.n / (candidate->sum.n + stable->sum.n),
		m->shape);
	for (i = 0; i < SHAPE_SIZES; i++)
		m->shape[i] *= per_phi;
	add_move(m, &o->shape, m->shape, SHAPE_SIZES);
}

static void learn(struct evidence_objective *o,
	const struct evidence_spec *spec, const struct arm *stable)
{
	double *histogram = histogram_of(o, spec);
	size_t i;

	o->learned.n += stable->sum.n;
	o->learned.x += stable->sum.x;
	for (i = 0; spec->latency && i < spec->bins; i++)
		histogram[i] += stable->bin[i];
}

static void add_waiting(const struct evidence_objective *o,
	const struct evidence_spec *spec, struct arm *arm)
{
	size_t i;

	for (i = 0; i < spec->bins; i++)
		arm->bin[i] += o->bins[i];
	arm_sum(arm, spec);
}

/* What needs both arms waits until both are known: one of them at most. */
static bool has_both(struct evidence_objective *o,
	const struct evidence_spec *spec, struct arm *candidate,
	bool candidate_known, struct arm *stable, bool stable_known)
{
	bool both;

	if (o->candidate_waits)
		add_waiting(o, spec, candidate);
	if (o->stable_waits)
		add_waiting(o, spec, stable);
	o->candidate_waits |= candidate_known;
	o->stable_waits |= stable_known;
	both = o->candidate_waits && o->stable_waits;
	if (both)
		o->candidate_waits = o->stable_waits = false;
	else if (o->candidate_waits || o->stable_waits)
		memcpy(o->bins, (o->candidate_waits ? candidate : stable)->bin,
			spec->bins * sizeof(double));
	return both;
}

static void remember(struct evidence_objective *o, const struct bet_rules *bets,
	const struct request_sum *candidate, const struct request_sum *stable)
{
	tally_decay(&o->floor, candidate, bets->longer);
	tally_decay(&o->candidate, candidate, bets->recent);
	tally_decay(&o->normal, stable, bets->longer);
	tally_decay(&o->stable, stable, bets->recent);
}

/* What a check has to compare. */
struct compared {
	struct request_sum candidate; /* of this check alone */
	bool level; /* the candidate had requests */
	bool ratio; /* both have, of this check and those that waited */
};

/* All bets of a check, whose logarithms and exponentials are taken together:
 * most of what a check costs are these. */
static void move_bets(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, const struct compared *compared,
	double reference, const struct arm *candidate, const struct arm *stable)
{
	const struct request_sum *c = &candidate->sum, *s = &stable->sum;
	bool bad = compared->ratio && c->x + s->x > 0;
	double logs[LOGS];
	struct moves m;
	size_t from = compared->level ? LOG_LEVEL : LOG_TOLERATED;

	m.n = 0;
	if (compared->level)
		level_logs_of(reference, logs);
	if (bad)
		ratio_logs_of(rules, spec, c->n / (c->n + s->n), logs);
	logs_of_1p(logs + from, (bad ? LOGS : LOG_TOLERATED) - from);
	if (compared->level)
		bet_on_level(o, rules, spec, &compared->candidate, logs, &m);
	/* Nothing bad, nothing to compare: the bets move without a gain. */
	if (bad)
		bet_on_ratio(o, spec, bets, c, s, logs, &m);
	else if (compared->ratio)
		add_move(&m, &o->ratio, NULL, LENGTH(m.ratio));
	if (compared->ratio && spec->latency)
		bet_on_shape(o, spec, candidate, stable, &m);
	bets_update(m.move, m.n, bets);
}

static void pass_levels(struct evidence_objective *o,
	const struct evidence_spec *spec, const struct arm *candidate)
{
	pass_by_level(
		o->pass_level, o->level_cost, spec, candidate, o->limit_level);
	if (!o->none && o->full)
		pass_by_level(o->pass_low, o->low_cost, spec, candidate,
			o->limit_low);
}

struct evidence_arms objective_check(struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	const struct bet_rules *bets, const struct evidence_counts *candidate,
	const struct evidence_counts *stable)
{
	struct evidence_arms arms;
	struct compared compared;
	struct arm c, s;
	double reference = 0;
	bool warming, both;

	arm_fill(&c, spec, candidate);
	arm_fill(&s, spec, stable);
	arms = (struct evidence_arms){c.sum, s.sum};
	o->checks++;
	warming = spec->latency &&
		  o->checks * evidence_check_s(rules, spec) <= rules->warmup_s;
	if (warming)
		memset(&c, 0, sizeof(c)); /* only stable is learned */
	else
		remember(o, bets, &c.sum, &s.sum);
	compared.candidate = c.sum;
	compared.level = c.sum.n > 0;
	if (compared.level) {
		reference = level_reference(o, rules, spec, &s);
		pass_levels(o, spec, &c);
	}
	both = has_both(o, spec, &c, candidate->known, &s, stable->known);
	compared.ratio = both && c.sum.n > 0 && s.sum.n > 0 && !warming;
	move_bets(o, rules, spec, bets, &compared, reference, &c, &s);
	if (both)
		learn(o, spec, &s);
	return arms;
}
