/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions that more than one phase takes, each by itself: what they change,
 * and where they change nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/turn.h"
#include "engine_fixture.h"

#define NOW_MS    INT64_C(1000000)
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static struct test_policy test;
static struct rollout r, before;
static struct outcome_list out;
static struct turn turn = {.r = &r, .out = &out, .now = NOW_MS};

static int setup(void **state)
{
	(void)state;
	test_policy_init(&test);
	rollout_init(&r);
	memset(&out, 0, sizeof(out));
	out.wake_ms = INT64_MAX;
	turn.policy = &test.policy;
	turn.changed = false;
	r.phase = PHASE_BAKING;
	r.step = 1;
	return 0;
}

static bool has_effect(enum effect_type type)
{
	for (size_t i = 0; i < out.n_effects; i++)
		if (out.effect[i].type == type)
			return true;
	return false;
}

static void revert(void)
{
	rollout_revert(&turn, CAUSE_SLO, "why");
}

static void hold(void)
{
	rollout_hold(&turn, CAUSE_SLO, NOW_MS, "why");
}

static void step_back(void)
{
	rollout_step_back(&turn, "why");
}

static void stop(void)
{
	rollout_stop_for_drift(&turn, "why");
}

static void changes_nothing(void (*decide)(void))
{
	before = r;
	decide();
	assert_memory_equal(&r, &before, sizeof(r));
	assert_int_equal(out.n_notes, 0);
	assert_int_equal(out.n_effects, 0);
}

/* ---- where nothing changes ---- */

static void what_goes_back_or_is_over_is_not_decided_again(void **state)
{
	static const enum phase phases[] = {PHASE_REVERTING, PHASE_ROLLING_BACK,
		PHASE_PROMOTED, PHASE_ROLLED_BACK, PHASE_ROLLBACK_FAILED,
		PHASE_REFUSED, PHASE_STOPPED};

	(void)state;
	for (size_t i = 0; i < LENGTH(phases); i++) {
		r.phase = phases[i];
		changes_nothing(revert);
		changes_nothing(hold);
		changes_nothing(step_back);
	}
}

static void what_is_stopped_stays_so_while_people_are_told(void **state)
{
	(void)state;
	r.stopping = true;
	changes_nothing(revert);
	changes_nothing(hold);
	changes_nothing(stop);
}

/* ---- revert ---- */

static void a_revert_wants_nothing_but_stable(void **state)
{
	(void)state;
	r.pause_wanted = r.tag_is_ours = r.traffic.read.fresh = true;
	r.gate_deadline_ms = 7;
	rollout_revert(&turn, CAUSE_SLO, "too many errors");
	assert_int_equal(r.phase, PHASE_REVERTING);
	assert_int_equal(r.phase_ms, NOW_MS);
	assert_int_equal(r.cause, CAUSE_SLO);
	assert_string_equal(r.reason, "too many errors");
	assert_false(r.pause_wanted);
	assert_int_equal(r.gate_deadline_ms, 0);
	assert_int_equal(r.traffic.write.state, WRITER_WANTS);
	assert_int_equal(r.traffic.write.intent.percent, 0);
	assert_int_equal(r.traffic.write.intent.tag, TAG_REMOVE);
	assert_int_equal(r.traffic.write.deadline_ms, NOW_MS + 600000);
	/* The read of the tick of its check will do. */
	assert_true(r.traffic.read.fresh);
	assert_false(has_effect(EFFECT_HURRY));
	assert_int_equal(out.n_notes, 1);
	assert_int_equal(out.note[0].from, PHASE_BAKING);
	assert_int_equal(out.note[0].to, PHASE_REVERTING);
}

static void a_revert_by_a_person_or_beside_others_reads_anew(void **state)
{
	(void)state;
	r.traffic.read.fresh = true;
	rollout_revert(&turn, CAUSE_PERSON, "by alice");
	assert_false(r.traffic.read.fresh);
	assert_int_equal(r.traffic.write.intent.tag, TAG_KEEP);
	setup(NULL);
	r.traffic.read.fresh = true;
	r.traffic.spec.other = 1;
	r.traffic.write.out_ms = NOW_MS - 5;
	revert();
	assert_false(r.traffic.read.fresh);
	assert_true(has_effect(EFFECT_HURRY));
}

/* ---- a step back ---- */

