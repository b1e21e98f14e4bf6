/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence against the pinned vectors of test/vectors/sequential.json: each
 * number of each check to 1e-9, each decision exactly.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/rng.h"
#include "engine/evidence.h"
#include "engine/evidence_dispersion.h"
#include "engine/evidence_plan.h"
#include "engine/evidence_shape.h"

#define SLOS_MAX  8
#define ROWS_MAX  400
#define TOLERANCE 1e-9

static json_t *vectors;

static const json_t *part(const json_t *of, const char *name)
{
	const json_t *value = json_object_get(of, name);

	if (!value)
		fail_msg("the vectors have no \"%s\"", name);
	return value;
}

static double number(const json_t *of, const char *name)
{
	return json_number_value(part(of, name));
}

static double number_or(const json_t *of, const char *name, double otherwise)
{
	const json_t *value = json_object_get(of, name);

	return value ? json_number_value(value) : otherwise;
}

static size_t numbers(const json_t *list, double *values_r, size_t max)
{
	size_t i, n = json_array_size(list);

	assert_true(n <= max);
	for (i = 0; i < n; i++)
		values_r[i] = json_number_value(json_array_get(list, i));
	return n;
}

static void expect(double got, double wanted, const char *what, size_t i)
{
	double scale = fabs(wanted) > 1 ? fabs(wanted) : 1;

	if (!(fabs(got - wanted) <= TOLERANCE * scale))
		fail_msg("%s, %zu: %.17g instead of %.17g", what, i, got,
			wanted);
}

/* ---- parts ---- */

static void kernels_are_as_pinned(void **state)
{
	const json_t *row;
	size_t i;

	(void)state;
	json_array_foreach(part(part(vectors, "units"), "kernel"), i, row) {
		double odds = number(row, "rho");

		expect(number(row, "x") * log(odds) -
				number(row, "n") *
					log1p(number(row, "pi") * (odds - 1)),
			number(row, "K"), "kernel", i);
	}
}

static void bucket_ratios_are_as_pinned(void **state)
{
	double weights[EVIDENCE_BINS_MAX], ratios[EVIDENCE_BINS_MAX];
	double wanted[EVIDENCE_BINS_MAX], kappa;
	size_t all[EVIDENCE_BINS_MAX], i, b, n;
	const json_t *row;

	(void)state;
	json_array_foreach(part(part(vectors, "units"), "lehmann"), i, row) {
		n = numbers(part(row, "q"), weights, EVIDENCE_BINS_MAX);
		numbers(part(row, "ratio"), wanted, EVIDENCE_BINS_MAX);
		for (b = 0; b < n; b++)
			all[b] = b;
		kappa = number(row, "kappa");
		shape_ratios(weights, n, all, n, &kappa, 1, ratios);
		for (b = 0; b < n; b++)
			expect(ratios[b], wanted[b], "bucket ratio", i);
	}
}

static void bets_are_as_pinned(void **state)
{
	double gain[BET_SIZES_MAX];
	const json_t *row, *step;
	struct bet_rules rules;
	struct bet bet;
	size_t i, k, n;

	(void)state;
	json_array_foreach(part(part(vectors, "units"), "mixture"), i, row) {
		rules = bet_rules(number(row, "first"), number(row, "hazard"),
			number(row, "cap"));
		bet_init(&bet);
		json_array_foreach(part(row, "increments"), k, step) {
			n = numbers(step, gain, BET_SIZES_MAX);
			bet_update(&bet, gain, n, &rules);
			expect(bet_wealth(&bet),
				json_number_value(
					json_array_get(part(row, "log"), k)),
				"wealth", k);
		}
	}
}

/* ---- over-dispersion ---- */

static size_t ratio_history(const json_t *unit, struct history_row *rows)
{
	size_t i, half, n = json_array_size(part(unit, "n"));
	double requests, bad;

	assert_true(n <= ROWS_MAX);
	for (i = 0; i < n; i++) {
		for (half = 0; half < 2; half++) {
			requests = json_number_value(json_array_get(
				json_array_get(part(unit, "n"), i), half));
			bad = json_number_value(json_array_get(
				json_array_get(part(unit, "x"), i), half));
			rows[i].bin[half][0] = requests - bad;
			rows[i].bin[half][1] = bad;
		}
	}
	return n;
}

static void ratios_disperse_as_pinned(void **state)
{
	static struct history_row rows[ROWS_MAX];
	const struct evidence_spec spec = {.bins = 2};
	struct dispersion d;
	const json_t *unit;
	size_t i, n;

	(void)state;
	json_array_foreach(
		part(part(vectors, "units"), "dispersion"), i, unit) {
		n = ratio_history(unit, rows);
		dispersion_estimate(rows, n, &spec, &d);
		expect(d.phi, number(unit, "phi"), "phi", i);
		expect(d.phi_level, number(unit, "phi_level"), "phi_level", i);
		assert_true(d.phi_shape == 1);
	}
}

