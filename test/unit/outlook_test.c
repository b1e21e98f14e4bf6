/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes next, out of states that a rollout is in for moments only, so that
 * random ones (test/sim/outlook_test) are seldom looked at there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/outlook.h"
#include "engine_fixture.h"

#define NOW_MS      INT64_C(1000000)
#define DEADLINE_MS INT64_C(1600000)
#define DUE_MS      INT64_C(1004000)

static struct test_policy test;
static struct rollout r;

static int setup(void **state)
{
	test_policy_init(&test);
	rollout_init(&r);
	r.now_ms = NOW_MS;
	r.step = 1;
	r.traffic.write.deadline_ms = DEADLINE_MS;
	r.grid_ms = r.check[0].due_ms = DUE_MS;
	return 0;
}

static void comes(enum outlook_wait what, enum phase phase, int64_t at_ms)
{
	struct outlook o = rollout_outlook(&test.policy, &r, NOW_MS);

	assert_int_equal(o.waits_for, what);
	assert_int_equal(o.phase, phase);
	assert_int_equal(o.at_ms, at_ms);
}

static void or_else(enum phase phase, int64_t at_ms)
{
	struct outlook o = rollout_outlook(&test.policy, &r, NOW_MS);

	assert_int_equal(o.late, phase);
	assert_int_equal(o.late_ms, at_ms);
}

/* Three checks, ten seconds apart. */
static void a_step_up_that_is_not_written_waits_for_checks(void **state)
{
	int64_t late_ms;

	r.phase = PHASE_SHIFTING;
	r.traffic.write.state = WRITER_WANTS;
	r.traffic.write.blocked_ms = NOW_MS;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, 0);
	r.checking = true;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, DUE_MS + 20000);
	late_ms = rollout_outlook(&test.policy, &r, NOW_MS).late_ms;
	assert_true(late_ms > NOW_MS);
	or_else(PHASE_HELD, late_ms);
	/* The approval that let it go up ends before. */
	r.approved_until_ms = late_ms - 1;
	or_else(PHASE_HELD, late_ms - 1);
	r.approved_until_ms = late_ms + 1;
	or_else(PHASE_HELD, late_ms);
	r.traffic.write.state = WRITER_IDLE;
	comes(OUTLOOK_TRAFFIC, PHASE_BAKING, 0);
	r.traffic.write.state = WRITER_WANTS;
	r.traffic.write.blocked_ms = 0;
	comes(OUTLOOK_TRAFFIC, PHASE_BAKING, 0);
	or_else(PHASE_REVERTING, DEADLINE_MS);
}

static void a_gate_that_is_passed_waits_for_what_else_is_missing(void **state)
{
	r.phase = PHASE_AWAITING_APPROVAL;
	r.checking = true;
	test.steps[1].approval = &test.approval;
	comes(OUTLOOK_APPROVALS, PHASE_SHIFTING, 0);
	r.approvals = 1;
	r.approved_until_ms = NOW_MS; /* too late */
	comes(OUTLOOK_APPROVALS, PHASE_SHIFTING, 0);
	r.approved_until_ms = NOW_MS + 1;
	comes(OUTLOOK_CHECKS, PHASE_SHIFTING, DUE_MS + 20000);
	r.traffic.write.state = WRITER_WANTS;
	comes(OUTLOOK_TRAFFIC, PHASE_SHIFTING, 0);
}

static void a_finish_waits_for_its_hook_and_for_its_write(void **state)
{
	r.phase = PHASE_SHIFTING;
	r.step = 3;
	r.sequence.active = true;
	r.sequence.retry_ms = NOW_MS + 500;
	comes(OUTLOOK_ACTION, PHASE_PROMOTED, NOW_MS + 500);
	r.sequence.running = true;
	comes(OUTLOOK_ACTION, PHASE_PROMOTED, 0);
	r.sequence.active = false;
	comes(OUTLOOK_TRAFFIC, PHASE_PROMOTED, 0);
	or_else(PHASE_PROMOTED, DEADLINE_MS);
}

