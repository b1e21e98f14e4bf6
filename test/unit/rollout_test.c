/* SPDX-License-Identifier: Apache-2.0 */
/* The engine, scenario by scenario: what a rollout does when the world … */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

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

static bool minute_between(const struct world *w, double from, double to)
{
	double minute = (double)(w->now_ms - w->start_ms) / MINUTE;

	return minute >= from && minute < to;
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

static struct answers bad_from_minute_2(struct world *w, int slo)
{
	return value(minute_between(w, 2, 1e9) ? 0.05 : 0);
}

static struct answers one_blip(struct world *w, int slo)
{
	return value(minute_between(w, 0.5, 0.6) ? 0.05 : 0.001);
}

static struct answers critical_blip(struct world *w, int slo)
{
	return value(minute_between(w, 0.5, 0.6) ? 0.5 : 0.001);
}

static struct answers never_any(struct world *w, int slo)
{
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
}

static struct answers late_data(struct world *w, int slo)
{
	if (minute_between(w, 0, 3))
		return (struct answers){
			.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
	return value(0);
}

static struct answers outage_in_minute_1(struct world *w, int slo)
{
	if (minute_between(w, 1, 2))
		return (struct answers){.item[QUERY_VALUE] = {ANSWER_ERROR, 0}};
	return value(0);
}

static struct answers outage_for_ever(struct world *w, int slo)
{
	if (minute_between(w, 1, 1e9))
		return (struct answers){.item[QUERY_VALUE] = {ANSWER_ERROR, 0}};
	return value(0);
}

static void a_good_release_goes_through_every_step(void **state)
{
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_string_equal(world.phases,
		"preflight shifting baking shifting baking shifting baking "
		"shifting promoted");
	assert_int_equal(world.writes, 4); /* the last removes a tag of ours */
	assert_int_equal(world.spec.candidate, 100);
	assert_false(world.stable_kept);
	assert_int_equal(rollout_exit_status(&world.rollout), 0);
}

static void a_breach_reverts_within_two_checks(void **state)
{
	world.answer = bad_from_minute_2;
	world_start(&world);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_true(world.reverted_ms - world.breach_ms <= 10000);
	assert_non_null(strstr(world.rollout.reason, "error-rate: 0.05"));
}

static void a_single_breach_does_not_revert(void **state)
{
	world.answer = one_blip;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static struct answers bad_when_bake_ends(struct world *w, int slo)
{
	bool over = w->now_ms >= w->rollout.bake_from_ms + 60000;

	return value(w->rollout.step > 0 || over ? 0.05 : 0);
}

static void what_is_due_when_bake_ends_is_heard_first(void **state)
{
	world.latency_ms = 300;
	world.answer = bad_when_bake_ends;
	world_start(&world);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_int_equal(world.highest_percent, 10);
	assert_non_null(strstr(world.phases, "baking held reverting"));
}

static void one_check_beyond_critical_reverts(void **state)
{
	test.slos[0].has_critical = true;
	test.slos[0].critical = 0.1;
	world.answer = critical_blip;
	world_start(&world);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_int_equal(world.reverted_ms, world.breach_ms);
}

static void what_was_not_evaluated_is_held_and_then_reverted(void **state)
{
	world.answer = never_any;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_HELD);
	assert_int_equal(world.spec.candidate, 10);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_int_equal(world.highest_percent, 10);
}

static void a_hold_runs_out_while_nobody_drives(void **state)
{
	world.answer = never_any;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_HELD);
	world_crash(&world, HOUR);
	world_run(&world, MINUTE);
	expect_reverted(5);
}

static void who_was_overtaken_ends_without_a_write(void **state)
{
	struct event event = {.type = EVENT_RESUMED,
		.text = "a later rollout has taken over: shop-2 (promoted)"};
	int writes;

	world_start(&world);
	world_run(&world, MINUTE);
	writes = world.writes;
	world_feed(&world, &event);
	expect_phase(PHASE_STOPPED);
	assert_int_equal(world.writes, writes);
	assert_int_equal(rollout_exit_status(&world.rollout), 7);
	assert_non_null(strstr(world.rollout.reason, "shop-2"));
}

static void a_hold_for_evidence_ends_when_it_arrives(void **state)
{
	world.answer = late_data;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_non_null(strstr(world.phases, "baking held baking shifting"));
}

static void undecided_may_mean_rollback(void **state)
{
	test.policy.on_undecided = ON_UNDECIDED_ROLLBACK;
	world.answer = never_any;
	world_start(&world);
	world_run(&world, 3 * MINUTE);
	expect_reverted(5);
}

static void no_data_may_count_as_breach_or_as_pass(void **state)
{
	test.slos[0].no_data = NO_DATA_BREACH;
	world.answer = never_any;
	world_start(&world);
	world_run(&world, 3 * MINUTE);
	expect_reverted(5);

	setup(NULL);
	test.slos[0].no_data = NO_DATA_PASS;
	world.answer = never_any;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

/* Also an empty one: what is missing may be what would have breached. */
static struct answers incomplete(struct world *w, int slo)
{
	struct answers answers = value(0);

	if (!minute_between(w, 1, 1e9))
		answers.item[QUERY_VALUE].kind = ANSWER_NO_DATA;
	answers.item[QUERY_VALUE].partial = true;
	return answers;
}

static void an_incomplete_answer_is_no_data_and_never_passes(void **state)
{
	test.slos[0].no_data = NO_DATA_PASS;
	world.answer = incomplete;
	world_start(&world);
	world_run(&world, 3 * MINUTE);
	assert_int_equal(world.rollout.check[0].outcome, OUTCOME_NO_DATA);
	assert_true(world.rollout.check[0].partial);
	assert_int_equal(world.rollout.check[0].passes, 0);
	assert_int_equal(world.rollout.step, 0);
}

static void an_incomplete_answer_counts_where_the_policy_accepts_it(
	void **state)
{
	test.slos[0].no_data = NO_DATA_PASS;
	test.slos[0].partial = PARTIAL_ACCEPT;
	world.answer = incomplete;
	world_start(&world);
	world_run(&world, HOUR);
	assert_true(world.rollout.check[0].partial);
	expect_phase(PHASE_PROMOTED);
}

static void an_outage_of_the_metrics_holds_and_heals(void **state)
{
	world.answer = outage_in_minute_1;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_non_null(strstr(world.phases, "held"));
}

static void an_outage_without_end_reverts(void **state)
{
	world.answer = outage_for_ever;
	world_start(&world);
	world_run(&world, HOUR);
	expect_reverted(5);
	assert_int_equal(world.highest_percent, 10);
}

static void a_gate_waits_and_opens_for_an_approver(void **state)
{
	test.steps[1].approval = &test.approval;
	world_start(&world);
	world_run(&world, 5 * MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	assert_int_equal(world.spec.candidate, 10);
	world_command(&world, VERB_APPROVE, "mallory");
	assert_true(world.refused);
	world_command(&world, VERB_APPROVE, "alice"); /* the starter */
	assert_true(world.refused);
	world_command(&world, VERB_APPROVE, "bob");
	assert_false(world.refused);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void a_gate_may_need_two_different_people(void **state)
{
	test.steps[0].approval = &test.approval;
	test.approval.minimum = 2;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_APPROVE, "bob");
	world_command(&world, VERB_APPROVE, "bob");
	assert_true(world.refused);
	expect_phase(PHASE_AWAITING_APPROVAL);
	assert_int_equal(world.writes, 0);
	world_command(&world, VERB_APPROVE, "carol");
	expect_phase(PHASE_SHIFTING);
}

static void an_approval_for_another_step_is_refused(void **state)
{
	struct event event = {.type = EVENT_COMMAND,
		.verb = VERB_APPROVE,
		.who = "bob",
		.step = 2};

	test.steps[1].approval = &test.approval;
	world_start(&world);
	world_command(&world, VERB_APPROVE, "bob");
	assert_true(world.refused); /* no gate is open yet */
	world_run(&world, 5 * MINUTE);
	world_feed(&world, &event);
	assert_true(world.refused);
	expect_phase(PHASE_AWAITING_APPROVAL);
}

static void nobody_in_time_holds_and_then_reverts(void **state)
{
	test.steps[1].approval = &test.approval;
	world_start(&world);
	world_run(&world, 13 * MINUTE);
	expect_phase(PHASE_HELD);
	world_run(&world, HOUR);
	expect_reverted(5);
}

static void a_late_approval_still_opens_a_held_gate(void **state)
{
	test.steps[1].approval = &test.approval;
	world_start(&world);
	world_run(&world, 13 * MINUTE);
	world_command(&world, VERB_APPROVE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void a_breach_reverts_while_a_gate_waits(void **state)
{
	test.steps[1].approval = &test.approval;
	world.answer = bad_from_minute_2;
	world_start(&world);
	world_run(&world, 4 * MINUTE);
	expect_reverted(5);
}

static void a_breach_reverts_while_paused(void **state)
{
	world.answer = bad_from_minute_2;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_PAUSE, "bob");
	expect_phase(PHASE_PAUSED);
	world_run(&world, 3 * MINUTE);
	expect_reverted(5);
}

static void a_pause_lasts_until_continue(void **state)
{
	world_start(&world);
	world_run(&world, 30000);
	world_command(&world, VERB_PAUSE, "bob");
	world_run(&world, 10 * HOUR);
	expect_phase(PHASE_PAUSED);
	assert_int_equal(world.spec.candidate, 10);
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void continue_does_not_skip_missing_evidence(void **state)
{
	world.answer = never_any;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_HELD);
	world_command(&world, VERB_CONTINUE, "bob");
	assert_true(world.refused);
	expect_phase(PHASE_HELD);
}

static void a_breach_may_hold_and_a_person_may_overrule(void **state)
{
	test.policy.on_breach = ON_BREACH_HOLD;
	test.slos[0].has_critical = true;
	test.slos[0].critical = 0.1;
	world.answer = critical_blip;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_HELD);
	world_command(&world, VERB_CONTINUE, "bob");
	assert_false(world.refused);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void observing_only_reports(void **state)
{
	test.policy.on_breach = ON_BREACH_OBSERVE;
	world.answer = bad_from_minute_2;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_non_null(strstr(world.notes, "would-have-reverted"));
	assert_null(strstr(world.notes, " breach"));
}

static void abort_reverts_with_its_own_exit_status(void **state)
{
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, MINUTE);
	expect_reverted(6);
	assert_string_equal(world.rollout.reason, "aborted by bob");
}

static void an_interruption_reverts_and_a_second_changes_nothing(void **state)
{
	struct event event = {.type = EVENT_INTERRUPT, .text = "SIGINT"};

	world_start(&world);
	world_run(&world, MINUTE);
	world_feed(&world, &event);
	expect_phase(PHASE_REVERTING);
	event.text = "SIGTERM";
	world_feed(&world, &event);
	world_run(&world, MINUTE);
	expect_reverted(6);
}

static void an_interruption_may_leave_things_as_they_are(void **state)
{
	struct event event = {
		.type = EVENT_INTERRUPT, .text = "SIGINT", .leave = true};

	world_start(&world);
	world_run(&world, MINUTE);
	world_feed(&world, &event);
	assert_true(world.rollout.leaving);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.spec.candidate, 10);
}

static void drift_stops_without_another_write(void **state)
{
	int writes;

	world_start(&world);
	world_run(&world, MINUTE);
	writes = world.writes;
	world_drift(&world, (struct split){30, 70, 0});
	world_run(&world, MINUTE);
	expect_phase(PHASE_STOPPED);
	assert_int_equal(world.writes, writes);
	assert_int_equal(rollout_exit_status(&world.rollout), 7);
}

static void a_stop_is_told_and_no_more_is_done(void **state)
{
	int writes, asks;

	test_policy_add(&test, LIST_STOPPED, "page")->idempotent = true;
	world.answer = bad_from_minute_2;
	world.latency_ms = 1000;
	world_start(&world);
	world_run(&world, 100000);
	writes = world.writes;
	world_drift(&world, (struct split){30, 70, 0});
	while (!strstr(world.actions, "page"))
		world_run(&world, 100);
	asks = world.asks;
	world_command(&world, VERB_ABORT, "bob"); /* is refused */
	world_crash(&world, MINUTE); /* in the middle of it */
	world_run(&world, MINUTE);
	expect_phase(PHASE_STOPPED);
	assert_string_equal(world.actions, "page page");
	assert_true(world.writes == writes && world.asks == asks);
}

static void drift_may_be_set_back(void **state)
{
	test.policy.on_drift = ON_DRIFT_REASSERT;
	world_start(&world);
	world_run(&world, 40000);
	world_drift(&world, (struct split){0, 40, 60});
	world_run(&world, 15000);
	assert_int_equal(world.spec.candidate, 10);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void a_revert_leaves_alone_whom_others_put_in_charge(void **state)
{
	world_start(&world);
	world_run(&world, MINUTE);
	world_drift(&world, (struct split){0, 0, 100});
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, MINUTE);
	expect_phase(PHASE_STOPPED);
	assert_int_equal(world.spec.other, 100);
}

static void a_revert_does_not_finish_what_a_reassert_began(void **state)
{
	test.policy.on_drift = ON_DRIFT_REASSERT;
	world_start(&world);
	world_run(&world, 40000);
	world_drift(&world, (struct split){0, 40, 60});
	world.write_result = WRITE_BUSY;
	world.write_trouble = 3;
	for (int i = 0; i < 40 && !world.rollout.traffic.write.intent.reassert;
		i++)
		world_run(&world, 500);
	assert_true(world.rollout.traffic.write.intent.reassert);
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 10 * MINUTE);
	expect_phase(PHASE_STOPPED);
	assert_int_equal(world.spec.other, 60);
}

static void a_revert_keeps_trying(void **state)
{
	world_start(&world);
	world_run(&world, MINUTE);
	world.write_result = WRITE_BUSY;
	world.write_trouble = 6;
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 5 * MINUTE);
	expect_reverted(6);
}

