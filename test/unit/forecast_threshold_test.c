/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Worlds for limits with so many requests that chance has no part in them: when
 * a release is taken back follows from the window, and is counted here by hand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/forecast_threshold.h"
#include "policy_fixture.h"

#define TEXT_MAX 65536
#define MANY     1e6 /* requests a second: chance moves a share by 0.1 % */

#define SELECTED "r{revision=\"{{candidate}}\""
#define SHARE_OF(code)                                               \
	"query: '(sum(rate(" SELECTED ",code" code "}[{{window}}]))" \
	" or vector(0)) / sum(rate(" SELECTED "}[{{window}}]))"
#define FAILURES  SHARE_OF("=~\"5..\"") "'"
#define PERCENTS  SHARE_OF("=~\"5..\"") " * 100'"
#define SUCCESSES SHARE_OF("!~\"5..\"") "'"
#define MINUTES_5 ", window: 5m, interval: 30s"

static struct policy *policy;
static struct threshold_world world;

/* One SLO, steps of 10, 50 and 100 %, no settle. */
static void read_slo(const char *slo)
{
	policy_free(&policy);
	policy = policy_given(NULL,
		"version: 1\nname: test\nsettle: 0s\n"
		"metrics: {url: \"https://m.example\"}\n"
		"steps: [{percent: 10, bake: 20m}, {percent: 50, bake: 20m}, "
		"{percent: 100, bake: 20m}]\nslos:\n- {%s}\n",
		slo);
	policy->settle_ms = policy->metrics.delay_ms = 0;
	world = (struct threshold_world){.policy = policy,
		.slo = &policy->slos[0],
		.rate = MANY,
		.base = 1e-5,
		.cluster = 1};
}

static void begin(const char *slo)
{
	const char *why;

	read_slo(slo);
	if (!threshold_query_look(world.slo, &world.query, &why))
		fail_msg("%s: %s", slo, why);
}

static int teardown(void **state)
{
	(void)state;
	policy_free(&policy);
	return 0;
}

/* Seconds in a step until it fails, with that share of bad requests. */
static double found_s(size_t step, double share)
{
	struct rng rng;

	rng_init(&rng, 7);
	return threshold_play(&world, step, share / world.base, 1200, &rng);
}

static void found_at(size_t step, double share, double wanted_s)
{
	double is = found_s(step, share);

	if (isinf(wanted_s) ? !isinf(is) : is != wanted_s)
		fail_msg("%g of step %zu: %g s and not %g s", share, step, is,
			wanted_s);
}

static bool is_near(double is, double wanted)
{
	return fabs(is / wanted - 1) < 1e-9;
}

/* ---- in closed form ---- */

static void a_limit_is_a_share_of_bad_requests_however_it_is_written(
	void **state)
{
	(void)state;
	begin("name: a, max: 2%" MINUTES_5 ", " FAILURES);
	assert_true(is_near(threshold_share(&world.query, world.slo), 0.02));
	begin("name: a, max: 2" MINUTES_5 ", " PERCENTS);
	assert_true(is_near(threshold_share(&world.query, world.slo), 0.02));
	begin("name: a, min: 98%" MINUTES_5 ", " SUCCESSES);
	assert_true(is_near(threshold_share(&world.query, world.slo), 0.02));
	/* Which share is too slow, a quantile's limit does not say. */
	begin("use: http/latency-p95, max: 500ms");
	assert_true(isnan(threshold_share(&world.query, world.slo)));
	/* Nor has a comparison one. */
	begin("use: http/error-rate, compare: stable, max_ratio: 1.5");
	((struct slo *)world.slo)->has_max = false;
	assert_true(isnan(threshold_share(&world.query, world.slo)));
}

