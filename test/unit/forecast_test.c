/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy would catch: the published numbers of the plan, through a
 * policy; and worlds for limits, which are played by the kind itself.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/evidence_plan.h"
#include "engine/forecast.h"
#include "engine/forecast_threshold.h"
#include "policy_fixture.h"

#define TEXT_MAX  65536
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#define COUNTED                                      \
	"- {use: http/error-rate, kind: evidence}\n" \
	"- {use: http/latency-p95, kind: evidence, max: 500ms}\n"

static struct policy *policy_of(const char *steps, const char *slos)
{
	return policy_given(NULL,
		"version: 1\nname: test\nmetrics: {url: "
		"\"https://m.example\"}\n"
		"steps: [%s]\nslos:\n%s",
		steps, slos);
}

static struct forecast *forecast_of(
	const struct policy *policy, double rate, double bad)
{
	const struct forecast_load load = {
		.rate = rate, .bad = bad, .slow = NAN};

	return forecast_new(policy, &load, 10);
}

static bool is_near(double is, double wanted, double part)
{
	return fabs(is / wanted - 1) <= part;
}

/* Two objectives, 0.1 % bad, ten times that: statistics of the method. */
static void the_plan_has_the_published_numbers(void **state)
{
	static const struct {
		double rate;
		size_t step; /* 10 %, 50 % */
		double median_s, most_s;
	} times[] = {
		{5, 0, 1305, 2610}, {1, 0, 6450, 12900}, {1, 1, 3375, 6750}};
	static const struct {
		double rate, smallest;
	} found[] = {{5, 30}, {50, 6.2}, {500, 2.3}, {5000, 1.5}};
	struct policy *policy =
		policy_of("{percent: 10, bake: 10m}, {percent: 50, bake: 10m}, "
			  "{percent: 100, bake: 10m}",
			COUNTED);
	const struct forecast_case *c;
	struct forecast *f;
	size_t i;

	for (i = 0; i < LENGTH(times); i++) {
		f = forecast_of(policy, times[i].rate, 0.001);
		c = &f->slo[0].step[times[i].step].sizes[2];
		assert_true(c->size == 10);
		assert_true(c->median_s == times[i].median_s);
		assert_true(c->most_s == times[i].most_s);
		free(f);
	}
	for (i = 0; i < LENGTH(found); i++) {
		f = forecast_of(policy, found[i].rate, 0.001);
		assert_true(is_near(
			f->slo[0].step[0].smallest, found[i].smallest, 0.04));
		free(f);
	}
	policy_free(&policy);
}

static void what_it_costs_is_the_candidates_requests(void **state)
{
	struct policy *policy = policy_of(
		"{percent: 10, bake: 10m}, {percent: 100, bake: 10m}", COUNTED);
	struct forecast *f = forecast_of(policy, 50, 0.001);
	const struct forecast_case *c = &f->slo[0].step[0].sizes[2];

	assert_true(is_near(c->requests, 50 * 0.1 * c->median_s, 1e-9));
	assert_true(is_near(c->bad, 50 * 0.1 * 0.01 * c->median_s, 1e-9));
	/* Twice as slow is found of the share beyond the bound, which is a
	 * fifth of what may be when nothing is said of it. */
	assert_true(is_near(f->slo[1].base, 0.01, 1e-9));
	assert_true(f->slo[1].slow);
	free(f);
	policy_free(&policy);
}

static void an_outage_costs_what_may_be_in_the_step_that_is_advised(
	void **state)
{
	struct policy *policy = policy_of(
		"{percent: 10, bake: 10m}, {percent: 100, bake: 10m}", COUNTED);
	struct forecast *f = forecast_of(policy, 20, 0.001);

	/* 30 % of the candidate's requests in three checks of 15 s. */
	assert_true(f->advice.known);
	assert_true(is_near(0.3 * 20 * f->advice.share * 45, 10, 1e-9));
	assert_true(f->advice.bake_s >= 120);
	/* A tenth of 20 requests a second is too little to hold back. */
	assert_int_equal(f->holdback, HOLDBACK_TOO_LITTLE);
	free(f);
	f = forecast_of(policy, 51, 0.001);
	assert_int_equal(f->holdback, HOLDBACK_WORTHWHILE);
	free(f);
	/* So little traffic that half of it costs less. */
	f = forecast_of(policy, 1, 0.001);
	assert_true(f->advice.share == 0.5);
	free(f);
	policy_free(&policy);
}