static void a_revert_that_cannot_be_done_is_loud(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "flag-off");
	test_policy_add(&test, LIST_HEALTH, "health");
	test_policy_add(&test, LIST_ROLLED_BACK, "page")->idempotent = true;
	test_policy_add(&test, LIST_ROLLED_BACK, "chat");
	world.latency_ms = 1000;
	world_start(&world);
	world_run(&world, MINUTE);
	world.write_result = WRITE_REJECTED;
	world.write_trouble = -1;
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 9 * MINUTE);
	expect_phase(PHASE_REVERTING);
	while (!strstr(world.actions, "page"))
		world_run(&world, 100);
	world_crash(&world, 1000);
	world_run(&world, 5 * MINUTE);
	expect_phase(PHASE_ROLLBACK_FAILED);
	assert_int_equal(rollout_exit_status(&world.rollout), 9);
	assert_string_equal(world.actions, "page page chat");
	assert_non_null(strstr(world.rollout.reason, "could not be given"));
	assert_non_null(rollback_problem(&world.rollout));
}

static void a_write_of_unknown_outcome_is_read_back(void **state)
{
	world.write_result = WRITE_UNKNOWN;
	world.write_trouble = 1;
	world.write_applies = true;
	world_start(&world);
	world_run(&world, 30000);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.writes, 1);
}