/* 300 s * 1 % / 3 % until the window is above, two checks, a minute's delay. */
static void a_window_fills_evenly(void **state)
{
	(void)state;
	begin("name: a, max: 1%, critical: 12%" MINUTES_5 ", " FAILURES);
	policy->metrics.delay_ms = 60000;
	assert_true(
		is_near(threshold_within(policy, world.slo, &world.query, 0.03),
			100 + 2 * 30 + 60));
	/* 300 s * 12 % / 40 %, one check; max needs less. */
	assert_true(
		is_near(threshold_within(policy, world.slo, &world.query, 0.4),
			300 * 0.01 / 0.4 + 2 * 30 + 60));
	((struct slo *)world.slo)->fail_breaches = 5;
	assert_true(
		is_near(threshold_within(policy, world.slo, &world.query, 0.4),
			90 + 30 + 60));
	assert_true(
		isinf(threshold_within(policy, world.slo, &world.query, 0.01)));
}

static void what_has_no_closed_form_says_so(void **state)
{
	struct slo slo;
	const char *why;

	(void)state;
	begin("use: http/latency-p95, max: 500ms");
	slo = *world.slo;
	slo.has_max = false;
	assert_false(threshold_query_look(&slo, &world.query, &why));
	assert_non_null(strstr(why, "against max only"));
	slo = *world.slo;
	slo.baseline = "up";
	assert_false(threshold_query_look(&slo, &world.query, &why));
	assert_non_null(strstr(why, "without a comparison"));
	slo = *world.slo;
	slo.window_ms = slo.interval_ms * (THRESHOLD_SLICES_MAX + 1);
	assert_false(threshold_query_look(&slo, &world.query, &why));
	assert_non_null(strstr(why, "too many intervals"));
	slo.window_ms -= slo.interval_ms;
	assert_true(threshold_query_look(&slo, &world.query, &why));
	assert_null(why);
	/* The slowest of all is no quantile of a share. */
	slo = *world.slo;
	slo.query = "histogram_quantile(1, sum by (le) "
		    "(rate(x_bucket{r=\"{{candidate}}\"}[1m])))";
	assert_false(threshold_query_look(&slo, &world.query, &why));
}

/* ---- a jump ---- */

/* Three of 100: of ten intervals the fourth is the first above 1 %. */
static void a_later_step_begins_with_what_was_seen_before(void **state)
{
	(void)state;
	begin("name: a, max: 1%" MINUTES_5 ", " FAILURES);
	policy->steps[1].percent = 10;
	found_at(1, 0.03, 5 * 30);
	found_at(1, 0.008, INFINITY);
	/* The first has seen nothing: the first check is above it. */
	found_at(0, 0.03, 2 * 30);
	/* A tenth of the window has five times as many requests: 15 of
	 * 1400 are bad. */
	policy->steps[1].percent = 50;
	found_at(1, 0.03, 2 * 30);
}

static void a_share_of_successes_falls(void **state)
{
	(void)state;
	begin("name: a, min: 99%" MINUTES_5 ", " SUCCESSES);
	policy->steps[1].percent = 10;
	found_at(1, 0.03, 5 * 30);
	found_at(1, 0.008, INFINITY);
	begin("name: a, max: 1" MINUTES_5 ", " PERCENTS);
	policy->steps[1].percent = 10;
	found_at(1, 0.03, 5 * 30);
	found_at(1, 0.008, INFINITY);
}

static void samples_that_are_late_show_what_was_before(void **state)
{
	(void)state;
	begin("name: a, max: 1%" MINUTES_5 ", " FAILURES);
	policy->steps[1].percent = 10;
	policy->metrics.delay_ms = 60000;
	found_at(1, 0.03, 2 * 30 + 5 * 30);
	/* Before the first step the candidate had no requests at all. */
	found_at(0, 0.03, 2 * 30 + 2 * 30);
}

static void a_window_shorter_than_its_interval_sees_one(void **state)
{
	(void)state;
	begin("name: a, max: 1%" MINUTES_5 ", " FAILURES);
	((struct slo *)world.slo)->window_ms = 20000;
	found_at(1, 0.03, 2 * 30);
	found_at(1, 0.009, INFINITY);
}