static void what_was_measured_goes_before_what_is_said(void **state)
{
	struct policy *policy =
		policy_of("{percent: 10, bake: 10m}, {percent: 100, bake: 10m}",
			COUNTED "- {use: http/error-rate, name: limits}\n");
	const struct slo_history history = {.slo = 0,
		.seconds = 1000,
		.past = {20000, 100},
		.dispersion = {3, 4, 1}};
	const struct forecast_load load = {.rate = NAN,
		.bad = NAN,
		.slow = NAN,
		.histories = &history,
		.n_histories = 1};
	struct forecast *f = forecast_new(policy, &load, 10);

	assert_true(f->slo[0].measured);
	assert_true(is_near(f->slo[0].rate, 20, 1e-9));
	assert_true(is_near(f->slo[0].base, 0.005, 1e-9));
	assert_true(is_near(f->slo[0].phi, 3, 1e-9));
	/* Others of the same service take it over. */
	assert_false(f->slo[1].measured);
	assert_true(is_near(f->slo[1].rate, 20, 1e-9));
	assert_true(is_near(f->slo[2].base, 0.005, 1e-9));
	free(f);
	policy_free(&policy);
}

static void limits_are_played_in_worlds(void **state)
{
	struct policy *policy =
		policy_of("{percent: 10, bake: 10m}, {percent: 100, bake: 10m}",
			"- {use: http/error-rate, max: 1%}\n"
			"- {use: http/latency-p95, max: 500ms}\n");
	struct forecast *f = forecast_of(policy, 500, 0.001),
			*again = forecast_of(policy, 500, 0.001);
	const struct forecast_slo *errors = &f->slo[0], *slow = &f->slo[1];

	assert_int_equal(errors->by, FORECAST_WORLDS);
	assert_false(errors->slow);
	assert_true(slow->slow);
	/* 0.5 % is below the limit; 1 % is on both sides of it. */
	assert_true(isinf(errors->step[0].sizes[0].median_s));
	assert_true(isinf(errors->step[0].sizes[1].median_s));
	assert_true(errors->step[0].smallest > 10);
	assert_true(errors->step[0].smallest < 30);
	assert_true(errors->false_share == 0);
	/* 1 % of requests is slow: five times that is on the limit. */
	assert_int_equal(slow->by, FORECAST_WORLDS);
	assert_true(isinf(slow->step[0].sizes[0].median_s));
	assert_true(isfinite(slow->step[0].sizes[2].most_s));
	assert_true(slow->step[0].sizes[2].median_s <= 300);
	assert_true(is_near(slow->step[0].smallest, 5, 0.2));
	/* Counted instead, ten times is found in the first step. */
	assert_int_equal(f->instead[0].by, FORECAST_EVIDENCE);
	assert_true(f->instead[0].step[0].sizes[2].most_s < 120);
	assert_true(f->instead[0].step[0].smallest < 3);
	assert_true(f->instead[1].slow);
	assert_memory_equal(errors, &again->slo[0], sizeof(*errors));
	free(again);
	free(f);
	policy_free(&policy);
}

/* With a small number of requests one failure is a breach. */
static void limits_take_back_good_releases_where_they_do(void **state)
{
	struct policy *policy = policy_of(
		"{percent: 10, bake: 10m}, {percent: 100, bake: 10m}",
		"- {use: http/error-rate, max: 1%, fail_after: 1, window: 2m, "
		"requests: {min: 1}}\n");
	struct forecast *f = forecast_of(policy, 2, 0.005);

	assert_true(f->slo[0].false_share > 0.3);
	free(f);
	policy_free(&policy);
}

