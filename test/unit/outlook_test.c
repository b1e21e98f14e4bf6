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
		comes(rows[i].waits_for, PHASE_BAKING, 0);
		or_else(PHASE_REVERTING, NOW_MS + 900);
	}
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
		TEST(nothing_comes_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