static void a_write_that_failed_and_does_not_serve_is_repeated(void **state)
{
	world.write_result = WRITE_FAILED;
	world.write_trouble = 2;
	world_start(&world);
	world_run(&world, MINUTE);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.writes, 3);
}

static void a_shift_whose_operations_keep_failing_ends(void **state)
{
	world.write_result = WRITE_FAILED;
	world.write_trouble = 3;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_reverted(5);
	assert_int_equal(world.highest_percent, 10);
	assert_non_null(strstr(world.rollout.reason, "trouble"));
}

static void a_revert_whose_operations_fail_goes_on_trying(void **state)
{
	world_start(&world);
	world_run(&world, MINUTE);
	world.write_result = WRITE_FAILED;
	world.write_trouble = 8;
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 9 * MINUTE);
	expect_reverted(6);
}

static void a_conflict_is_read_again_and_written_again(void **state)
{
	world.write_result = WRITE_CONFLICT;
	world.write_trouble = 2;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_int_equal(world.writes, 6);
}

static void a_step_that_is_rejected_reverts(void **state)
{
	world_start(&world);
	world_run(&world, MINUTE);
	world.write_result = WRITE_REJECTED;
	world.write_trouble = 1;
	world_run(&world, 10 * MINUTE);
	expect_reverted(5);
}