static void a_rollback_waits_for_traffic_and_then_for_a_look(void **state)
{
	r.phase = PHASE_ROLLING_BACK;
	r.traffic.write.state = WRITER_WANTS;
	comes(OUTLOOK_TRAFFIC, PHASE_ROLLING_BACK, 0);
	or_else(PHASE_ROLLBACK_FAILED, DEADLINE_MS);
	r.traffic.write.state = WRITER_IDLE;
	comes(OUTLOOK_LAST_LOOK, PHASE_ROLLED_BACK, 0);
	/* A write that may still come is waited for. */
	r.traffic.write.loose_ms = NOW_MS + 700;
	comes(OUTLOOK_LAST_LOOK, PHASE_ROLLED_BACK, NOW_MS + 700);
	r.revert_failed = true;
	comes(OUTLOOK_LAST_LOOK, PHASE_ROLLBACK_FAILED, NOW_MS + 700);
	r.sequence.active = r.sequence.running = true;
	comes(OUTLOOK_ACTION, PHASE_ROLLBACK_FAILED, 0);
}

static void a_revert_waits_for_traffic_or_for_who_is_told(void **state)
{
	r.phase = PHASE_REVERTING;
	comes(OUTLOOK_TRAFFIC, PHASE_ROLLING_BACK, 0);
	or_else(PHASE_ROLLBACK_FAILED, DEADLINE_MS);
	r.sequence.active = r.sequence.running = true;
	comes(OUTLOOK_ACTION, PHASE_ROLLBACK_FAILED, 0);
}

static void a_hold_waits_for_what_it_is_held_for(void **state)
{
	static const struct {
		enum cause cause;
		enum outlook_wait waits_for;
	} rows[] = {{CAUSE_METRICS, OUTLOOK_METRICS},
		{CAUSE_APPROVAL, OUTLOOK_APPROVALS},
		{CAUSE_STABLE, OUTLOOK_STABLE}, {CAUSE_SLO, OUTLOOK_PERSON},
		{CAUSE_HOOK, OUTLOOK_PERSON}};

	r.phase = PHASE_HELD;
	r.held_from = PHASE_BAKING;
	r.hold_deadline_ms = NOW_MS + 900;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		r.cause = rows[i].cause;
		r.pause_wanted = false;
		comes(rows[i].waits_for, PHASE_BAKING, 0);
		or_else(PHASE_REVERTING, NOW_MS + 900);
		r.pause_wanted = true;
		comes(rows[i].waits_for, PHASE_PAUSED, 0);
	}
	r.pause_wanted = false;
	r.cause = CAUSE_UNDECIDED;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, 0);
	r.checking = true;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, DUE_MS + 20000);
	r.traffic.write.state = WRITER_WANTS;
	comes(OUTLOOK_TRAFFIC, PHASE_BAKING, DUE_MS + 20000);
	r.pause_wanted = true;
	comes(OUTLOOK_TRAFFIC, PHASE_PAUSED, DUE_MS + 20000);
}

static void a_bake_whose_split_is_lost_waits_for_it(void **state)
{
	r.phase = PHASE_BAKING;
	r.checking = true;
	r.bake_from_ms = NOW_MS + 3000;
	comes(OUTLOOK_SETTLE, PHASE_BAKING, NOW_MS + 3000);
	r.bake_open = true;
	r.traffic.write.state = WRITER_WANTS;
	comes(OUTLOOK_TRAFFIC, PHASE_BAKING, 0);
	or_else(PHASE_STOPPED, DEADLINE_MS);
}

/* ---- preflight, freezes ---- */

