/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: the load of a step, and what it means for the step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/outlook.h"
#include "engine_fixture.h"

enum { SECOND = 1000, MINUTE = 60000, HOUR = 60 * MINUTE };

static struct test_policy test;
static struct world world;
static struct action *load;

/* Step 1 (10 %, settle 10 s, bake 60 s, window 20 s) has a load of 5 minutes. */
static int setup(void **state)
{
	test_policy_init(&test);
	load = test_policy_add(&test, LIST_LOAD, "users");
	load->stop_on_failure = true;
	test.steps[0].load = 1;
	world_init(&world, &test.policy);
	world.load_ms = 5 * MINUTE;
	return 0;
}

static int teardown(void **state)
{
	rollout_clear(&world.rollout);
	return 0;
}

static void expect_phase(enum phase phase)
{
	assert_string_equal(phase_name(world.rollout.phase), phase_name(phase));
}

static bool load_runs(void)
{
	return world.rollout.sequence.active &&
	       world.rollout.sequence.list == LIST_LOAD;
}

static void run_until_load(void)
{
	world_start(&world);
	for (int i = 0; i < 1000 && !load_runs(); i++)
		world_run(&world, 100);
	assert_true(load_runs());
	expect_phase(PHASE_BAKING);
}

static int64_t run_until_over(void)
{
	while (load_runs())
		world_run(&world, 10);
	return world.now_ms;
}

static struct answers value(double v)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, v}};
}

static struct answers bad_under_load(struct world *w, int slo)
{
	return value(load_runs() ? 0.05 : 0);
}

static struct answers bad_after_load(struct world *w, int slo)
{
	return value(w->rollout.loads_over && w->rollout.step == 0 ? 0.05 : 0);
}

static enum action_result misses(
	struct world *w, enum action_list list, int index, int attempt)
{
	return list == LIST_LOAD ? ACTION_FAILED : ACTION_OK;
}

static enum action_result cannot_be_made(
	struct world *w, enum action_list list, int index, int attempt)
{
	return list == LIST_LOAD ? ACTION_UNKNOWN : ACTION_OK;
}

/* ---- */

static void the_bake_begins_a_window_after_the_load(void **state)
{
	struct outlook look;
	int64_t over_ms;
	int passes;

	run_until_load();
	world_run(&world, 4 * MINUTE); /* far longer than the bake */
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.rollout.step, 0);
	passes = rollout_passes(&world.rollout, 0);
	assert_true(passes > 10); /* checks went on */
	assert_int_equal(
		rollout_baked_ms(&test.policy, &world.rollout, world.now_ms),
		0);
	look = rollout_outlook(&test.policy, &world.rollout, world.now_ms);
	assert_int_equal(look.waits_for, OUTLOOK_ACTION);
	assert_int_equal(look.phase, PHASE_BAKING);
	over_ms = run_until_over();
	assert_false(world.rollout.bake_open);
	assert_in_range(world.rollout.bake_from_ms, over_ms + 20 * SECOND - 20,
		over_ms + 20 * SECOND);
	look = rollout_outlook(&test.policy, &world.rollout, world.now_ms);
	assert_int_equal(look.waits_for, OUTLOOK_SETTLE);
	assert_int_equal(look.at_ms, world.rollout.bake_from_ms);
	while (!world.rollout.bake_open)
		world_run(&world, SECOND);
	/* What was seen under load is no evidence for the step. */
	assert_true(rollout_passes(&world.rollout, 0) <= 1);
	while (world.rollout.step == 0)
		world_run(&world, SECOND);
	assert_true(world.now_ms >= over_ms + 80 * SECOND);
	assert_true(world.now_ms <= over_ms + 95 * SECOND);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.actions, "users");
}

static int cancel_at, write_at, looks;

static void see_order(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	for (size_t i = 0; i < out->n_effects; i++) {
		looks++;
		if (out->effect[i].type == EFFECT_CANCEL && !cancel_at)
			cancel_at = looks;
		if (out->effect[i].type == EFFECT_WRITE &&
			out->effect[i].percent == 0 && !write_at)
			write_at = looks;
	}
}

static void a_breach_under_load_stops_it_first_and_goes_back(void **state)
{
	int64_t began_ms;

	cancel_at = write_at = looks = 0;
	world.answer = bad_under_load;
	world.watch = see_order;
	run_until_load();
	began_ms = world.now_ms;
	while (!world.reverted_ms)
		world_run(&world, 100);
	assert_false(load_runs());
	assert_true(cancel_at && write_at && cancel_at < write_at);
	/* Two breaches of three, ten seconds apart: as without a load. */
	assert_true(world.reverted_ms <= began_ms + 25 * SECOND);
	world_run(&world, HOUR);
	expect_phase(PHASE_ROLLED_BACK);
	assert_int_equal(rollout_exit_status(&world.rollout), 5);
}

static void a_breach_in_the_window_after_it_counts(void **state)
{
	int64_t over_ms;

	world.answer = bad_after_load;
	run_until_load();
	over_ms = run_until_over();
	world_run(&world, 25 * SECOND);
	assert_true(world.reverted_ms && world.reverted_ms < over_ms + 25000);
}