static void the_bake_begins_when_the_split_serves(void **state)
{
	world.serve_delay_ms = 2 * MINUTE;
	world_start(&world);
	world_run(&world, MINUTE);
	expect_phase(PHASE_SHIFTING);
	assert_true(world.asks >= 6); /* users may be there already */
	world_run(&world, 90000);
	expect_phase(PHASE_BAKING);
}

static void a_sequence_runs_in_order_after_the_revert(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "one");
	test_policy_add(&test, LIST_ROLLBACK, "skipped")->when = WHEN_SLO;
	test_policy_add(&test, LIST_ROLLBACK, "two");
	test_policy_add(&test, LIST_HEALTH, "health");
	test_policy_add(&test, LIST_ROLLED_BACK, "told");
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	assert_string_equal(world.actions, "");
	world_run(&world, 5 * MINUTE);
	expect_reverted(6);
	assert_string_equal(world.actions, "one two health told");
}

static enum action_result fail_two(
	struct world *w, enum action_list list, int index, int attempt)
{
	return list == LIST_ROLLBACK && index == 1 ? ACTION_FAILED : ACTION_OK;
}

static void a_failed_action_may_stop_the_sequence(void **state)
{
	struct action *two;

	test_policy_add(&test, LIST_ROLLBACK, "one");
	two = test_policy_add(&test, LIST_ROLLBACK, "two");
	test_policy_add(&test, LIST_ROLLBACK, "three");
	two->stop_on_failure = true;
	two->retries = 2;
	world.action = fail_two;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 5 * MINUTE);
	expect_phase(PHASE_ROLLBACK_FAILED);
	assert_string_equal(world.actions, "one two two two");
}

