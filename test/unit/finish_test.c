/* SPDX-License-Identifier: Apache-2.0 */
/* What the finish of a rollout waits for, and for how long; writes whose answer is
 * late; and which SLO is told of two that fail together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)

static struct test_policy test;
static struct world world;

static int setup(void **state)
{
	test_policy_init(&test);
	world_init(&world, &test.policy);
	return 0;
}

static int teardown(void **state)
{
	rollout_clear(&world.rollout);
	return 0;
}

static struct answers outage(struct world *w, int slo)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_ERROR, 0}};
}

/* Nobody sees how the candidate does, so that it gets nothing back; and a finish
 * has no hold that would end. */
static void a_finish_that_may_not_set_traffic_back_ends(void **state)
{
	test.policy.on_drift = ON_DRIFT_REASSERT;
	test.policy.tag = "candidate";
	world.serve_delay_ms = 5 * MINUTE;
	world_start(&world);
	for (int i = 0; i < 36000 && world.rollout.step < 3; i++)
		world_run(&world, 100);
	assert_int_equal(world.rollout.phase, PHASE_SHIFTING);
	world.answer = outage;
	world_run(&world, 2 * MINUTE);
	world_drift(&world, (struct split){36, 12, 52});
	world_run(&world, HOUR);
	assert_int_equal(world.rollout.phase, PHASE_STOPPED);
	assert_int_equal(world.spec.other, 52);
}

/* The step up was given up without an answer; it is not lost, only late. */
static void a_step_up_that_comes_after_the_revert_is_taken_back(void **state)
{
	world.latency_ms = 500;
	world_start(&world);
	while (world.spec.candidate < 10)
		world_run(&world, 100);
	world.write_result = WRITE_UNKNOWN;
	world.write_trouble = 1;
	for (int i = 0; i < 6000 && world.write_trouble; i++)
		world_run(&world, 100);
	assert_int_equal(world.spec.candidate, 10);
	world_command(&world, VERB_ABORT, "bob");
	for (int i = 0; i < 600 && world.rollout.phase < PHASE_ROLLING_BACK;
		i++)
		world_run(&world, 100);
	world_drift(&world, (struct split){50, 50, 0});
	world_run(&world, HOUR);
	assert_non_null(strstr(world.notes, "warning"));
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	assert_int_equal(world.spec.stable, 100);
}

/* It was given up, and comes when the next one is out. */
static void the_answer_of_an_earlier_write_is_not_the_next_ones(void **state)
{
	struct event late = {.type = EVENT_WRITTEN,
		.write_attempt = 1,
		.result = WRITE_REJECTED,
		.text = "late"};
	const struct traffic_writer *w = &world.rollout.traffic.write;

	world.latency_ms = 2000;
	world_start(&world);
	for (int i = 0; i < 3600 && !(w->attempt == 2 && w->out_ms); i++)
		world_run(&world, 500);
	assert_true(w->out_ms);
	world_feed(&world, &late);
	assert_true(w->out_ms);
	assert_int_equal(world.rollout.phase, PHASE_SHIFTING);
	world_run(&world, 3 * HOUR);
	assert_int_equal(world.rollout.phase, PHASE_PROMOTED);
}

static struct answers always_bad(struct world *w, int slo)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, 0.05}};
}

/* The end of a settle is one moment for all of them. */
static void the_slo_that_reverts_is_the_one_that_is_told(void **state)
{
	test.slos[0].has_critical = false;
	test.slos[1] = test.slos[0];
	test.slos[1].name = "another";
	test.policy.n_slos = 2;
	test.policy.settle_ms = MINUTE;
	world.answer = always_bad;
	world_start(&world);
	world_run(&world, 3 * MINUTE);
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	assert_non_null(strstr(world.rollout.reason, test.slos[0].name));
	assert_int_equal(world.rollout.failed_slo, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_answer_of_an_earlier_write_is_not_the_next_ones,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_step_up_that_comes_after_the_revert_is_taken_back,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_finish_that_may_not_set_traffic_back_ends, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			the_slo_that_reverts_is_the_one_that_is_told, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