static void approvals_of_an_open_gate_expire(void **state)
{
	r.approvals = 5;
	r.approved_until_ms = 100;
	r.gate_deadline_ms = 50;
	assert_int_equal(rollout_approvals(&r, 99), 5);
	assert_int_equal(rollout_approvals(&r, 100), 0);
	r.gate_deadline_ms = 0; /* it was passed with them */
	assert_int_equal(rollout_approvals(&r, 100), 5);
}

static void a_step_back_begins_with_the_first_step(void **state)
{
	(void)state;
	r.step = 2;
	r.bake_open = r.step_passed = r.finish_begun = true;
	r.bake_from_ms = r.gate_deadline_ms = r.approved_until_ms = 5;
	r.lists_done = 1u << LIST_STEP_PASSED | 1u << LIST_STARTED;
	step_back();
	assert_int_equal(r.phase, PHASE_SHIFTING);
	assert_int_equal(r.step, 0);
	assert_false(r.bake_open || r.step_passed || r.finish_begun);
	assert_int_equal(r.bake_from_ms, 0);
	assert_int_equal(r.gate_deadline_ms, 0);
	assert_int_equal(r.approved_until_ms, 0);
	assert_int_equal(r.lists_done, 1u << LIST_STARTED);
	assert_int_equal(r.traffic.write.intent.percent, 10);
	assert_false(has_effect(EFFECT_HURRY));
	assert_int_equal(out.n_notes, 1);
}

static void a_step_back_from_a_shift_is_no_other_phase(void **state)
{
	(void)state;
	r.phase = PHASE_SHIFTING;
	r.phase_ms = 3;
	r.traffic.write.out_ms = NOW_MS - 5;
	step_back();
	assert_int_equal(r.phase, PHASE_SHIFTING);
	assert_int_equal(r.phase_ms, 3);
	assert_int_equal(out.n_notes, 0);
	assert_true(turn.changed);
	assert_true(has_effect(EFFECT_HURRY));
	assert_int_equal(r.traffic.write.intent.percent, 10);
}

/* ---- refused, stopped ---- */

static void a_refusal_keeps_its_first_reason(void **state)
{
	(void)state;
	r.phase = PHASE_PREFLIGHT;
	r.tag_is_ours = true;
	r.traffic.write.out_ms = NOW_MS - 5;
	rollout_refuse(&turn, CAUSE_PREFLIGHT, "first");
	assert_true(r.refusing);
	/* The tag is ours to take away. */
	assert_int_equal(r.traffic.write.intent.tag, TAG_REMOVE);
	assert_int_equal(r.traffic.write.state, WRITER_WANTS);
	assert_true(has_effect(EFFECT_HURRY));
	rollout_refuse(&turn, CAUSE_DRIFT, "second");
	assert_string_equal(r.reason, "first");
	assert_int_equal(r.cause, CAUSE_PREFLIGHT);
	assert_int_equal(r.traffic.write.state, WRITER_WANTS);
}

static void drift_in_preflight_is_a_refusal_that_writes_nothing(void **state)
{
	(void)state;
	r.phase = PHASE_PREFLIGHT;
	r.tag_is_ours = true;
	r.traffic.write.state = WRITER_WANTS;
	rollout_stop_or_refuse(&turn, "others");
	assert_true(r.refusing);
	assert_false(r.stopping);
	assert_int_equal(r.cause, CAUSE_DRIFT);
	assert_int_equal(r.traffic.write.state, WRITER_IDLE);
}

static void drift_later_stops_and_nothing_is_checked_any_more(void **state)
{
	(void)state;
	r.checking = r.pause_wanted = true;
	r.gate_deadline_ms = r.hold_deadline_ms = 9;
	r.traffic.write.state = WRITER_WANTS;
	r.traffic.write.intent.reassert = true;
	rollout_stop_or_refuse(&turn, "others");
	assert_int_equal(r.phase, PHASE_STOPPED);
	assert_true(r.stopping);
	assert_false(r.checking || r.pause_wanted || r.refusing);
	assert_int_equal(r.gate_deadline_ms + r.hold_deadline_ms, 0);
	assert_int_equal(r.traffic.write.state, WRITER_IDLE);
	assert_false(r.traffic.write.intent.reassert);
	assert_string_equal(r.reason, "others");
}

/* ---- held ---- */