static void a_failed_action_with_continue_is_counted(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "one");
	test_policy_add(&test, LIST_ROLLBACK, "two");
	test_policy_add(&test, LIST_ROLLBACK, "three");
	world.action = fail_two;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 5 * MINUTE);
	expect_reverted(6);
	assert_int_equal(world.rollout.actions_failed, 1);
	assert_string_equal(world.actions, "one two three");
}

static enum action_result fail_health(
	struct world *w, enum action_list list, int index, int attempt)
{
	return list == LIST_HEALTH ? ACTION_FAILED : ACTION_OK;
}

static void bad_health_after_the_sequence_is_a_failed_rollback(void **state)
{
	test_policy_add(&test, LIST_HEALTH, "health");
	world.action = fail_health;
	world_start(&world);
	world_run(&world, MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	world_run(&world, 5 * MINUTE);
	expect_phase(PHASE_ROLLBACK_FAILED);
}

static enum action_result fail_all(
	struct world *w, enum action_list list, int index, int attempt)
{
	return ACTION_FAILED;
}

static void a_failed_probe_refuses_and_nothing_moves(void **state)
{
	test.policy.tag = "candidate";
	test_policy_add(&test, LIST_PREFLIGHT, "smoke");
	world.action = fail_all;
	world_start(&world);
	world_run(&world, MINUTE);
	expect_phase(PHASE_REFUSED);
	assert_int_equal(rollout_exit_status(&world.rollout), 4);
	assert_int_equal(world.spec.stable, 100);
	assert_false(world.tagged); /* added for the probe, removed again */
	assert_int_equal(world.writes, 2);
}

static void a_hook_with_stop_holds_and_a_person_may_continue(void **state)
{
	test_policy_add(&test, LIST_STARTED, "hook")->stop_on_failure = true;
	world.action = fail_all;
	world_start(&world);
	world_run(&world, MINUTE);
	expect_phase(PHASE_HELD);
	assert_int_equal(world.writes, 0);
	world_command(&world, VERB_CONTINUE, "bob");
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void the_tag_is_removed_at_the_end(void **state)
{
	test.policy.tag = "candidate";
	world_start(&world);
	world_run(&world, 30000);
	assert_true(world.tagged);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_false(world.tagged);
}

static void a_tag_that_was_there_stays(void **state)
{
	test.policy.tag = "candidate";
	world.tagged = true;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_true(world.tagged);
}

static void as_found_gives_latest_back(void **state)
{
	world.by_latest = true;
	world_start(&world);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_true(world.by_latest);
}

static void latest_is_for_the_candidate_only(void **state)
{
	world.by_latest = true;
	world_start(&world);
	world_run(&world, 3 * MINUTE);
	world.candidate_is_latest = false;
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_false(world.by_latest);
}

static void latest_is_looked_at_again_before_it_is_written(void **state)
{
	world.by_latest = true;
	world.latency_ms = 3000;
	world_start(&world);
	while (world.rollout.step < 3)
		world_run(&world, 100);
	world.candidate_is_latest = false; /* somebody deploys just now */
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
	assert_false(world.by_latest);
}

static void bake_that_no_check_covered_does_not_count(void **state)
{
	world_start(&world);
	world_run(&world, 30000);
	expect_phase(PHASE_BAKING);
	world_crash(&world, HOUR);
	world_run(&world, 30000);
	assert_int_equal(world.spec.candidate, 10);
	world_run(&world, HOUR);
	expect_phase(PHASE_PROMOTED);
}

static void a_crash_in_a_shift_reads_before_it_writes(void **state)
{
	world.latency_ms = 100;
	world_start(&world);
	while (!world.writes)
		world_run(&world, 50);
	world_crash(&world, 5000);
	world_run(&world, 30000);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.writes, 1);
}

static void a_crash_in_an_action_repeats_it_only_if_idempotent(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "again")->idempotent = true;
	test_policy_add(&test, LIST_ROLLBACK, "once");
	world.latency_ms = 1000;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	world_command(&world, VERB_ABORT, "bob");
	while (!strstr(world.actions, "again"))
		world_run(&world, 10);
	world_crash(&world, 1000);
	while (!strstr(world.actions, "once"))
		world_run(&world, 10);
	world_crash(&world, 1000);
	world_run(&world, 5 * MINUTE);
	assert_string_equal(world.actions, "again again once");
	expect_phase(PHASE_ROLLBACK_FAILED);
}