static void shapes_disperse_as_pinned(void **state)
{
	static struct history_row rows[ROWS_MAX];
	struct evidence_spec spec = {.latency = true};
	const json_t *unit, *row;
	struct dispersion d;
	size_t i, k, half;

	(void)state;
	json_array_foreach(
		part(part(vectors, "units"), "dispersion_shape"), i, unit) {
		json_array_foreach(part(unit, "h"), k, row) {
			for (half = 0; half < 2; half++)
				spec.bins = numbers(json_array_get(row, half),
					rows[k].bin[half], EVIDENCE_BINS_MAX);
		}
		dispersion_estimate(rows, k, &spec, &d);
		expect(d.phi_shape, number(unit, "phi_shape"), "phi_shape", i);
	}
}

static void dispersion_never_sharpens(void **state)
{
	const struct dispersion low = {0.4, 0.2, 0.1}, mixed = {4.5, 2, 3};
	struct evidence_spec spec = {.bins = 2};

	(void)state;
	dispersion_apply(&low, &spec);
	assert_true(
		spec.phi == 1 && spec.phi_level == 1 && spec.phi_shape == 1);
	dispersion_apply(&mixed, &spec);
	assert_true(spec.phi == 4.5 && spec.phi_level == 4.5);
	assert_true(spec.phi_shape == 3);
}

static void no_history_is_taken_for_some_dispersion(void **state)
{
	const struct evidence_spec spec = {.bins = 2};
	struct history_row none = {.bin = {{0, 0}, {0, 0}}};
	struct dispersion d;

	(void)state;
	dispersion_estimate(NULL, 0, &spec, &d);
	assert_true(d.phi == DISPERSION_UNKNOWN);
	dispersion_estimate(&none, 1, &spec, &d);
	assert_true(d.phi_level == DISPERSION_UNKNOWN);
	dispersion_estimate_whole(&none, 1, &spec, &d);
	assert_true(d.phi_shape == DISPERSION_UNKNOWN);
}

/* Two hours of 15 s: errors come so many at a time, 5 % of 200 requests. */
static double phi_of_clusters(double cluster, uint64_t seed)
{
	static struct history_row rows[480];
	const struct evidence_spec spec = {.bins = 2};
	struct dispersion d;
	struct rng rng;

	rng_init(&rng, seed);
	memset(rows, 0, sizeof(rows));
	for (size_t i = 0; i < 480; i++) {
		rows[i].bin[0][0] = rng_poisson(&rng, 190);
		rows[i].bin[0][1] = cluster * rng_poisson(&rng, 10 / cluster);
	}
	dispersion_estimate_whole(rows, 480, &spec, &d);
	assert_true(d.phi_shape == 1);
	assert_true(d.phi_level >= 1);
	return d.phi;
}

/* A compound Poisson count varies as often more than a plain one as its jumps
 * are high. */
static void one_series_disperses_as_its_clusters_do(void **state)
{
	double phi;

	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		phi = phi_of_clusters(1, seed);
		assert_true(phi >= 1 && phi < 2.5);
		phi = phi_of_clusters(6, seed);
		assert_true(phi > 5 && phi < 16);
	}
}

/* ---- whole rollouts ---- */

struct trial {
	const char *name;
	struct evidence_rules rules;
	struct bet_rules bets;
	struct evidence_state state;
	struct evidence_spec spec[SLOS_MAX];
	struct evidence_objective objective[SLOS_MAX];
	double bins[SLOS_MAX][2 * EVIDENCE_BINS_MAX];
	size_t n;
};

static void take_slo(struct trial *t, const json_t *slo)
{
	struct evidence_spec *spec = &t->spec[t->n];
	double phi = number_or(slo, "phi", 1), histogram[EVIDENCE_BINS_MAX];
	const json_t *past = json_object_get(slo, "hist_h");
	struct dispersion d = {phi, number_or(slo, "phi_level", phi),
		number_or(slo, "phi_shape", phi)};

	*spec = (struct evidence_spec){.objective = number(slo, "objective")};
	spec->latency =
		strcmp(json_string_value(part(slo, "kind")), "latency") == 0;
	spec->tolerance =
		number_or(slo, "tolerance", spec->latency ? 1.25 : 1.1);
	spec->floor =
		number_or(slo, "floor", t->rules.floor_share * spec->objective);
	spec->bins = (size_t)number_or(slo, "buckets", 2);
	spec->bound = (size_t)number_or(slo, "slo_bucket", 0);
	dispersion_apply(&d, spec);
	if (past)
		numbers(past, histogram, EVIDENCE_BINS_MAX);
	objective_init(&t->objective[t->n], spec, t->bins[t->n],
		(struct request_sum){number_or(slo, "hist_n", 0),
			number_or(slo, "hist_x", 0)},
		past ? histogram : NULL);
	t->n++;
}

