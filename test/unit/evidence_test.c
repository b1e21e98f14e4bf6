/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: evidence that is too old, time that nobody watched, breaches that
 * a person overruled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

#define MINUTE 60000
#define HOUR   (60 * MINUTE)

static struct test_policy test;
static struct world world;

static int setup(void **state)
{
	test_policy_init(&test);
	world_init(&world, &test.policy);
	return 0;
}

static struct answers value(double v)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, v}};
}

static int64_t age_ms(const struct world *w)
{
	return w->now_ms - w->start_ms;
}

static struct answers bad_from_minute_2(struct world *w, int slo)
{
	return value(age_ms(w) >= 2 * MINUTE ? 0.05 : 0);
}

static struct answers critical_in_minute_2(struct world *w, int slo)
{
	bool bad = age_ms(w) >= 2 * MINUTE && age_ms(w) < 2 * MINUTE + 18000;

	return value(bad ? 0.5 : 0.001);
}

static struct answers never_any(struct world *w, int slo)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
}

static struct answers outage_for_ever(struct world *w, int slo)
{
	if (age_ms(w) >= MINUTE)
		return (struct answers){.item[QUERY_VALUE] = {ANSWER_ERROR, 0}};
	return value(0);
}

static void expect_phase(enum phase phase)
{
	assert_string_equal(phase_name(world.rollout.phase), phase_name(phase));
}

static void expect_reverted(int exit_status)
{
	expect_phase(PHASE_ROLLED_BACK);
	assert_int_equal(world.spec.stable, 100);
	assert_int_equal(rollout_exit_status(&world.rollout), exit_status);
}

static void time_that_nobody_watched_is_no_bake(void **state)
{
	world_start(&world);
	world_run(&world, 45000);
	expect_phase(PHASE_BAKING);
	/* Its bake would be over, and its last answers were good. */
	world_sleep(&world, 10 * MINUTE);
	world_run(&world, 20000);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.spec.candidate, 10);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void an_answer_from_before_a_standstill_is_no_evidence(void **state)
{
	test.steps[1].approval = &test.approval;
	world.latency_ms = 1000;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	while (!world.rollout.check[0].asked_ms)
		world_run(&world, 100);
	world.answer = bad_from_minute_2;
	world_sleep(&world, 2 * MINUTE); /* the good answer is on its way */
	world_command(&world, VERB_APPROVE, "bob");
	assert_false(world.refused);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_int_equal(world.highest_percent, 10);
}

static void evidence_from_before_a_crash_moves_no_traffic(void **state)
{
	test.steps[1].approval = &test.approval;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	world.answer = bad_from_minute_2;
	world_crash(&world, MINUTE);
	world_command(&world, VERB_APPROVE, "bob");
	assert_false(world.refused);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_int_equal(world.highest_percent, 10);
}

static void a_breach_that_was_overruled_at_a_gate_does_not_shut_it(void **state)
{
	test.policy.on_breach = ON_BREACH_HOLD;
	test.steps[1].approval = &test.approval;
	test.slos[0].has_critical = true;
	test.slos[0].critical = 0.1;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	world.answer = critical_in_minute_2;
	world_run(&world, MINUTE);
	expect_phase(PHASE_HELD);
	world_command(&world, VERB_CONTINUE, "bob");
	assert_false(world.refused);
	expect_phase(PHASE_AWAITING_APPROVAL);
	world_command(&world, VERB_APPROVE, "bob");
	expect_phase(PHASE_AWAITING_APPROVAL); /* its passes come first */
	world_run(&world, MINUTE);
	assert_int_equal(world.spec.candidate, 50);
}

static void a_breach_that_holds_is_told_once(void **state)
{
	const char *told;

	test.policy.on_breach = ON_BREACH_HOLD;
	world.answer = bad_from_minute_2;
	world_start(&world);
	world_run(&world, 4 * MINUTE);
	expect_phase(PHASE_HELD);
	told = strstr(world.notes, "breach");
	assert_non_null(told);
	assert_null(strstr(told + 1, "breach"));
}

static void observing_takes_missing_data_as_it_takes_a_breach(void **state)
{
	test.policy.on_breach = ON_BREACH_OBSERVE;
	test.slos[0].no_data = NO_DATA_BREACH;
	world.answer = never_any;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_non_null(strstr(world.notes, "would-have-reverted"));
}

static void an_adopted_candidate_is_watched_from_its_first_gate(void **state)
{
	test.steps[0].approval = &test.approval;
	world.spec = world.serving = (struct split){30, 70, 0};
	world.answer = bad_from_minute_2;
	world_start(&world);
	world_run(&world, MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	assert_true(world.asks > 0);
	world_run(&world, HOUR);
	expect_reverted(5);
}

static void rolled_back_means_that_stable_was_seen_to_have_all(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "slow");
	world.latency_ms = 1000;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	while (!strstr(world.actions, "slow"))
		world_run(&world, 10);
	world_drift(&world, (struct split){0, 40, 60});
	world_run(&world, HOUR);
	expect_phase(PHASE_STOPPED);
}

static void metrics_that_are_away_do_not_wait_for_the_end_of_a_bake(
	void **state)
{
	test.steps[0].bake_ms = HOUR;
	world.answer = outage_for_ever;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_HELD);
	assert_int_equal(world.rollout.cause, CAUSE_METRICS);
}

static void a_rollback_that_cannot_be_read_back_needs_a_person(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "slow");
	world.latency_ms = 1000;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	while (!strstr(world.actions, "slow"))
		world_run(&world, 10);
	world.read_trouble = -1;
	world_run(&world, HOUR);
	expect_phase(PHASE_ROLLBACK_FAILED);
	assert_non_null(strstr(world.rollout.reason, "read back"));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(time_that_nobody_watched_is_no_bake),
		TEST(an_answer_from_before_a_standstill_is_no_evidence),
		TEST(evidence_from_before_a_crash_moves_no_traffic),
		TEST(a_breach_that_was_overruled_at_a_gate_does_not_shut_it),
		TEST(a_breach_that_holds_is_told_once),
		TEST(observing_takes_missing_data_as_it_takes_a_breach),
		TEST(an_adopted_candidate_is_watched_from_its_first_gate),
		TEST(rolled_back_means_that_stable_was_seen_to_have_all),
		TEST(metrics_that_are_away_do_not_wait_for_the_end_of_a_bake),
		TEST(a_rollback_that_cannot_be_read_back_needs_a_person),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