static void what_cannot_be_played_says_why(void **state)
{
	static const struct {
		const char *slo, *why;
	} rows[] = {
		{"- {name: a, query: 'up{r=\"{{candidate}}\"}', max: 1}\n",
			"neither a share of failures nor a quantile"},
		{"- {use: http/latency-p95, compare: stable}\n",
			"against max only"},
		{"- {name: a, provider: json, url: \"https://x.example/\", "
		 "pointer: /a, max: 1}\n",
			"JSON API"},
	};
	struct policy *policy;
	struct forecast *f;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		policy = policy_of("{percent: 100, bake: 10m}", rows[i].slo);
		f = forecast_of(policy, 50, 0.001);
		assert_int_equal(f->slo[0].by, FORECAST_NONE);
		assert_non_null(strstr(f->slo[0].why, rows[i].why));
		free(f);
		policy_free(&policy);
	}
}

#define SHARE(limits)                                                          \
	"- {name: a, query: '(sum(rate(r{revision=\"{{candidate}}\",code=~\"5" \
	"..\"}[{{window}}])) or vector(0)) / sum(rate(r{revision=\""           \
	"{{candidate}}\"}[{{window}}]))', " limits "}\n"

/* A jump in a service with so many requests that chance has no part: the check
 * that decides is the last before the time that is said. */
static void a_jump_is_found_within_the_time_that_is_said(void **state)
{
	static const struct {
		const char *slo;
		double share;
		bool found;
	} rows[] = {
		{SHARE("max: 1%, window: 5m, interval: 30s"), 0.02, true},
		{SHARE("max: 1%, window: 5m, interval: 30s, "
		       "fail_after: {breaches: 3, of: 4}"),
			0.027, true},
		{SHARE("max: 5%, window: 10m, interval: 20s, fail_after: 1"),
			0.07, true},
		{SHARE("max: 1%, critical: 5%, window: 5m, interval: 30s, "
		       "fail_after: {breaches: 4, of: 5}"),
			0.3, true},
		{SHARE("max: 1%, window: 5m, interval: 30s"), 0.009, false},
	};
	struct threshold_world world = {
		.rate = 1e6, .base = 1e-5, .cluster = 1};
	double within, played, interval;
	struct policy *policy;
	const char *why;
	struct rng rng;
	size_t i;

	for (i = 0; i < LENGTH(rows); i++) {
		policy = policy_of("{percent: 50, bake: 20m}, "
				   "{percent: 51, bake: 20m}, "
				   "{percent: 100, bake: 20m}",
			rows[i].slo);
		policy->settle_ms = 0;
		world.policy = policy;
		world.slo = &policy->slos[0];
		assert_true(
			threshold_query_look(world.slo, &world.query, &why));
		within = threshold_within(
			policy, world.slo, &world.query, rows[i].share);
		rng_init(&rng, 1);
		played = threshold_play(
			&world, 1, rows[i].share / world.base, 1200, &rng);
		interval = (double)world.slo->interval_ms / 1000;
		assert_int_equal(isfinite(within), rows[i].found);
		assert_int_equal(isfinite(played), rows[i].found);
		if (rows[i].found) {
			assert_true(played <= within);
			assert_true(played >= within - interval);
		}
		policy_free(&policy);
	}
}

/* What is known without a rate is what the plan says with one. */
static void requests_until_it_is_found_do_not_depend_on_the_rate(void **state)
{
	struct policy *policy = policy_of(
		"{percent: 10, bake: 10m}, {percent: 100, bake: 10m}", COUNTED);
	double requests = forecast_requests(policy, 0, 0, 0.001, 0.01);
	struct forecast *f = forecast_of(policy, 1, 0.001);

	assert_true(
		is_near(f->slo[0].step[0].sizes[2].requests, requests, 0.01));
	free(f);
	policy_free(&policy);
}

#define STEPS_10 "{percent: 10, bake: 10m}, {percent: 100, bake: 10m}"

/* The published 1305 s and 2610 s rest on samples every 15 s: half of what is
 * longer is waited for more, in whole checks. */