static void holds_of_a_step_last_no_longer_than_one(void **state)
{
	(void)state;
	r.held_ms = 40000;
	rollout_hold(&turn, CAUSE_UNDECIDED, NOW_MS - 1000, "undecided");
	assert_int_equal(r.phase, PHASE_HELD);
	assert_int_equal(r.held_from, PHASE_BAKING);
	assert_int_equal(r.hold_deadline_ms, NOW_MS - 1000 + 300000 - 40000);
	/* Another cause is told, and the time goes on. */
	turn.now = NOW_MS + 5000;
	rollout_hold(&turn, CAUSE_METRICS, turn.now, "no metrics");
	assert_int_equal(r.cause, CAUSE_METRICS);
	assert_int_equal(out.n_notes, 2);
	assert_int_equal(out.note[1].type, NOTE_WARNING);
	assert_string_equal(out.note[1].text, "no metrics");
	assert_int_equal(r.hold_deadline_ms, NOW_MS - 1000 + 300000 - 40000);
	rollout_go_on(&turn);
	assert_int_equal(r.phase, PHASE_BAKING);
	assert_int_equal(r.held_ms, 40000 + 5000);
	assert_int_equal(r.hold_deadline_ms, 0);
	assert_int_equal(r.cause, CAUSE_NONE);
	assert_string_equal(r.reason, "");
	turn.now = NOW_MS;
}

static void a_shift_that_is_held_is_written_when_it_goes_on(void **state)
{
	(void)state;
	r.phase = PHASE_SHIFTING;
	r.traffic.write.state = WRITER_WANTS;
	rollout_hold(&turn, CAUSE_APPROVAL, NOW_MS, "why");
	assert_true(traffic_is_settled(&r));
	rollout_go_on(&turn);
	assert_int_equal(r.phase, PHASE_SHIFTING);
	assert_int_equal(r.traffic.write.state, WRITER_WANTS);
	assert_int_equal(r.traffic.write.intent.percent, 50);
	/* One from a pause was not held meanwhile, … */
	setup(NULL);
	r.phase = PHASE_PAUSED;
	r.paused_from = PHASE_SHIFTING;
	r.finish_begun = true;
	rollout_go_on(&turn);
	assert_int_equal(r.held_ms, 0);
	assert_int_equal(r.traffic.write.intent.percent, 50);
	/* … and a finish is begun anew. */
	setup(NULL);
	r.phase = PHASE_PAUSED;
	r.paused_from = PHASE_SHIFTING;
	r.step = 3;
	r.finish_begun = true;
	rollout_go_on(&turn);
	assert_false(r.finish_begun);
	assert_true(traffic_is_settled(&r));
}

static void a_breach_that_holds_ends_the_load(void **state)
{
	(void)state;
	r.sequence.active = true;
	r.sequence.list = LIST_LOAD;
	rollout_hold(&turn, CAUSE_METRICS, NOW_MS, "no metrics");
	assert_true(r.sequence.active);
	rollout_hold(&turn, CAUSE_SLO, NOW_MS, "errors");
	assert_false(r.sequence.active);
	assert_int_equal(r.lists_done, 1u << LIST_LOAD);
	/* A hook is not what hurts. */
	setup(NULL);
	r.sequence.active = true;
	r.sequence.list = LIST_STEP_PASSED;
	hold();
	assert_true(r.sequence.active);
	assert_int_equal(r.lists_done, 0);
}

static void it_is_paused_although_it_is_held(void **state)
{
	(void)state;
	assert_false(rollout_is_paused(&r));
	r.pause_wanted = true;
	assert_true(rollout_is_paused(&r));
	r.pause_wanted = false;
	r.held_from = PHASE_PAUSED;
	assert_false(rollout_is_paused(&r));
	r.phase = PHASE_HELD;
	assert_true(rollout_is_paused(&r));
	r.held_from = PHASE_BAKING;
	assert_false(rollout_is_paused(&r));
	r.phase = PHASE_PAUSED;
	assert_true(rollout_is_paused(&r));
}

/* ---- what is wanted ---- */

