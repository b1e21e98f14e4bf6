/* SPDX-License-Identifier: Apache-2.0 */
/* What a rollout knows of its evidence, by the policy that it has. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "evidence_fixture.h"

static struct evidence_fixture fixture;

static struct evidence_memory *memory_of(struct evidence_fixture *f)
{
	return evidence_memory_new(&f->test.policy, NULL, 0);
}

/* ln E of 4 is e^4 = 55 to 1: beyond 1 of 20, and not beyond 1 of 100. */
static void the_promise_is_the_policys(void **state)
{
	struct evidence_memory *m;

	(void)state;
	fixture.test.policy.evidence.alpha = 0.01;
	m = memory_of(&fixture);
	assert_true(fabs(m->bets.cap - (0.4 + 0.5 * log(2 / 0.01))) < 1e-12);
	assert_true(fabs(m->bets.cap_times - exp(m->bets.cap)) < 1e-9);
	m->result.log_e = 4;
	assert_int_equal(evidence_memory_decide(m), EVIDENCE_CONTINUE);
	m->result.log_e = 4.7;
	assert_int_equal(evidence_memory_decide(m), EVIDENCE_FAIL);
	free(m);

	fixture.test.policy.evidence.alpha = 0.05;
	m = memory_of(&fixture);
	m->result.log_e = 4;
	assert_int_equal(evidence_memory_decide(m), EVIDENCE_FAIL);
	free(m);
}

/* Stable keeps 2 %: it is a control still; with 1 % it is none. */
static void two_percent_of_stable_are_a_control(void **state)
{
	struct evidence_memory *m = memory_of(&fixture);

	(void)state;
	fixture.test.steps[1].percent = 98;
	evidence_memory_begin_step(m, &fixture.test.policy, 0);
	assert_false(m->state.final);
	evidence_memory_begin_step(m, &fixture.test.policy, 1);
	assert_false(m->state.none);
	fixture.test.steps[1].percent = 99;
	evidence_memory_begin_step(m, &fixture.test.policy, 0);
	assert_true(m->state.final);
	evidence_memory_begin_step(m, &fixture.test.policy, 1);
	assert_true(m->state.none);
	free(m);
}

/* It begins with a control, and with no check that counted. */
static void a_climb_that_begins_again_knows_of_no_step(void **state)
{
	struct evidence_memory *m = memory_of(&fixture);

	(void)state;
	evidence_memory_begin_step(m, &fixture.test.policy, 2);
	assert_true(m->state.none);
	m->state.checks = 7;
	evidence_memory_climb_again(m);
	assert_false(m->state.none);
	assert_int_equal(m->state.checks, 0);
	assert_int_equal(m->climbs, 2);
	free(m);
}

static void counts_fit_only_with_the_same_buckets(void **state)
{
	struct check_counts counts = {.bins = 3, .bounds = {0.1, 0.5}};
	struct evidence_memory *m = memory_of(&fixture);
	struct evidence_slo *errors = evidence_find(m, 0);
	struct evidence_slo *latency = evidence_find(m, 1);

	(void)state;
	assert_false(evidence_counts_fit(errors, &counts));
	assert_true(evidence_counts_fit(latency, &counts));
	counts.bins = 1;
	assert_false(evidence_counts_fit(latency, &counts));
	counts.bins = EVIDENCE_BINS_MAX + 1;
	assert_false(evidence_counts_fit(latency, &counts));
	counts.bins = 3;
	evidence_memory_take(m, &fixture.test.policy, latency, &counts, 1000);
	assert_true(evidence_counts_fit(latency, &counts));
	counts.bounds[1] = 0.6;
	assert_false(evidence_counts_fit(latency, &counts));
	counts.bounds[1] = 0.5;
	counts.bins = 2;
	assert_false(evidence_counts_fit(latency, &counts));
	free(m);
}

#define ROWS 120

/* What is slower than the bound of a histogram is what is bad of a ratio: the
 * same requests, counted both ways, are as dispersed. */
static void slow_requests_are_dispersed_as_bad_ones_are(void **state)
{
	const struct evidence_spec ratio = {.bins = 2};
	const struct evidence_spec latency = {
		.latency = true, .bins = 4, .bound = 1};
	static struct history_row good_and_bad[ROWS], buckets[ROWS];
	struct dispersion of_ratio, of_latency;
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	for (int i = 0; i < ROWS; i++) {
		for (int half = 0; half < 2; half++) {
			double fast = 200 + (double)rng_below(&rng, 50);
			double slow = rng_below(&rng, 4) ? 1 : 30;

			good_and_bad[i].bin[half][0] = 2 * fast;
			good_and_bad[i].bin[half][1] = 3 * slow;
			buckets[i].bin[half][0] = fast;
			buckets[i].bin[half][1] = fast;
			buckets[i].bin[half][2] = 2 * slow;
			buckets[i].bin[half][3] = slow;
		}
	}
	dispersion_estimate(good_and_bad, ROWS, &ratio, &of_ratio);
	dispersion_estimate(buckets, ROWS, &latency, &of_latency);
	assert_true(of_ratio.phi > 5 && of_ratio.phi_level > 5);
	assert_true(fabs(of_ratio.phi - of_latency.phi) < 1e-9);
	assert_true(fabs(of_ratio.phi_level - of_latency.phi_level) < 1e-9);
}

/* A candidate is slow for the first 50 s of each step, which are no evidence,
 * however seldom other SLOs are asked. */
static void a_warm_up_lasts_as_long_whatever_other_slos_are_asked(void **state)
{
	static const int64_t errors_every_ms[] = {15000, 60000, 300000};
	struct world *w = &fixture.world;
	int64_t moved_ms;
	size_t i;
	int was;

	(void)state;
	for (i = 0; i < sizeof(errors_every_ms) / sizeof(errors_every_ms[0]);
		i++) {
		evidence_fixture_fini(&fixture);
		evidence_fixture_init(&fixture, 1);
		fixture.test.slos[0].interval_ms = errors_every_ms[i];
		fixture.test.slos[1].interval_ms = 15000;
		world_start(w);
		for (was = 0, moved_ms = 0; !phase_is_end(w->rollout.phase);) {
			world_run(w, 1000);
			if (w->serving.candidate > was)
				moved_ms = w->now_ms;
			was = w->serving.candidate;
			fixture.candidate.slower =
				w->now_ms - moved_ms < 50000 ? 4 : 1;
		}
		assert_string_equal(phase_name(w->rollout.phase), "promoted");
		assert_false(w->rollout.evidence->state.stepped_back);
	}
}

static int set_up(void **state)
{
	(void)state;
	evidence_fixture_init(&fixture, 1);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	evidence_fixture_fini(&fixture);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_promise_is_the_policys),
		TEST(two_percent_of_stable_are_a_control),
		TEST(a_climb_that_begins_again_knows_of_no_step),
		TEST(counts_fit_only_with_the_same_buckets),
		TEST(slow_requests_are_dispersed_as_bad_ones_are),
		TEST(a_warm_up_lasts_as_long_whatever_other_slos_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