static void late_and_rare_samples_are_waited_for(void **state)
{
	struct policy *policy = policy_of(STEPS_10, COUNTED);
	struct forecast *f;

	policy->metrics.resolution_ms = 315000;
	f = forecast_of(policy, 5, 0.001);
	assert_true(f->slo[0].step[0].sizes[2].median_s == 1305 + 150);
	assert_true(f->slo[0].step[0].sizes[2].most_s == 2610 + 150);
	free(f);
	policy->metrics.resolution_ms = 15000;
	policy->metrics.delay_ms = 60000;
	f = forecast_of(policy, 5, 0.001);
	assert_true(f->slo[0].step[0].sizes[2].median_s == 1305 + 60);
	assert_true(f->slo[0].step[0].sizes[2].most_s == 2610 + 60);
	free(f);
	policy_free(&policy);
}

/* 3 in 10 are bad: four times as many there are not. */
static void more_than_all_requests_are_not_found(void **state)
{
	struct policy *policy = policy_of(STEPS_10, COUNTED);
	struct forecast *f = forecast_of(policy, 0.3, 0.3);

	assert_true(isinf(f->slo[0].step[0].smallest));
	/* All of them are bad at most. */
	assert_true(is_near(f->slo[0].step[0].sizes[2].bad,
		f->slo[0].step[0].sizes[2].requests, 1e-9));
	free(f);
	f = forecast_of(policy, 30, 0.3);
	assert_true(f->slo[0].step[0].smallest < 1 / 0.3);
	free(f);
	policy_free(&policy);
}

static void without_a_rate_nothing_is_said_but_why(void **state)
{
	struct policy *policy = policy_of(
		STEPS_10, COUNTED "- {use: http/error-rate, name: limits}\n");
	struct forecast *f = forecast_of(policy, NAN, 0.001);

	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(f->slo[i].by, FORECAST_NONE);
	assert_non_null(strstr(f->slo[0].why, "rate, or its share of bad"));
	assert_non_null(strstr(f->slo[2].why, "rate, or its share of bad"));
	assert_false(f->advice.known);
	assert_int_equal(f->holdback, HOLDBACK_NOT_KNOWN);
	free(f);
	/* What is known of latencies is told, where errors are not. */
	f = forecast_of(policy, 5, NAN);
	assert_int_equal(f->slo[0].by, FORECAST_NONE);
	assert_true(isnan(f->slo[0].base));
	assert_int_equal(f->slo[1].by, FORECAST_EVIDENCE);
	assert_int_equal(f->slo[2].by, FORECAST_NONE);
	assert_false(f->advice.known);
	free(f);
	policy_free(&policy);
}

static void worlds_are_not_played_when_they_take_too_long(void **state)
{
	struct policy *policy = policy_of(
		STEPS_10, COUNTED "- {use: http/error-rate, name: limits}\n");
	const struct forecast_load load = {
		.rate = 5, .bad = 0.001, .slow = NAN, .counted_only = true};
	struct forecast *f = forecast_new(policy, &load, 10);

	assert_int_equal(f->slo[0].by, FORECAST_EVIDENCE);
	assert_int_equal(f->slo[2].by, FORECAST_NONE);
	assert_string_equal(f->slo[2].why, "no worlds were played");
	free(f);
	policy_free(&policy);
}

/* Of a history that is of another SLO, of no time or of no requests nothing is
 * taken over; of two SLOs of a kind the first was measured for the others. */