static void an_undo_goes_straight_back_and_runs_the_sequence(void **state)
{
	test_policy_add(&test, LIST_PREFLIGHT, "smoke");
	test_policy_add(&test, LIST_STARTED, "hello");
	test_policy_add(&test, LIST_ROLLBACK, "flag");
	test_policy_add(&test, LIST_HEALTH, "health");
	test_policy_add(&test, LIST_ROLLED_BACK, "tell");
	world.spec = world.serving = (struct split){100, 0, 0};
	world_undo(&world);
	world_run(&world, HOUR);
	expect_reverted(6);
	assert_string_equal(
		world.phases, "preflight reverting rolling-back rolled-back");
	assert_string_equal(world.actions, "flag health tell");
	assert_string_equal(world.rollout.reason, "rolled back by alice");
	assert_int_equal(world.writes, 1);
	assert_int_equal(world.asks, 0);
}

static void an_undo_runs_only_what_is_meant_for_people(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "slo-only")->when = WHEN_SLO;
	test_policy_add(&test, LIST_ROLLBACK, "abort-only")->when = WHEN_ABORT;
	world.spec = world.serving = (struct split){30, 70, 0};
	world_undo(&world);
	world_run(&world, HOUR);
	expect_reverted(6);
	assert_string_equal(world.actions, "abort-only");
}

static void an_undo_of_nothing_writes_nothing(void **state)
{
	test_policy_add(&test, LIST_ROLLBACK, "flag");
	world_undo(&world);
	world_run(&world, HOUR);
	expect_reverted(6);
	assert_int_equal(world.writes, 0);
	assert_string_equal(world.actions, "flag");
}

static void an_undo_cannot_be_cut_short(void **state)
{
	struct event interrupt = {.type = EVENT_INTERRUPT, .text = "SIGTERM"};

	world.spec = world.serving = (struct split){100, 0, 0};
	world.latency_ms = 1000;
	world_undo(&world);
	world_feed(&world, &interrupt);
	world_command(&world, VERB_PAUSE, "bob");
	assert_true(world.refused);
	world_command(&world, VERB_ABORT, "bob");
	assert_true(world.refused);
	world_run(&world, HOUR);
	expect_reverted(6);
}

static void an_undo_survives_a_crash_at_any_time(void **state)
{
	for (int64_t at_ms = 0; at_ms < 8000; at_ms += 500) {
		world_init(&world, &test.policy);
		world.spec = world.serving = (struct split){100, 0, 0};
		world.latency_ms = 900;
		world.serve_delay_ms = 2000;
		world_undo(&world);
		world_run(&world, at_ms);
		if (!phase_is_end(world.rollout.phase))
			world_crash(&world, MINUTE);
		world_run(&world, HOUR);
		expect_reverted(6);
	}
}