static void begin(struct trial *t, const json_t *event)
{
	const json_t *final = json_object_get(event, "final");
	const json_t *limits = json_object_get(event, "limits");
	double share = number(event, "step");
	bool is_final = !final || json_is_true(final);
	size_t i;

	evidence_begin_step(&t->state, &t->rules, share, is_final);
	for (i = 0; i < t->n; i++)
		objective_begin_step(&t->objective[i], &t->rules, &t->spec[i],
			share,
			limits ? json_number_value(json_array_get(limits, i))
			       : 0,
			is_final);
}

static void climb_again(struct trial *t)
{
	size_t i;

	evidence_begin_step(&t->state, &t->rules, 0, true);
	for (i = 0; i < t->n; i++) {
		objective_climb_again(&t->objective[i]);
		objective_begin_step(
			&t->objective[i], &t->rules, &t->spec[i], 0, 0, true);
	}
}

/* A ratio's vector is all requests and the bad ones among them. */
static struct evidence_counts counts(
	const struct evidence_spec *spec, const json_t *arm, size_t i)
{
	struct evidence_counts c = {.known = false};
	const json_t *bins = json_array_get(arm, i);
	double all, bad;

	if (json_is_null(bins))
		return c;
	c.known = true;
	numbers(bins, c.bin, EVIDENCE_BINS_MAX);
	if (spec->latency)
		return c;
	all = fmax(0, c.bin[0]);
	bad = fmin(fmax(0, c.bin[1]), all);
	c.bin[0] = all - bad;
	c.bin[1] = bad;
	return c;
}

static void expect_numbers(const struct trial *t, const json_t *wanted,
	const struct evidence_numbers *got, size_t check)
{
	expect(got->log_e, number(wanted, "log_e"), t->name, check);
	expect(got->ratio, number(wanted, "rel"), t->name, check);
	expect(got->level, number(wanted, "abs"), t->name, check);
	expect(got->log_pass, number(wanted, "log_pass"), t->name, check);
	if (json_object_get(wanted, "shape"))
		expect(got->shape, number(wanted, "shape"), t->name, check);
}

static void check(struct trial *t, const json_t *event, const json_t *wanted,
	size_t i_check)
{
	struct evidence_numbers numbers[SLOS_MAX];
	struct evidence_counts candidate, stable;
	struct evidence_result result;
	bool data = false;
	size_t i;

	for (i = 0; i < t->n; i++) {
		candidate = counts(&t->spec[i], part(event, "canary"), i);
		stable = counts(&t->spec[i], part(event, "stable"), i);
		data = data || candidate.known;
		objective_check(&t->objective[i], &t->rules, &t->spec[i],
			&t->bets, &candidate, &stable);
		objective_numbers(
			&t->objective[i], &t->rules, &t->spec[i], &numbers[i]);
		expect_numbers(t, json_array_get(part(wanted, "slos"), i),
			&numbers[i], i_check);
	}
	t->state.checks += data;
	evidence_combine(numbers, t->n, &result);
	evidence_decide(&t->state, &t->rules, &result);
	expect(result.log_e, number(wanted, "log_e"), t->name, i_check);
	expect(result.log_pass, number(wanted, "log_pass"), t->name, i_check);
	if (result.calm != json_is_true(part(wanted, "calm")))
		fail_msg("%s, check %zu: calm is wrong", t->name, i_check);
	if (strcmp(evidence_decision_name(result.decision),
		    json_string_value(part(wanted, "decision"))) != 0)
		fail_msg("%s, check %zu: %s instead of %s", t->name, i_check,
			evidence_decision_name(result.decision),
			json_string_value(part(wanted, "decision")));
	if (result.decision == EVIDENCE_STEP_BACK)
		climb_again(t);
}