static void a_history_counts_where_it_has_requests(void **state)
{
	struct policy *policy = policy_of(STEPS_10,
		COUNTED "- {use: http/error-rate, name: more, kind: evidence}\n"
			"- {use: http/error-rate, name: limits}\n");
	struct slo_history histories[] = {
		{.slo = 0, .seconds = 0, .past = {100, 50}},
		{.slo = 0, .seconds = 100, .past = {0, 0}},
		{.slo = 0, .seconds = 1000, .past = {20000, 100}},
		{.slo = 1, .seconds = 1000, .past = {30000, 0}},
		{.slo = 2, .seconds = 1000, .past = {40000, 4000}}};
	struct forecast_load load = {.rate = NAN,
		.bad = NAN,
		.slow = NAN,
		.histories = histories,
		.n_histories = 2};
	struct forecast *f = forecast_new(policy, &load, 10);

	assert_false(f->slo[0].measured);
	assert_int_equal(f->slo[0].by, FORECAST_NONE);
	free(f);
	load.n_histories = 5;
	load.counted_only = true;
	f = forecast_new(policy, &load, 10);
	assert_true(is_near(f->slo[0].rate, 20, 1e-9));
	assert_true(is_near(f->slo[1].rate, 30, 1e-9));
	/* Not a single slow one: almost one. */
	assert_true(is_near(f->slo[1].base, 0.5 / 30000, 1e-9));
	assert_true(is_near(f->slo[2].rate, 40, 1e-9));
	assert_true(is_near(f->slo[2].base, 0.1, 1e-9));
	free(f);
	policy->steps[0].bake_ms = policy->steps[1].bake_ms = 60000;
	load.counted_only = false;
	f = forecast_new(policy, &load, 10);
	assert_true(is_near(f->slo[3].rate, 20, 1e-9));
	assert_true(is_near(f->slo[3].base, 0.005, 1e-9));
	free(f);
	/* What people say goes before it, for limits. */
	load.rate = 7;
	load.bad = 0.25;
	f = forecast_new(policy, &load, 10);
	assert_true(is_near(f->slo[0].rate, 20, 1e-9));
	assert_true(is_near(f->slo[3].rate, 7, 1e-9));
	assert_true(is_near(f->slo[3].base, 0.25, 1e-9));
	free(f);
	policy_free(&policy);
}

/* Half of the traffic is the most that is advised, and what is said of a step
 * of 50 % is what is advised then. */
static void the_step_that_is_advised_is_long_enough_for_every_slo(void **state)
{
	struct policy *policy = policy_of(
		"{percent: 50, bake: 10m}, {percent: 100, bake: 10m}", COUNTED);
	struct forecast *f = forecast_of(policy, 1, 0.001);
	const struct forecast_case *errors = &f->slo[0].step[0].sizes[2],
				   *slow = &f->slo[1].step[0].sizes[2];

	assert_true(f->advice.share == 0.5);
	assert_true(errors->most_s > slow->most_s);
	assert_true(f->advice.bake_s == errors->most_s);
	assert_true(is_near(f->advice.bad, fmax(errors->bad, slow->bad), 1e-9));
	free(f);
	/* What is never found cannot be waited for. */
	f = forecast_of(policy, 1, 1e-9);
	errors = &f->slo[0].step[0].sizes[2];
	slow = &f->slo[1].step[0].sizes[2];
	assert_true(isinf(errors->most_s));
	assert_true(f->advice.bake_s == fmax(120, slow->most_s));
	assert_true(is_near(f->advice.bad, slow->bad, 1e-9));
	free(f);
	/* One percent is the least; two minutes are. */
	f = forecast_of(policy, 1e5, 0.001);
	assert_true(f->advice.share == 0.01);
	assert_true(f->advice.bake_s == 120);
	free(f);
	policy_free(&policy);
}

#define COUNTED_INSTEAD(limits)                             \
	"- {use: http/error-rate, name: a, fail_after: 1, " \
	"window: 2m, interval: 1m, " limits "}\n"

static struct forecast *limited(const char *slo)
{
	struct policy *policy = policy_of(
		"{percent: 50, bake: 10m}, {percent: 100, bake: 10m}", slo);
	struct forecast *f;

	policy->n_steps = 1; /* which does not take long */
	f = forecast_of(policy, 500, 1e-5);
	policy_free(&policy);
	return f;
}

static bool is_same_instead(struct forecast *a, struct forecast *b)
{
	bool same = !memcmp(&a->instead[0].step, &b->instead[0].step,
		sizeof(a->slo[0].step));

	free(b);
	return same;
}

