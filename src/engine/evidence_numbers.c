/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bets of one objective come to: the numbers that are decided by and
 * told. See evidence_objective.h; how bets move is evidence_objective.c's.
 */
#include <math.h>

#include "engine/evidence_objective.h"
#include "engine/evidence_shape.h"
#include "engine/logs.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* How much a test weighs, and ln of it: statistics, section 6. */
static const double half_log = -0.69314718055994529;
static const double pass_sizes_log = 1.6094379124341003; /* of their numbers */
static const double pass_ratios_log = 1.0986122886681098;
static const double test_weights[2][TEST_SHAPE + 1] = {
	{0.85, 0.15, 0}, /* ratio */
	{0.35, 0.15, 0.5}, /* latency */
};
static const double weight_logs[2][TEST_SHAPE + 1] = {
	{-0.16251892949777494, -1.8971199848858813, -INFINITY},
	{-1.0498221244986778, -1.8971199848858813, half_log},
};

static double lesser(double a, double b)
{
	return a < b ? a : b;
}

static double greater(double a, double b)
{
	return a > b ? a : b;
}

static double log_pass(const struct evidence_objective *o)
{
	double level = log_mean(o->pass_level, PASS_SIZES), low = 0;

	if (o->none || !o->full)
		return level;
	if (o->limit_low > 0)
		low = log_mean(o->pass_low, PASS_SIZES);
	return lesser(level,
		half_log + log_add(log_mean(o->pass_ratio, PASS_RATIOS), low));
}

/* The mean of some is not more than the most of them, and not less than its
 * part of it. */
static struct objective_bounds mean_bounds(
	const double *logs, size_t n, double log_n)
{
	double most = logs[0];
	size_t i;

	for (i = 1; i < n; i++)
		most = greater(most, logs[i]);
	return (struct objective_bounds){most - log_n, most};
}

struct objective_bounds objective_pass_bounds(
	const struct evidence_objective *o)
{
	struct objective_bounds level, ratio, low = {0, 0};

	level = mean_bounds(o->pass_level, PASS_SIZES, pass_sizes_log);
	if (o->none || !o->full)
		return level;
	ratio = mean_bounds(o->pass_ratio, PASS_RATIOS, pass_ratios_log);
	if (o->limit_low > 0)
		low = mean_bounds(o->pass_low, PASS_SIZES, pass_sizes_log);
	return (struct objective_bounds){
		lesser(level.least, half_log + greater(ratio.least, low.least)),
		lesser(level.most, greater(ratio.most, low.most))};
}

/* The evidence is the mean of the bets, of which some count more. */
static void weigh(const struct evidence_spec *spec,
	const struct evidence_numbers *n, double parts[TEST_SHAPE + 1])
{
	const double *logs = weight_logs[spec->latency];

	parts[TEST_RATIO] = logs[TEST_RATIO] + n->ratio;
	parts[TEST_LEVEL] = logs[TEST_LEVEL] + n->level;
	parts[TEST_SHAPE] = logs[TEST_SHAPE] + n->shape;
}

enum evidence_test objective_heaviest(
	const struct evidence_spec *spec, const struct evidence_numbers *n)
{
	double parts[TEST_SHAPE + 1];
	enum evidence_test most = TEST_RATIO, i;

	weigh(spec, n, parts);
	for (i = TEST_LEVEL; i <= TEST_SHAPE; i++) {
		if (parts[i] > parts[most])
			most = i;
	}
	return most;
}

double objective_shift(const struct evidence_objective *o)
{
	return shape_shift(bet_heaviest(&o->shape, SHAPE_SIZES));
}

/* Of wealth that may be any number. */
static void numbers_by_logs(const struct evidence_objective *o,
	const struct evidence_spec *spec, bool open,
	struct evidence_numbers *numbers_r)
{
	struct evidence_numbers *n = numbers_r;
	double parts[TEST_SHAPE + 1], ratio = bet_wealth(&o->ratio);
	double shape = bet_wealth(&o->shape);

	n->ratio = open ? ratio : lesser(ratio, 0);
	n->shape = open ? shape : lesser(shape, 0);
	n->level = bet_wealth(&o->level);
	weigh(spec, n, parts);
	n->log_e = log_add(parts[TEST_RATIO], parts[TEST_LEVEL]);
	if (spec->latency)
		n->log_e = log_add(n->log_e, parts[TEST_SHAPE]);
	n->e = 0;
}

/* Below its floor a share of bad requests counts for the candidate alone. */
static bool floor_is_reached(
	const struct evidence_objective *o, const struct evidence_spec *spec)
{
	return o->floor.n > 0 && o->floor.x >= spec->floor * o->floor.n;
}

/* The wealth was counted as it is, as it mostly can be. */
static bool is_in_sums(const struct evidence_objective *o)
{
	return o->ratio.unit == 0 && o->level.unit == 0 && o->shape.unit == 0;
}

static double e_by_sums(const struct evidence_spec *spec, double ratio,
	double level, double shape)
{
	const double *weights = test_weights[spec->latency];

	return weights[TEST_RATIO] * ratio + weights[TEST_LEVEL] * level +
	       weights[TEST_SHAPE] * shape;
}

static void numbers_by_sums(const struct evidence_objective *o,
	const struct evidence_spec *spec, bool open,
	struct evidence_numbers *numbers_r)
{
	double most = open ? INFINITY : 1;
	double ratio = lesser(o->ratio.total, most);
	double shape = lesser(o->shape.total, most);
	double logs[] = {0, ratio, o->level.total, shape};
	struct evidence_numbers *n = numbers_r;

	n->e = e_by_sums(spec, ratio, o->level.total, shape);
	logs[0] = n->e;
	logs_of(logs, LENGTH(logs));
	n->log_e = logs[0];
	n->ratio = logs[1];
	n->level = logs[2];
	n->shape = logs[3];
}

double objective_e(
	const struct evidence_objective *o, const struct evidence_spec *spec)
{
	double most = floor_is_reached(o, spec) ? INFINITY : 1;

	return !is_in_sums(o)
		       ? 0
		       : e_by_sums(spec, lesser(o->ratio.total, most),
				 o->level.total, lesser(o->shape.total, most));
}

bool objective_is_calm(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec)
{
	return o->stable.x < rules->calm_events ||
	       o->stable.x <= objective_normal(o, rules, spec, 0) * o->stable.n;
}

void objective_numbers(const struct evidence_objective *o,
	const struct evidence_rules *rules, const struct evidence_spec *spec,
	struct evidence_numbers *numbers_r)
{
	bool open = floor_is_reached(o, spec);

	if (is_in_sums(o))
		numbers_by_sums(o, spec, open, numbers_r);
	else
		numbers_by_logs(o, spec, open, numbers_r);
	numbers_r->log_pass = log_pass(o);
	numbers_r->calm = objective_is_calm(o, rules, spec);
}