static void what_is_wanted_begins_anew(void **state)
{
	struct traffic_writer *w = &r.traffic.write;

	(void)state;
	w->blocked_ms = w->retry_ms = w->failing_ms = 8;
	w->refused = w->rounds = w->polls = 8;
	w->intent.reassert = true;
	r.traffic.read.retry_ms = 8;
	strcpy(w->trouble, "old");
	traffic_want(&turn, 100, false, TAG_ADD);
	assert_int_equal(w->blocked_ms + w->retry_ms + w->failing_ms, 0);
	assert_int_equal(w->refused + w->rounds + w->polls, 0);
	assert_int_equal(r.traffic.read.retry_ms, 0);
	assert_string_equal(w->trouble, "");
	assert_false(w->intent.reassert || w->intent.to_latest);
	assert_int_equal(w->intent.tag, TAG_ADD);
	/* Stable stays referenced until the finish. */
	assert_true(w->intent.keep_stable);
	traffic_want(&turn, 99, false, TAG_KEEP);
	assert_false(w->intent.keep_stable);
	r.step = 3;
	traffic_want(&turn, 100, true, TAG_KEEP);
	assert_false(w->intent.keep_stable);
	assert_true(w->intent.to_latest);
}

/* ---- what comes out ---- */

static void more_notes_than_there_is_room_keep_the_last(void **state)
{
	(void)state;
	for (int i = 0; i < ROLLOUT_NOTES_MAX + 2; i++)
		turn_note(&turn, NOTE_WARNING, "%d", i);
	assert_int_equal(out.n_notes, ROLLOUT_NOTES_MAX);
	assert_int_equal(out.note[0].text[0], '0');
	assert_int_equal(atoi(out.note[ROLLOUT_NOTES_MAX - 1].text),
		ROLLOUT_NOTES_MAX + 1);
}

static void the_earliest_time_to_wake_wins(void **state)
{
	(void)state;
	turn_wake(&turn, NOW_MS);
	turn_wake(&turn, 0);
	assert_int_equal(out.wake_ms, INT64_MAX);
	turn_wake(&turn, NOW_MS + 2);
	turn_wake(&turn, NOW_MS + 3);
	turn_wake(&turn, NOW_MS + 1);
	assert_int_equal(out.wake_ms, NOW_MS + 1);
}

static void texts_are_cut_between_characters(void **state)
{
	char text[8];

	(void)state;
	text_set(text, sizeof(text), NULL);
	assert_string_equal(text, "");
	text_set(text, sizeof(text), "1234567");
	assert_string_equal(text, "1234567");
	text_set(text, sizeof(text), "123456\xc3\xa9");
	assert_string_equal(text, "123456");
	/* "ours: theirs" has to fit; else what the other side said. */
	text_after(text, sizeof(text), "12", "345");
	assert_string_equal(text, "12: 345");
	text_after(text, sizeof(text), "12", "3456");
	assert_string_equal(text, "3456");
}

static void names_that_nobody_knows_are_found_out(void **state)
{
	(void)state;
	assert_int_equal(phase_find("baking"), PHASE_BAKING);
	assert_int_equal(phase_find("frying"), PHASES);
	assert_int_equal(outcome_find("no-data"), OUTCOME_NO_DATA);
	assert_int_equal(outcome_find("error"), OUTCOME_ERROR);
	assert_int_equal(outcome_find("maybe"), OUTCOME_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(what_goes_back_or_is_over_is_not_decided_again),
		TEST(what_is_stopped_stays_so_while_people_are_told),
		TEST(a_revert_wants_nothing_but_stable),
		TEST(a_revert_by_a_person_or_beside_others_reads_anew),
		TEST(approvals_of_an_open_gate_expire),
		TEST(a_step_back_begins_with_the_first_step),
		TEST(a_step_back_from_a_shift_is_no_other_phase),
		TEST(a_refusal_keeps_its_first_reason),
		TEST(drift_in_preflight_is_a_refusal_that_writes_nothing),
		TEST(drift_later_stops_and_nothing_is_checked_any_more),
		TEST(holds_of_a_step_last_no_longer_than_one),
		TEST(a_shift_that_is_held_is_written_when_it_goes_on),
		TEST(a_breach_that_holds_ends_the_load),
		TEST(it_is_paused_although_it_is_held),
		TEST(what_is_wanted_begins_anew),
		TEST(more_notes_than_there_is_room_keep_the_last),
		TEST(the_earliest_time_to_wake_wins),
		TEST(texts_are_cut_between_characters),
		TEST(names_that_nobody_knows_are_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