static void quantiles_are_above_when_more_than_their_tail_is_slow(void **state)
{
	(void)state;
	begin("use: http/latency-p95, max: 500ms, fail_after: 2" MINUTES_5);
	world.base = 0.001;
	found_at(0, 0.055, 2 * 30);
	found_at(0, 0.045, INFINITY);
}

/* ---- the settle ---- */

static void during_the_settle_a_breach_in_every_check_decides(void **state)
{
	(void)state;
	begin("name: a, max: 1%" MINUTES_5 ", " FAILURES);
	policy->settle_ms = 60000;
	/* Two of two, heard when it is over. */
	found_at(0, 0.03, 90);
	/* Not the first ones; two that count come after it. */
	policy->steps[1].percent = 10;
	policy->settle_ms = 200000;
	found_at(1, 0.03, 240);
	/* Two are not as many as it takes. */
	begin("name: a, max: 1%, fail_after: 3" MINUTES_5 ", " FAILURES);
	policy->settle_ms = 60000;
	found_at(0, 0.03, 90 + 2 * 30);
}

static void critical_decides_at_once(void **state)
{
	(void)state;
	begin("name: a, max: 1%, critical: 10%" MINUTES_5 ", " FAILURES);
	policy->settle_ms = 60000;
	found_at(0, 0.12, 30);
	/* With it, a breach in every check of the settle does not. */
	found_at(0, 0.05, 90 + 30);
}

/* ---- beside what is compared ---- */

static void stable_has_its_own_share(void **state)
{
	(void)state;
	begin("use: http/error-rate, compare: stable, max_ratio: 1.5, "
	      "fail_after: 2" MINUTES_5);
	world.base = 0.01;
	found_at(0, 0.016, 2 * 30);
	found_at(0, 0.014, INFINITY);
	/* At 100 % it has no requests to compare with. */
	policy->steps[0].percent = 100;
	policy->steps[1].percent = 100;
	found_at(1, 0.04, INFINITY);
}

/* 100,000 a second of the candidate, in intervals of 30 s. */
static void few_requests_are_no_data(void **state)
{
	(void)state;
	begin("name: a, max: 1%, requests: {query: "
	      "'sum(increase(r{revision=\"{{candidate}}\"}[{{window}}]))', "
	      "min: 5000000}" MINUTES_5 ", " FAILURES);
	found_at(0, 0.03, 2 * 30 + 30);
	((struct slo *)world.slo)->requests_min = 31e6; /* ten have 30 */
	found_at(0, 0.03, INFINITY);
}

/* Twenty at a time, so that more might be drawn than there are. */
static void no_more_are_bad_than_there_are(void **state)
{
	struct rng rng;
	int i;

	(void)state;
	begin("name: a, max: 100%, fail_after: 1, window: 30s, interval: "
	      "30s, " FAILURES);
	world.rate = 100;
	world.cluster = 20;
	rng_init(&rng, 3);
	for (i = 0; i < 20; i++)
		assert_true(isinf(
			threshold_play(&world, 1, 2 / world.base, 1200, &rng)));
}

/* 10 expected bad ones: by ones they are 0 in 1 of 22,000 intervals, by tens
 * in more than a third. */
static int clean_windows_of_100(double cluster)
{
	struct rng rng;
	int i, clean = 0;

	world.cluster = cluster;
	rng_init(&rng, 5);
	for (i = 0; i < 100; i++)
		clean += isinf(
			threshold_play(&world, 1, 0.01 / world.base, 30, &rng));
	return clean;
}