static void an_undo_takes_nothing_from_others(void **state)
{
	world.spec = world.serving = (struct split){100, 0, 0};
	world.latency_ms = 1000;
	world_undo(&world);
	world_run(&world, 1500);
	world_drift(&world, (struct split){0, 20, 80});
	world_run(&world, HOUR);
	expect_phase(PHASE_STOPPED);
	assert_int_equal(world.spec.other, 80);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_good_release_goes_through_every_step),
		TEST(a_breach_reverts_within_two_checks),
		TEST(a_single_breach_does_not_revert),
		TEST(what_is_due_when_bake_ends_is_heard_first),
		TEST(one_check_beyond_critical_reverts),
		TEST(what_was_not_evaluated_is_held_and_then_reverted),
		TEST(a_hold_runs_out_while_nobody_drives),
		TEST(who_was_overtaken_ends_without_a_write),
		TEST(a_hold_for_evidence_ends_when_it_arrives),
		TEST(undecided_may_mean_rollback),
		TEST(no_data_may_count_as_breach_or_as_pass),
		TEST(an_incomplete_answer_is_no_data_and_never_passes),
		TEST(an_incomplete_answer_counts_where_the_policy_accepts_it),
		TEST(an_outage_of_the_metrics_holds_and_heals),
		TEST(an_outage_without_end_reverts),
		TEST(a_gate_waits_and_opens_for_an_approver),
		TEST(a_gate_may_need_two_different_people),
		TEST(an_approval_for_another_step_is_refused),
		TEST(nobody_in_time_holds_and_then_reverts),
		TEST(a_late_approval_still_opens_a_held_gate),
		TEST(a_breach_reverts_while_a_gate_waits),
		TEST(a_breach_reverts_while_paused),
		TEST(a_pause_lasts_until_continue),
		TEST(continue_does_not_skip_missing_evidence),
		TEST(a_breach_may_hold_and_a_person_may_overrule),
		TEST(observing_only_reports),
		TEST(abort_reverts_with_its_own_exit_status),
		TEST(an_interruption_reverts_and_a_second_changes_nothing),
		TEST(an_interruption_may_leave_things_as_they_are),
		TEST(drift_stops_without_another_write),
		TEST(a_stop_is_told_and_no_more_is_done),
		TEST(drift_may_be_set_back),
		TEST(a_revert_leaves_alone_whom_others_put_in_charge),
		TEST(a_revert_does_not_finish_what_a_reassert_began),
		TEST(a_revert_keeps_trying),
		TEST(a_revert_that_cannot_be_done_is_loud),
		TEST(a_write_of_unknown_outcome_is_read_back),
		TEST(a_write_that_failed_and_does_not_serve_is_repeated),
		TEST(a_shift_whose_operations_keep_failing_ends),
		TEST(a_revert_whose_operations_fail_goes_on_trying),
		TEST(a_conflict_is_read_again_and_written_again),
		TEST(a_step_that_is_rejected_reverts),
		TEST(the_bake_begins_when_the_split_serves),
		TEST(a_sequence_runs_in_order_after_the_revert),
		TEST(a_failed_action_may_stop_the_sequence),
		TEST(a_failed_action_with_continue_is_counted),
		TEST(bad_health_after_the_sequence_is_a_failed_rollback),
		TEST(a_failed_probe_refuses_and_nothing_moves),
		TEST(a_hook_with_stop_holds_and_a_person_may_continue),
		TEST(the_tag_is_removed_at_the_end),
		TEST(a_tag_that_was_there_stays),
		TEST(as_found_gives_latest_back),
		TEST(latest_is_for_the_candidate_only),
		TEST(latest_is_looked_at_again_before_it_is_written),
		TEST(bake_that_no_check_covered_does_not_count),
		TEST(a_crash_in_a_shift_reads_before_it_writes),
		TEST(a_crash_in_an_action_repeats_it_only_if_idempotent),
		TEST(an_undo_goes_straight_back_and_runs_the_sequence),
		TEST(an_undo_runs_only_what_is_meant_for_people),
		TEST(an_undo_of_nothing_writes_nothing),
		TEST(an_undo_cannot_be_cut_short),
		TEST(an_undo_survives_a_crash_at_any_time),
		TEST(an_undo_takes_nothing_from_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