static void play(const json_t *vector)
{
	const json_t *config = part(vector, "config"), *row;
	struct trial t = {.rules = evidence_defaults};
	size_t i, n_checks = 0;

	t.name = json_string_value(part(vector, "name"));
	t.rules.alpha = number_or(config, "alpha", t.rules.alpha);
	t.rules.check_s = number_or(config, "check", t.rules.check_s);
	t.rules.step_back = number_or(config, "step_back", 1) != 0;
	json_array_foreach(part(vector, "slos"), i, row) {
		take_slo(&t, row);
	}
	evidence_bet_rules(&t.rules, t.n, &t.bets);
	json_array_foreach(part(vector, "events"), i, row) {
		if (json_object_get(row, "step"))
			begin(&t, row);
		else
			check(&t, row,
				json_array_get(
					part(vector, "expect"), n_checks),
				n_checks);
		n_checks += json_object_get(row, "step") ? 0 : 1;
	}
	assert_int_equal(n_checks, json_array_size(part(vector, "expect")));
}

static void rollouts_are_as_pinned(void **state)
{
	const json_t *vector;
	size_t i;

	(void)state;
	json_array_foreach(part(vectors, "vectors"), i, vector) {
		play(vector);
	}
	assert_true(i >= 60);
}

/* ---- the plan ---- */

static void plans_are_as_published(void **state)
{
	static const struct {
		double rate, share, median_s, most_s;
	} rows[] = {
		{5, 0.1, 1305, 2610},
		{1, 0.1, 6450, 12900},
		{1, 0.5, 3375, 6750},
	};
	static const double smallest[][2] = {
		{5, 30}, {50, 6.2}, {500, 2.3}, {5000, 1.5}};
	const struct evidence_spec spec = {.objective = 0.01,
		.tolerance = 1.1,
		.floor = 0.001,
		.phi = 1.1,
		.phi_level = 1.1,
		.bins = 2};
	struct plan_step step = {
		.base = 0.001, .objectives = 2, .scrape_s = 15};
	struct plan_times times;
	double found;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		step.rate = rows[i].rate;
		step.share = rows[i].share;
		plan_find(&step, &evidence_defaults, &spec, 10, &times);
		expect(times.median_s, rows[i].median_s, "median", i);
		expect(times.most_s, rows[i].most_s, "nine of ten", i);
	}
	step.share = 0.1;
	for (i = 0; i < sizeof(smallest) / sizeof(smallest[0]); i++) {
		step.rate = smallest[i][0];
		found = plan_smallest(&step, &evidence_defaults, &spec, 600);
		assert_true(fabs(found / smallest[i][1] - 1) < 0.04);
	}
}

static void what_can_never_be_seen_is_said(void **state)
{
	const struct evidence_spec spec = {.objective = 0.01,
		.tolerance = 1.1,
		.floor = 0.001,
		.phi = 1,
		.phi_level = 1,
		.bins = 2};
	struct plan_step step = {.rate = 50,
		.base = 0.00001,
		.share = 0.1,
		.objectives = 1,
		.scrape_s = 15};
	struct plan_times times;

	(void)state;
	/* Five times as many, and still below what counts. */
	plan_find(&step, &evidence_defaults, &spec, 5, &times);
	assert_true(isinf(times.median_s));
	/* Less than is tolerated. */
	step.base = 0.01;
	plan_find(&step, &evidence_defaults, &spec, 1.05, &times);
	assert_true(isinf(times.median_s));
	/* Without a control and without a history only the objective counts. */
	step.share = 1;
	plan_find(&step, &evidence_defaults, &spec, 1, &times);
	assert_true(isinf(times.most_s));
	step.rate = 1e-9;
	assert_true(isinf(plan_smallest(&step, &evidence_defaults, &spec, 60)));
}

static int read_vectors(void **state)
{
	const char *folder = getenv("srcdir");
	char path[4096];
	json_error_t error;

	(void)state;
	snprintf(path, sizeof(path), "%s/test/vectors/sequential.json",
		folder ? folder : ".");
	vectors = json_load_file(path, 0, &error);
	if (!vectors)
		print_error("%s: %s\n", path, error.text);
	return vectors ? 0 : -1;
}

static int drop_vectors(void **state)
{
	(void)state;
	json_decref(vectors);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_are_as_pinned),
		cmocka_unit_test(bucket_ratios_are_as_pinned),
		cmocka_unit_test(bets_are_as_pinned),
		cmocka_unit_test(ratios_disperse_as_pinned),
		cmocka_unit_test(shapes_disperse_as_pinned),
		cmocka_unit_test(dispersion_never_sharpens),
		cmocka_unit_test(no_history_is_taken_for_some_dispersion),
		cmocka_unit_test(one_series_disperses_as_its_clusters_do),
		cmocka_unit_test(rollouts_are_as_pinned),
		cmocka_unit_test(plans_are_as_published),
		cmocka_unit_test(what_can_never_be_seen_is_said),
	};

	return cmocka_run_group_tests(tests, read_vectors, drop_vectors);
}