static void what_a_load_misses_takes_the_release_back(void **state)
{
	world.action = misses;
	run_until_load();
	run_until_over();
	expect_phase(PHASE_REVERTING);
	assert_string_equal(world.rollout.reason,
		"load of step 1: action \"users\" failed");
	assert_non_null(strstr(world.notes, "breach"));
	world_run(&world, HOUR);
	expect_phase(PHASE_ROLLED_BACK);
	assert_int_equal(rollout_exit_status(&world.rollout), 5);
}

static void a_policy_that_holds_or_observes_does_so(void **state)
{
	test.policy.on_breach = ON_BREACH_HOLD;
	world.action = misses;
	run_until_load();
	run_until_over();
	expect_phase(PHASE_HELD);
	assert_int_equal(world.rollout.cause, CAUSE_SLO);
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.actions, "users");

	setup(NULL);
	test.policy.on_breach = ON_BREACH_OBSERVE;
	world.action = misses;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_non_null(strstr(world.notes, "would-have-reverted"));
}

static void one_that_is_only_reported_is(void **state)
{
	load->stop_on_failure = false;
	world.action = misses;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_int_equal(world.rollout.actions_failed, 1);
}

static void a_load_that_could_not_be_made_waits_for_a_person(void **state)
{
	world.action = cannot_be_made;
	run_until_load();
	run_until_over();
	expect_phase(PHASE_HELD);
	assert_int_equal(world.rollout.cause, CAUSE_HOOK);
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void a_breach_that_holds_stops_it_and_it_is_not_made_again(void **state)
{
	test.policy.on_breach = ON_BREACH_HOLD;
	world.answer = bad_under_load;
	run_until_load();
	world_run(&world, 30 * SECOND);
	expect_phase(PHASE_HELD);
	assert_false(load_runs());
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.actions, "users");
}

static void after_a_crash_it_is_not_made_again_unasked(void **state)
{
	run_until_load();
	world_run(&world, MINUTE);
	world_crash(&world, SECOND);
	world_run(&world, 10 * SECOND);
	expect_phase(PHASE_HELD);
	assert_int_equal(world.rollout.cause, CAUSE_HOOK);
	assert_int_equal(world.rollout.actions_unknown, 0);
	assert_string_equal(world.actions, "users");
	assert_string_equal(world.rollout.reason,
		"load of step 1: action \"users\" failed: a crash cut it off, "
		"and a resume repeats only what is \"idempotent: true\"");
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.actions, "users");
}

static void a_crash_in_preflight_refuses_and_says_what_helps(void **state)
{
	test_policy_add(&test, LIST_PREFLIGHT, "before")->stop_on_failure =
		true;
	world.latency_ms = 5 * SECOND;
	world_start(&world);
	for (int i = 0; i < 1000 && !world.rollout.sequence.running; i++)
		world_run(&world, 100);
	assert_int_equal(world.rollout.sequence.list, LIST_PREFLIGHT);
	world_run(&world, SECOND);
	world_crash(&world, SECOND);
	world_run(&world, MINUTE);
	expect_phase(PHASE_REFUSED);
	assert_string_equal(world.rollout.reason,
		"preflight: action \"before\" failed: a crash cut it off, and "
		"a resume repeats only what is \"idempotent: true\"; nothing "
		"was shifted: start the release again");
}

static void one_that_may_be_repeated_is_after_a_crash(void **state)
{
	load->idempotent = true;
	run_until_load();
	world_run(&world, MINUTE);
	world_crash(&world, SECOND);
	world_run(&world, 10 * SECOND);
	assert_true(load_runs());
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.actions, "users users");
}

static void a_person_who_pauses_does_not_lose_what_it_says(void **state)
{
	world.action = misses;
	run_until_load();
	world_command(&world, VERB_PAUSE, "bob");
	world_run(&world, SECOND);
	expect_phase(PHASE_PAUSED);
	run_until_over();
	expect_phase(PHASE_REVERTING);
}

static void an_abort_stops_it(void **state)
{
	run_until_load();
	world_command(&world, VERB_ABORT, "bob");
	assert_false(load_runs());
	world_run(&world, MINUTE);
	expect_phase(PHASE_ROLLED_BACK);
	assert_int_equal(rollout_exit_status(&world.rollout), 6);
}

static void each_step_has_its_own(void **state)
{
	test_policy_add(&test, LIST_LOAD, "crowd")->stop_on_failure = true;
	test.steps[2].load = 2;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.actions, "users crowd");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_bake_begins_a_window_after_the_load),
		TEST(a_breach_under_load_stops_it_first_and_goes_back),
		TEST(a_breach_in_the_window_after_it_counts),
		TEST(what_a_load_misses_takes_the_release_back),
		TEST(a_policy_that_holds_or_observes_does_so),
		TEST(one_that_is_only_reported_is),
		TEST(a_load_that_could_not_be_made_waits_for_a_person),
		TEST(a_breach_that_holds_stops_it_and_it_is_not_made_again),
		TEST(after_a_crash_it_is_not_made_again_unasked),
		TEST(a_crash_in_preflight_refuses_and_says_what_helps),
		TEST(one_that_may_be_repeated_is_after_a_crash),
		TEST(a_person_who_pauses_does_not_lose_what_it_says),
		TEST(an_abort_stops_it),
		TEST(each_step_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