static void a_preflight_goes_where_it_is_decided_to_go(void **state)
{
	r.phase = PHASE_PREFLIGHT;
	r.step = -1;
	comes(OUTLOOK_LOOK, PHASE_SHIFTING, 0);
	test.steps[0].approval = &test.approval;
	comes(OUTLOOK_LOOK, PHASE_AWAITING_APPROVAL, 0);
	r.pause_wanted = true;
	comes(OUTLOOK_LOOK, PHASE_PAUSED, 0);
	r.refusing = true;
	comes(OUTLOOK_LOOK, PHASE_REFUSED, 0);
	/* Its tag is to be taken away again. */
	r.traffic.write.state = WRITER_WANTS;
	comes(OUTLOOK_TRAFFIC, PHASE_REFUSED, 0);
	or_else(PHASE_REFUSED, DEADLINE_MS);
	r.undoing = true;
	comes(OUTLOOK_TRAFFIC, PHASE_REVERTING, 0);
	r.sequence.active = true;
	r.sequence.retry_ms = NOW_MS + 300;
	comes(OUTLOOK_ACTION, PHASE_REVERTING, NOW_MS + 300);
}

static void a_freeze_keeps_what_would_come_next(void **state)
{
	r.freeze_ms = NOW_MS + 5000;
	r.phase = PHASE_BAKING;
	r.step = 0;
	comes(OUTLOOK_FREEZE, PHASE_SHIFTING, NOW_MS + 5000);
	test.steps[1].approval = &test.approval;
	comes(OUTLOOK_FREEZE, PHASE_AWAITING_APPROVAL, NOW_MS + 5000);
	/* What has begun goes on where it was. */
	r.step = 1;
	r.phase = PHASE_AWAITING_APPROVAL;
	comes(OUTLOOK_FREEZE, PHASE_AWAITING_APPROVAL, NOW_MS + 5000);
	r.phase = PHASE_SHIFTING;
	comes(OUTLOOK_FREEZE, PHASE_SHIFTING, NOW_MS + 5000);
	/* People who wait for nothing else but a person are not frozen. */
	r.phase = PHASE_PAUSED;
	r.paused_from = PHASE_BAKING;
	comes(OUTLOOK_PERSON, PHASE_BAKING, 0);
}

static void what_was_stopped_and_what_is_resumed(void **state)
{
	r.phase = PHASE_BAKING;
	r.resuming = true;
	comes(OUTLOOK_LOOK, PHASE_BAKING, 0);
	r.stopping = true;
	comes(OUTLOOK_ACTION, PHASE_STOPPED, 0);
}

/* ---- checks ---- */

static void checks_come_as_long_as_there_are_some(void **state)
{
	r.phase = PHASE_PAUSED;
	test.policy.n_slos = 2;
	test.slos[1] = test.slos[0];
	r.check[1].due_ms = DUE_MS - 500;
	assert_int_equal(rollout_outlook(&test.policy, &r, NOW_MS).check_ms, 0);
	r.checking = true;
	assert_int_equal(rollout_outlook(&test.policy, &r, NOW_MS).check_ms,
		DUE_MS - 500);
	/* It is being asked. */
	r.check[1].asked_ms = NOW_MS - 70;
	assert_int_equal(rollout_outlook(&test.policy, &r, NOW_MS).check_ms,
		NOW_MS - 70);
	r.check[1].asked_ms = 0;
	r.check[0].due_ms = r.check[1].due_ms = INT64_MAX;
	assert_int_equal(rollout_outlook(&test.policy, &r, NOW_MS).check_ms, 0);
	/* The end of the settle asks all of them. */
	r.bake_from_ms = NOW_MS + 1000;
	assert_int_equal(rollout_outlook(&test.policy, &r, NOW_MS).check_ms,
		NOW_MS + 1000);
	r.phase = PHASE_REVERTING;
	assert_int_equal(rollout_outlook(&test.policy, &r, NOW_MS).check_ms, 0);
}

/* What was passed before the end of the settle is not counted: three of them,
 * ten seconds apart, the first at its end. */