/* Where its limit is no objective that one would write, it is 1 %. */
static void counted_instead_the_limit_is_the_objective(void **state)
{
	struct forecast *usual = limited(COUNTED_INSTEAD("max: 1%"));

	assert_int_equal(usual->instead[0].by, FORECAST_EVIDENCE);
	assert_true(is_near(usual->instead[0].rate, 500, 1e-9));
	assert_true(is_near(usual->instead[0].base, 1e-5, 1e-9));
	assert_true(is_same_instead(usual, limited(COUNTED_INSTEAD("max: 0"))));
	assert_true(
		is_same_instead(usual, limited(COUNTED_INSTEAD("max: 60%"))));
	assert_false(
		is_same_instead(usual, limited(COUNTED_INSTEAD("max: 50%"))));
	free(usual);
}

/* One check in a step is no two breaches. */
static void what_no_step_is_long_enough_for_is_not_found_in_it(void **state)
{
	struct policy *policy = policy_of(
		"{percent: 50, bake: 10m}, {percent: 100, bake: 10m}",
		"- {use: http/error-rate, max: 1%, fail_after: 2, window: 2m, "
		"interval: 1m}\n");
	struct forecast *f;

	policy->n_steps = 1;
	policy->slos[0].has_critical = false; /* which one check decides */
	policy->settle_ms = 0;
	policy->steps[0].bake_ms = 119000;
	f = forecast_of(policy, 500, 0.001);
	assert_true(isinf(f->slo[0].step[0].smallest));
	/* In its second minute it is found, if chance (1 % of 15,000 requests
	 * +- 9 % of that) does not hide it in more than one of ten. */
	policy->steps[0].bake_ms = 120000;
	free(f);
	f = forecast_of(policy, 500, 0.001);
	assert_true(is_near(f->slo[0].step[0].smallest, 11.2, 0.03));
	free(f);
	policy_free(&policy);
}

/* It is lost until a check can have seen it: two checks, half a minute and what
 * samples are late, a minute at least. A slow request is a fifth of one. */
static void what_a_step_may_cost_lasts_until_it_can_be_seen(void **state)
{
	struct evidence_spec spec = {.latency = false};
	struct plan_step step = {.rate = 20, .late_s = 30};

	assert_true(
		is_near(plan_limit(&step, &evidence_defaults, &spec, 0.5, 10),
			10 / (20 * 0.5 * (2 * 15 + 30 + 30)), 1e-9));
	step.late_s = 0;
	spec.latency = true;
	assert_true(
		is_near(plan_limit(&step, &evidence_defaults, &spec, 0.5, 10),
			5 * 10 / (20 * 0.5 * 60), 1e-9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plan_has_the_published_numbers),
		cmocka_unit_test(what_it_costs_is_the_candidates_requests),
		cmocka_unit_test(
			an_outage_costs_what_may_be_in_the_step_that_is_advised),
		cmocka_unit_test(what_was_measured_goes_before_what_is_said),
		cmocka_unit_test(limits_are_played_in_worlds),
		cmocka_unit_test(limits_take_back_good_releases_where_they_do),
		cmocka_unit_test(what_cannot_be_played_says_why),
		cmocka_unit_test(a_jump_is_found_within_the_time_that_is_said),
		cmocka_unit_test(
			requests_until_it_is_found_do_not_depend_on_the_rate),
		cmocka_unit_test(
			what_a_step_may_cost_lasts_until_it_can_be_seen),
		cmocka_unit_test(late_and_rare_samples_are_waited_for),
		cmocka_unit_test(more_than_all_requests_are_not_found),
		cmocka_unit_test(without_a_rate_nothing_is_said_but_why),
		cmocka_unit_test(worlds_are_not_played_when_they_take_too_long),
		cmocka_unit_test(a_history_counts_where_it_has_requests),
		cmocka_unit_test(
			the_step_that_is_advised_is_long_enough_for_every_slo),
		cmocka_unit_test(counted_instead_the_limit_is_the_objective),
		cmocka_unit_test(
			what_no_step_is_long_enough_for_is_not_found_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