static void bad_requests_come_in_clusters(void **state)
{
	int clean;

	(void)state;
	begin("name: a, max: 0%, fail_after: 1, window: 30s, interval: "
	      "30s, " FAILURES);
	world.rate = 1000.0 / 30 / 0.5;
	assert_int_equal(clean_windows_of_100(1), 0);
	clean = clean_windows_of_100(10);
	assert_true(clean > 25 && clean < 50); /* 37 +- 3 * 4.8, about */
}

/* Of so many windows of one interval, in each of which all are drawn anew. */
static int found_in_windows(int of, double share)
{
	struct rng rng;
	int found = 0;

	rng_init(&rng, 11);
	for (int i = 0; i < of; i++)
		found += !isinf(threshold_play(
			&world, 0, share / world.base, 30, &rng));
	return found;
}

/* 0.3 are expected: there is at least one in 26 %, and there are two in 4 %. */
static void one_request_is_a_value(void **state)
{
	int found;

	(void)state;
	begin("name: a, max: 1%, fail_after: 1, window: 30s, interval: "
	      "30s, " FAILURES);
	world.rate = 0.3 / 30 / 0.1;
	found = found_in_windows(400, 1);
	/* A fault of that one is drawn too, and there is none in 37 %. */
	assert_true(found > 48 && found < 96); /* 68 +- 3 * 7.5, about */
}

/* Two are expected, each slow by half. More than half of them are in 30 %, and just
 * half of them, which the median shows as its limit, in 12 % more. */
static void half_of_them_are_not_beyond_the_median(void **state)
{
	int found;

	(void)state;
	begin("name: a, max: 500ms, fail_after: 1, window: 30s, interval: 30s, "
	      "query: 'histogram_quantile(0.5, sum by (le) (rate("
	      "x_bucket{r=\"{{candidate}}\"}[{{window}}])))'");
	world.rate = 2.0 / 30 / 0.1;
	found = found_in_windows(900, 0.5);
	assert_true(found > 232 && found < 316); /* 274 +- 3 * 14, about */
}

/* ---- good releases ---- */

static bool is_taken_back(double share)
{
	struct rng rng;

	world.base = share;
	rng_init(&rng, 9);
	return threshold_play_good(&world, &rng);
}

static void a_release_as_good_as_stable_is_taken_back_when_stable_breaches(
	void **state)
{
	(void)state;
	begin("name: a, max: 1%" MINUTES_5 ", " FAILURES);
	assert_true(is_taken_back(0.011));
	assert_false(is_taken_back(0.009));
	/* Breaches of an earlier step count in the next one: here it has two
	 * checks in each of them, and three are needed. */
	begin("name: a, max: 1%, fail_after: 3" MINUTES_5 ", " FAILURES);
	for (size_t i = 0; i < policy->n_steps; i++)
		policy->steps[i].bake_ms = 60000;
	assert_true(is_taken_back(0.011));
	policy->n_steps = 1;
	assert_false(is_taken_back(0.011));
	/* A settle is part of the step's time. */
	policy->steps[0].bake_ms = 30000;
	policy->settle_ms = 90000;
	assert_true(is_taken_back(0.011));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_limit_is_a_share_of_bad_requests_however_it_is_written),
		TEST(a_window_fills_evenly),
		TEST(what_has_no_closed_form_says_so),
		TEST(a_later_step_begins_with_what_was_seen_before),
		TEST(a_share_of_successes_falls),
		TEST(samples_that_are_late_show_what_was_before),
		TEST(a_window_shorter_than_its_interval_sees_one),
		TEST(quantiles_are_above_when_more_than_their_tail_is_slow),
		TEST(during_the_settle_a_breach_in_every_check_decides),
		TEST(critical_decides_at_once),
		TEST(stable_has_its_own_share),
		TEST(few_requests_are_no_data),
		TEST(no_more_are_bad_than_there_are),
		TEST(bad_requests_come_in_clusters),
		TEST(one_request_is_a_value),
		TEST(half_of_them_are_not_beyond_the_median),
		TEST(a_release_as_good_as_stable_is_taken_back_when_stable_breaches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