static void passes_of_a_settle_are_not_counted(void **state)
{
	r.phase = PHASE_HELD;
	r.held_from = PHASE_BAKING;
	r.cause = CAUSE_UNDECIDED;
	r.checking = true;
	r.check[0].passes = 2;
	r.bake_from_ms = NOW_MS + 2500;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, NOW_MS + 2500 + 20000);
	/* Outside it one is missing. */
	r.bake_open = true;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, DUE_MS);
	r.check[0].passes = 3;
	r.check[0].latest_passes = true;
	/* The latest answer is of another process. */
	comes(OUTLOOK_CHECKS, PHASE_BAKING, DUE_MS);
	r.check[0].latest_ms = NOW_MS - 1;
	comes(OUTLOOK_CHECKS, PHASE_BAKING, 0);
}

static void metrics_are_back_when_all_in_trouble_were_asked(void **state)
{
	r.phase = PHASE_HELD;
	r.held_from = PHASE_BAKING;
	r.cause = CAUSE_METRICS;
	test.policy.n_slos = 2;
	test.slos[1] = test.slos[0];
	r.check[0].due_ms = NOW_MS + 9000;
	r.check[0].errors = CHECK_ERRORS_MAX - 1;
	r.check[1].due_ms = NOW_MS + 7000;
	r.check[1].errors = CHECK_ERRORS_MAX;
	comes(OUTLOOK_METRICS, PHASE_BAKING, NOW_MS + 7000);
	r.check[0].errors = CHECK_ERRORS_MAX;
	comes(OUTLOOK_METRICS, PHASE_BAKING, NOW_MS + 9000);
}

/* A bake of a minute that begins now, three passes each. */
static void bake(int64_t bake_ms)
{
	r.phase = PHASE_BAKING;
	r.checking = r.bake_open = true;
	r.bake_from_ms = r.grid_ms = NOW_MS;
	test.steps[1].bake_ms = bake_ms;
	r.check[0].due_ms = NOW_MS + test.slos[0].interval_ms;
	r.check[0].passes = 3;
	r.check[0].latest_passes = true;
	r.check[0].latest_ms = NOW_MS;
}

static void a_bake_hears_the_check_that_is_due_at_its_end(void **state)
{
	bake(60000);
	comes(OUTLOOK_BAKE, PHASE_SHIFTING, NOW_MS + 60000);
	or_else(PHASE_HELD, NOW_MS + 60000);
	/* A fiftieth of its interval later is heard, too; a little more is not. */
	r.grid_ms += 200;
	comes(OUTLOOK_BAKE, PHASE_SHIFTING, NOW_MS + 60200);
	r.grid_ms += 1;
	comes(OUTLOOK_BAKE, PHASE_SHIFTING, NOW_MS + 60000);
	/* Something is asked in every step, … */
	r.check[0].due_ms = NOW_MS + 70000;
	r.check[0].latest_ms = NOW_MS - 1;
	comes(OUTLOOK_BAKE, PHASE_SHIFTING, NOW_MS + 70000);
	/* … and was. */
	r.check[0].latest_ms = NOW_MS;
	comes(OUTLOOK_BAKE, PHASE_SHIFTING, NOW_MS + 60000);
	test.policy.on_undecided = ON_UNDECIDED_ROLLBACK;
	or_else(PHASE_REVERTING, NOW_MS + 60000);
	r.pause_wanted = true;
	comes(OUTLOOK_BAKE, PHASE_PAUSED, NOW_MS + 60000);
}

static void a_bake_waits_for_its_load_and_for_its_hook(void **state)
{
	bake(60000);
	r.sequence.active = r.sequence.running = true;
	r.sequence.list = LIST_LOAD;
	comes(OUTLOOK_ACTION, PHASE_BAKING, 0);
	r.sequence.list = LIST_STEP_PASSED;
	comes(OUTLOOK_ACTION, PHASE_SHIFTING, 0);
}

/* ---- silence ---- */

static void be_silent(size_t i, int64_t interval_s, int checks)
{
	test.slos[i] = test.slos[0];
	test.slos[i].kind = SLO_EVIDENCE;
	test.slos[i].interval_ms = interval_s * 1000;
	r.check[i] = r.check[0];
	r.check[i].due_ms = NOW_MS + interval_s * 1000;
	r.check[i].covered_ms = NOW_MS;
	r.check[i].silent = checks;
}

static void held_after(int64_t seconds)
{
	struct outlook o = rollout_outlook(&test.policy, &r, NOW_MS);

	assert_int_equal(o.waits_for, OUTLOOK_SAMPLES);
	assert_int_equal(o.late, PHASE_HELD);
	assert_int_equal(o.late_ms, NOW_MS + seconds * 1000);
}

/* Held after five minutes without a sample: five checks a minute apart, of
 * which one was before; three that are 100 s apart. */
static void the_first_that_is_silent_for_too_long_holds(void **state)
{
	bake(600000);
	be_silent(0, 60, 1);
	held_after(240);
	test.policy.n_slos = 2;
	be_silent(1, 100, 1);
	held_after(200);
	be_silent(1, 100, 0);
	held_after(240);
	be_silent(0, 60, 0);
	be_silent(1, 100, 2);
	held_after(100);
}

/* Ten checks, 30 s apart: from the fifth in a row on the bake stands still. */
static void the_fifth_silent_check_in_a_row_stops_the_time(void **state)
{
	bake(120000);
	be_silent(0, 30, 3);
	held_after(7 * 30);
	be_silent(0, 30, 1);
	held_after(9 * 30);
	/* 90 s are over before it comes to that. */
	bake(75000);
	be_silent(0, 30, 1);
	held_after(75);
	/* One that is due at the end is asked. */
	bake(90000);
	be_silent(0, 30, 1);
	held_after(90);
	be_silent(0, 30, 2);
	held_after(8 * 30);
}

/* As long again for the requests that it needs; what is due then is not asked. */
static void evidence_has_as_long_again(void **state)
{
	bake(30000);
	be_silent(0, 30, 1);
	held_after(30);
	test.slos[0].requests_needed = 100;
	test.slos[0].objective = 0.01;
	r.evidence = evidence_memory_new(&test.policy, NULL, 0);
	assert_int_equal(rollout_lacks(&test.policy, &r), LACK_REQUESTS);
	held_after(60);
	/* Evidence against the candidate is not what more samples are for. */
	r.evidence->result.log_e = r.evidence->rules.suspicion;
	comes(OUTLOOK_BAKE, PHASE_SHIFTING, NOW_MS + 30000);
	or_else(PHASE_HELD, NOW_MS + 60000);
	free(r.evidence);
	r.evidence = NULL;
}

static void nothing_comes_after_the_end(void **state)
{
	r.phase = PHASE_PROMOTED;
	comes(OUTLOOK_OVER, PHASE_PROMOTED, 0);
	or_else(PHASE_PROMOTED, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(a_step_up_that_is_not_written_waits_for_checks),
		TEST(a_gate_that_is_passed_waits_for_what_else_is_missing),
		TEST(a_finish_waits_for_its_hook_and_for_its_write),
		TEST(a_rollback_waits_for_traffic_and_then_for_a_look),
		TEST(a_revert_waits_for_traffic_or_for_who_is_told),
		TEST(a_hold_waits_for_what_it_is_held_for),
		TEST(a_bake_whose_split_is_lost_waits_for_it),
		TEST(a_preflight_goes_where_it_is_decided_to_go),
		TEST(a_freeze_keeps_what_would_come_next),
		TEST(what_was_stopped_and_what_is_resumed),
		TEST(checks_come_as_long_as_there_are_some),
		TEST(passes_of_a_settle_are_not_counted),
		TEST(metrics_are_back_when_all_in_trouble_were_asked),
		TEST(a_bake_hears_the_check_that_is_due_at_its_end),
		TEST(a_bake_waits_for_its_load_and_for_its_hook),
		TEST(the_first_that_is_silent_for_too_long_holds),
		TEST(the_fifth_silent_check_in_a_row_stops_the_time),
		TEST(evidence_has_as_long_again),
		TEST(nothing_comes_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
