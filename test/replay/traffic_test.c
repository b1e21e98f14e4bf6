/* SPDX-License-Identifier: Apache-2.0 */
/* What a rollout may move, when, and what it leaves alone. */
#include "scenario_test.h"

#include <stdio.h>
#include <string.h>

static const struct run_options the_new_one = {.wish = {.candidate = FAKE_NEW}};

static void expect_refused(const char *why)
{
	until_the_end();
	expect_exit(4);
	expect_writes_at_most(0);
	expect_reason(why);
}

static void a_split_is_refused_and_its_table_is_shown(void **state)
{
	given_traffic("shop-1=70 shop-2=30");
	run();
	expect_refused(FAKE_STABLE);
	expect_journal("preflight", "\"percent\":70");
	expect_journal("preflight", "\"percent\":30");
}

static void a_split_of_candidate_and_stable_is_accepted_by_who_adopts(
	void **state)
{
	struct run_options options = {.wish = {.adopt = true}};

	given_traffic("shop-1=70 shop-2=30");
	run_with(&options);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_third_revision_in_the_split_is_refused_in_any_case(void **state)
{
	struct run_options options = {
		.wish = {.candidate = FAKE_NEW, .adopt = true}};

	fake_run_deploy("shop-3");
	given_traffic("shop-1=60 shop-2=30 shop-3=10");
	run_with(&options);
	expect_refused("shop-3");
}

static void a_candidate_that_is_not_ready_is_refused(void **state)
{
	fake_run_set_ready(FAKE_NEW, false);
	run_with(&the_new_one);
	expect_refused("not ready");
}

static void a_candidate_that_does_not_exist_is_refused(void **state)
{
	struct run_options options = {.wish = {.candidate = "nobody-1"}};

	run_with(&options);
	expect_refused("nobody-1");
}

static void a_candidate_that_is_stable_already_is_refused(void **state)
{
	struct run_options options = {.wish = {.candidate = FAKE_STABLE}};

	run_with(&options);
	expect_refused("nothing to release");
}

static void a_candidate_that_was_rolled_back_is_released_only_again(
	void **state)
{
	struct run_options again = {
		.wish = {.candidate = FAKE_NEW, .again = true}};
	int patches;

	given_policy(policy_short, NULL);
	errors_of(FAKE_NEW, 0.5);
	run();
	until_the_end();
	expect_exit(5);
	errors_of(FAKE_NEW, 0);
	patches = fake_run.patches;
	run();
	until_the_end();
	expect_exit(4);
	expect_reason("--again");
	expect_writes_at_most(patches);
	run_with(&again);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_query_that_does_not_parse_is_refused(void **state)
{
	fake_metrics_say("errors", SAYS_BAD_QUERY, 0);
	run();
	expect_refused("parse error");
}

static void metrics_that_are_down_are_refused(void **state)
{
	fake_metrics_say("errors", SAYS_503, 0);
	run();
	expect_refused("errors");
}

static void a_gate_that_nobody_could_pass_is_refused(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 20, bake: 20s,\n"
		     "     approval: {approvers: [alice]}}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 5s\n",
		slo_errors, NULL);
	run();
	expect_refused("self_approval");
}

static void tags_and_entries_of_others_survive_in_their_order(void **state)
{
	const struct routes *spec = &fake_run.cloud.model->spec;

	fake_run_deploy("idle-1");
	given_traffic("idle-1=0#first shop-1=100#green LATEST=0#preview");
	given_policy(policy_long, slo_errors, "tag: candidate\n", NULL);
	run_with(&the_new_one);
	until_step(1);
	assert_string_equal(spec->item[0].tag, "first");
	assert_string_equal(spec->item[1].tag, "green");
	assert_string_equal(spec->item[2].tag, "preview");
	until_the_end();
	expect_exit(0);
	assert_string_equal(spec->item[0].revision, "idle-1");
	assert_string_equal(spec->item[1].revision, "shop-1");
	assert_int_equal(spec->item[1].percent, 0);
	assert_int_equal(spec->item[2].type, ROUTE_LATEST);
	promise(!fake_run_refers_to(FAKE_NEW, "candidate"), "our tag stays");
}

static void the_candidate_has_its_tag_before_preflight_and_loses_it(
	void **state)
{
	given_policy(policy_long, slo_errors,
		"tag: next\n"
		"preflight:\n"
		"  - {name: smoke, type: exec, command: [act, smoke]}\n",
		NULL);
	run();
	until_phase(PHASE_SHIFTING);
	assert_int_equal(fake_deeds("smoke"), 1);
	promise(fake_run_refers_to(FAKE_NEW, "next"), "there is no tag");
	assert_int_equal(fake_run_wants(FAKE_NEW), 0);
	until_the_end();
	expect_exit(0);
	promise(!fake_run_refers_to(FAKE_NEW, "next"), "the tag stays");
}

static void a_refusal_takes_the_candidates_tag_away_again(void **state)
{
	given_policy(policy_long, slo_errors,
		"tag: next\n"
		"preflight:\n"
		"  - {name: smoke, type: exec, command: [act, smoke]}\n",
		NULL);
	fake_deed_fails("smoke", false);
	run();
	until_the_end();
	expect_exit(4);
	assert_int_equal(fake_run.patches, 2);
	promise(!fake_run_refers_to(FAKE_NEW, NULL), "an entry stays");
	expect_serving(FAKE_STABLE, 100);
}

static void a_tag_that_somebody_else_uses_is_refused(void **state)
{
	given_traffic("shop-1=100#next");
	given_policy(policy_long, slo_errors, "tag: next\n", NULL);
	run();
	expect_refused("another revision");
}

static void latest_is_pinned_by_name_in_the_first_write(void **state)
{
	struct run_options old = {.wish = {.candidate = FAKE_STABLE}};

	given_traffic("LATEST=100"); /* which is FAKE_NEW */
	run_with(&old);
	until_step(0);
	promise(fake_run_refers_to(FAKE_NEW, NULL), "LATEST is not pinned");
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_STABLE, 100);
	/* As found would be LATEST, which is not the candidate: it says so. */
	expect_journal("warning", "stays pinned");
}

static void finish_pinned_leaves_the_candidate_by_name(void **state)
{
	given_policy(policy_long, slo_errors, "finish: pinned\n", NULL);
	run();
	until_the_end();
	expect_exit(0);
	expect_reason("pinned");
	assert_int_equal(
		fake_run.cloud.model->spec.item[0].type, ROUTE_REVISION);
}

static void finish_latest_lets_traffic_follow_the_latest_revision(void **state)
{
	given_policy(policy_long, slo_errors, "finish: latest\n", NULL);
	run();
	until_the_end();
	expect_exit(0);
	expect_reason("LATEST");
	assert_int_equal(fake_run.cloud.model->spec.item[0].type, ROUTE_LATEST);
	expect_serving(FAKE_NEW, 100);
}

static void a_step_begins_only_when_its_split_serves(void **state)
{
	fake_run.cloud.model->operation_delay_ms = 20 * SECOND;
	run();
	until_step(0);
	assert_true(fake_now() >= fake_run.patched_ms + 20 * SECOND);
	expect_serving(FAKE_NEW, 10);
	until_the_end();
	expect_exit(0);
}

static void traffic_changed_by_hand_stops_the_rollout(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	fake_run_foreign("shop-1=50 shop-2=50");
	until_the_end();
	expect_exit(7);
	expect_writes_at_most(1);
	expect_serving(FAKE_NEW, 50);
	assert_string_equal(fake_store_phase(fake_store_newest()), "stopped");
}

static void traffic_changed_by_hand_is_set_back_when_the_policy_says_so(
	void **state)
{
	given_policy(policy_long, slo_errors, "on_drift: reassert\n", NULL);
	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	fake_run_foreign("shop-1=50 shop-2=50");
	until(fake_now() + 15 * SECOND);
	expect_journal("drift", NULL);
	expect_serving(FAKE_NEW, 10);
	until_the_end();
	expect_exit(0);
}

/* It was paused before its first step, and somebody takes from it meanwhile. */
static void until_an_adopted_one_goes_on(double errors)
{
	struct run_options options = {.wish = {.adopt = true}};

	given_policy(STEPS("1m", "5s"), slo_errors,
		"on_drift: reassert\n"
		"hooks:\n"
		"  started:\n"
		"    - {name: tell, type: exec, command: [act, tell]}\n",
		NULL);
	given_traffic("shop-1=70 shop-2=30");
	fake_deed_takes("tell", 20 * SECOND);
	run_with(&options);
	until(10 * SECOND);
	command("pause", "bob");
	until_phase(PHASE_PAUSED);
	fake_run_foreign("shop-1=80 shop-2=20");
	until(fake_now() + 30 * SECOND);
	if (errors < 0)
		metrics_of(FAKE_NEW, SAYS_NOTHING);
	until(fake_now() + 30 * SECOND);
	command("continue", "bob");
}

static void an_adopted_split_is_set_back_before_its_first_step(void **state)
{
	until_an_adopted_one_goes_on(0);
	until(fake_now() + 20 * MINUTE);
	expect_exit(0);
}

static void an_adopted_split_that_may_not_be_set_back_is_refused(void **state)
{
	until_an_adopted_one_goes_on(-1);
	until(fake_now() + 20 * MINUTE);
	expect_exit(4);
	expect_serving(FAKE_NEW, 20);
}

static const char gate_of_ten_minutes[] =
	"steps:\n"
	"  - {percent: 20, bake: 1m}\n"
	"  - {percent: 50, bake: 1h, approval:\n"
	"     {approvers: [bob], minimum: 1, timeout: 10m}}\n"
	"  - {percent: 100, bake: 1m}\n"
	"settle: 5s\n"
	"on_drift: reassert\n";

static void what_an_open_gate_waits_for_is_not_needed_to_set_traffic_back(
	void **state)
{
	given_policy(gate_of_ten_minutes, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	until(fake_now() + 30 * SECOND);
	fake_run_foreign("shop-1=95 shop-2=5");
	until(fake_now() + 30 * SECOND);
	expect_journal("drift", "set back");
	assert_int_equal(phase_now(), PHASE_AWAITING_APPROVAL);
	expect_serving(FAKE_NEW, 20);
	approve("bob");
	until_the_end();
	expect_exit(0);
}

static void traffic_is_set_back_long_after_its_step_was_approved(void **state)
{
	given_policy(gate_of_ten_minutes, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_step(1);
	until(fake_now() + 20 * MINUTE);
	fake_run_foreign("shop-1=80 shop-2=20");
	until(fake_now() + 30 * SECOND);
	expect_serving(FAKE_NEW, 50);
	until_the_end();
	expect_exit(0);
}

/* The gate upwards is closed for good, and a bake is not held for it. */
static void traffic_that_may_not_be_set_back_is_given_up_in_time_in_a_bake(
	void **state)
{
	int64_t drift_ms;

	given_policy(STEPS("6h", "5s"), slo_errors,
		"on_drift: reassert\nrevert_timeout: 5m\n", NULL);
	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	until(fake_now() + 40 * SECOND);
	drift_ms = fake_now();
	fake_run_foreign("shop-1=95 shop-2=5");
	until(drift_ms + 4 * MINUTE);
	assert_int_equal(phase_now(), PHASE_BAKING);
	until(drift_ms + 6 * MINUTE);
	expect_exit(7);
	expect_serving(FAKE_NEW, 5);
	assert_string_equal(fake_store_phase(fake_store_newest()), "stopped");
}

static void a_change_of_tags_by_others_is_not_drift(void **state)
{
	run();
	until_step(0);
	fake_run_foreign("shop-1=90#blue shop-2=10");
	until_the_end();
	expect_exit(0);
	promise(fake_run_refers_to(FAKE_STABLE, "blue"), "the tag is lost");
}

static void a_revert_never_takes_traffic_from_what_others_put_in_charge(
	void **state)
{
	fake_run_deploy("shop-3");
	given_policy("steps:\n"
		     "  - {percent: 20, bake: 1h}\n"
		     "  - {percent: 100, bake: 1h}\n"
		     "settle: 1h\n",
		slo_errors, NULL);
	run_with(&the_new_one);
	until_step(0);
	fake_run_foreign("shop-3=100");
	until(fake_now() + 2 * SECOND);
	interrupt("SIGINT");
	until_the_end();
	expect_exit(7);
	expect_writes_at_most(1);
	expect_serving("shop-3", 100);
}

static void a_conflict_over_other_fields_is_retried(void **state)
{
	fake_run_fault("{'kind': 'drift', 'method': 'PATCH', 'times': 1,"
		       " 'set': {'labels': {'team': 'other'}}}");
	run();
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
	expect_journal("written", "\"result\":\"conflict\"");
}

static void a_conflict_over_the_traffic_is_drift(void **state)
{
	run();
	fake_run_foreign_before_write("shop-1=95 shop-2=5");
	until_the_end();
	expect_exit(7);
	assert_int_equal(fake_run_wants(FAKE_NEW), 5);
}

static void where_stale_etags_are_taken_a_lost_write_is_still_noticed(
	void **state)
{
	fake_run.cloud.rules.etag_is_strict = false;
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'drift', 'method': 'PATCH', 'when': 'after',"
		       " 'times': 1, 'set': {'traffic': ["
		       "{'type': 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION',"
		       " 'revision': 'shop-1', 'percent': 1},"
		       "{'type': 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION',"
		       " 'revision': 'shop-2', 'percent': 99}]}}");
	interrupt("SIGINT");
	until_the_end();
	expect_exit(7);
	expect_journal("drift", NULL);
	assert_int_equal(fake_run_wants(FAKE_NEW), 99);
}

static void until_the_end_is_not_read(void)
{
	given_policy(policy_short, NULL);
	run();
	until_step(1);
	fake_run_fault("{'kind': 'status', 'status': 403, 'method': 'GET', "
		       "'for': '1m'}");
}

static void promoted_is_said_of_what_was_read(void **state)
{
	until_the_end_is_not_read();
	until(fake_now() + 50 * SECOND);
	expect_journal("warning", "the finish failed");
	fake_run_foreign("shop-1=100");
	until_the_end();
	expect_exit(7);
	expect_serving(FAKE_STABLE, 100);
}

static void an_end_that_cannot_be_read_for_a_while_is_waited_for(void **state)
{
	until_the_end_is_not_read();
	until(fake_now() + 50 * SECOND);
	assert_int_equal(phase_now(), PHASE_SHIFTING);
	until_the_end();
	expect_exit(0);
	expect_not_journaled("warning", "who serves in the end");
}

static void an_end_that_can_never_be_read_is_said_to_be_unread(void **state)
{
	until_the_end_is_not_read();
	fake_run_fault("{'kind': 'status', 'status': 403, 'method': 'GET', "
		       "'for': '24h'}");
	until_the_end();
	expect_exit(0);
	assert_int_equal(
		fake_store_count("warning", "who serves in the end"), 1);
}

/* The last check passes before the service has answered what it was asked at
 * the same time, nothing is left to write, and somebody says something. */
static void an_end_that_is_asked_for_is_waited_for(void **state)
{
	given_policy(STEPS("1m", "5s"), slo_errors,
		"  - {name: other, query: 'other{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 20s, interval: 30s}\n",
		NULL);
	fake_run_set_traffic("shop-1=100 shop-1=0#debug");
	run();
	until_step(1);
	until(fake_now() + MINUTE);
	fake_run_fault("{'kind': 'slow', 'method': 'GET', 'delay': '3s', "
		       "'for': '8s'}");
	while (phase_now() == PHASE_BAKING)
		until(fake_now() + 1);
	assert_int_equal(phase_now(), PHASE_SHIFTING);
	fake_run_foreign("shop-1=100");
	command("continue", "bob");
	until_the_end();
	expect_exit(7);
	expect_journal("drift", NULL);
}

static void lose_one_write(const char *when)
{
	char fault[96];

	snprintf(fault, sizeof(fault),
		"{'kind': 'reset', 'method': 'PATCH', 'when': '%s', "
		"'times': 1}",
		when);
	fake_run_fault(fault);
}

/* A step up was lost and is not wanted any more. */
static void until_paused_at_ten_percent(const char *on_drift)
{
	given_policy(policy_long, slo_errors, on_drift, NULL);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'reset', 'method': 'PATCH', 'for': '24h'}");
	while (!fake_store_count("written", "unknown"))
		until(fake_now() + 1);
	command("pause", "bob");
	until_phase(PHASE_PAUSED);
	the_world_heals();
	expect_serving(FAKE_NEW, 10);
}

static void a_write_that_was_lost_is_not_expected_for_ever(void **state)
{
	until_paused_at_ten_percent("on_drift: stop\n");
	until(fake_now() + 40 * SECOND);
	fake_run_foreign("shop-1=50 shop-2=50");
	until_the_end();
	expect_exit(7);
	scenario_close();
	scenario_open(2);
	until_paused_at_ten_percent("on_drift: reassert\n");
	until(fake_now() + 40 * SECOND);
	fake_run_foreign("shop-1=50 shop-2=50");
	until(fake_now() + MINUTE);
	expect_serving(FAKE_NEW, 10);
}

static const char three_short_steps[] = "steps:\n"
					"  - {percent: 10, bake: 3s}\n"
					"  - {percent: 50, bake: 20s}\n"
					"  - {percent: 100, bake: 20s}\n"
					"settle: 0s\n";

static const char slo_every_5s[] =
	"slos:\n"
	"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}', max: 1%,\n"
	"     window: 10s, interval: 5s, min_passes: 1, fail_after: 1}\n";

/* The first write of 10 % may come yet when 50 % serve. */
static void until_an_earlier_write_comes_late(
	const char *on_drift, const char *answer)
{
	given_policy(three_short_steps, slo_every_5s, on_drift, NULL);
	run();
	lose_one_write("before");
	until_step(0);
	if (answer)
		lose_one_write(answer);
	until_step(1);
	fake_run_foreign("shop-1=90 shop-2=10");
}

/* … or somebody asked for them: it is watched and does not go up, until somebody
 * says what is meant. */
static void an_earlier_step_that_is_asked_for_again_holds(void **state)
{
	static const char *const answers[] = {NULL, "after"};

	for (uint64_t i = 0; i < 2; i++) {
		scenario_close();
		scenario_open(i);
		until_an_earlier_write_comes_late(
			"on_drift: stop\n", answers[i]);
		until_phase(PHASE_HELD);
		assert_true(fake_now() < 7 * SECOND);
		command("continue", "bob");
		until(fake_now() + 5 * MINUTE);
		expect_journal("command-refused", "its 50 % again");
		assert_int_equal(phase_now(), PHASE_HELD);
		expect_serving(FAKE_NEW, 10);
		assert_int_equal(fake_store_count("drift", NULL), 1);
		fake_run_foreign("shop-1=50 shop-2=50");
		until_the_end();
		expect_exit(0);
		expect_serving(FAKE_NEW, 100);
	}
}

static void an_earlier_step_that_is_asked_for_again_is_watched(void **state)
{
	until_an_earlier_write_comes_late("on_drift: stop\n", NULL);
	until_phase(PHASE_HELD);
	until(fake_now() + 12 * SECOND);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + 6 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void an_earlier_step_that_nobody_explains_is_taken_back(void **state)
{
	until_an_earlier_write_comes_late(
		"on_drift: stop\nhold_timeout: 3m\n", NULL);
	until_phase(PHASE_HELD);
	until(fake_now() + SECOND);
	crash();
	until(fake_now() + MINUTE);
	resume();
	expect_reverted_by(fake_now() + 2 * MINUTE + SECOND);
	until_the_end();
	expect_exit(5);
	expect_reason("earlier step");
}

static void an_earlier_step_that_is_asked_for_again_is_set_back(void **state)
{
	until_an_earlier_write_comes_late("on_drift: reassert\n", "after");
	until(fake_now() + 10 * SECOND);
	assert_int_equal(phase_now(), PHASE_BAKING);
	expect_serving(FAKE_NEW, 50);
	until_the_end();
	expect_exit(0);
}

/* … nor is the next step taken upon it, when that is wanted already. */
static void an_earlier_step_is_not_gone_on_from(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 3s}\n"
		     "  - {percent: 50, bake: 3s}\n"
		     "  - {percent: 100, bake: 3s}\n"
		     "settle: 0s\n",
		slo_every_5s, NULL);
	run();
	lose_one_write("before");
	until_step(1);
	until_phase(PHASE_SHIFTING);
	fake_run_foreign("shop-1=90 shop-2=10");
	until_phase(PHASE_HELD);
	expect_never_above(50);
	fake_run_foreign("shop-1=50 shop-2=50");
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

/* The last write of all is not the last that comes. */
static void a_late_write_is_not_promoted(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 3s}\n"
		     "  - {percent: 100, bake: 3s}\n"
		     "settle: 0s\n"
		     "hooks:\n"
		     "  promoted:\n"
		     "    - {name: tell, type: exec, command: [act, tell]}\n",
		slo_every_5s, NULL);
	fake_deed_takes("tell", 8 * SECOND);
	run();
	lose_one_write("before");
	while (!fake_store_count("action-started", "tell"))
		until(fake_now() + 1);
	fake_run_foreign("shop-1=90 shop-2=10");
	until_phase(PHASE_HELD);
	fake_run_foreign("shop-2=100");
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
	assert_int_equal(fake_deeds("tell"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_split_is_refused_and_its_table_is_shown),
		SCENARIO(
			a_split_of_candidate_and_stable_is_accepted_by_who_adopts),
		SCENARIO(a_third_revision_in_the_split_is_refused_in_any_case),
		SCENARIO(a_candidate_that_is_not_ready_is_refused),
		SCENARIO(a_candidate_that_does_not_exist_is_refused),
		SCENARIO(a_candidate_that_is_stable_already_is_refused),
		SCENARIO(
			a_candidate_that_was_rolled_back_is_released_only_again),
		SCENARIO(a_query_that_does_not_parse_is_refused),
		SCENARIO(metrics_that_are_down_are_refused),
		SCENARIO(a_gate_that_nobody_could_pass_is_refused),
		SCENARIO(tags_and_entries_of_others_survive_in_their_order),
		SCENARIO(
			the_candidate_has_its_tag_before_preflight_and_loses_it),
		SCENARIO(a_refusal_takes_the_candidates_tag_away_again),
		SCENARIO(a_tag_that_somebody_else_uses_is_refused),
		SCENARIO(latest_is_pinned_by_name_in_the_first_write),
		SCENARIO(finish_pinned_leaves_the_candidate_by_name),
		SCENARIO(finish_latest_lets_traffic_follow_the_latest_revision),
		SCENARIO(a_step_begins_only_when_its_split_serves),
		SCENARIO(traffic_changed_by_hand_stops_the_rollout),
		SCENARIO(
			traffic_changed_by_hand_is_set_back_when_the_policy_says_so),
		SCENARIO(an_adopted_split_is_set_back_before_its_first_step),
		SCENARIO(an_adopted_split_that_may_not_be_set_back_is_refused),
		SCENARIO(
			what_an_open_gate_waits_for_is_not_needed_to_set_traffic_back),
		SCENARIO(traffic_is_set_back_long_after_its_step_was_approved),
		SCENARIO(
			traffic_that_may_not_be_set_back_is_given_up_in_time_in_a_bake),
		SCENARIO(a_change_of_tags_by_others_is_not_drift),
		SCENARIO(
			a_revert_never_takes_traffic_from_what_others_put_in_charge),
		SCENARIO(a_conflict_over_other_fields_is_retried),
		SCENARIO(a_conflict_over_the_traffic_is_drift),
		SCENARIO(promoted_is_said_of_what_was_read),
		SCENARIO(an_end_that_is_asked_for_is_waited_for),
		SCENARIO(an_end_that_cannot_be_read_for_a_while_is_waited_for),
		SCENARIO(an_end_that_can_never_be_read_is_said_to_be_unread),
		SCENARIO(
			where_stale_etags_are_taken_a_lost_write_is_still_noticed),
		SCENARIO(a_write_that_was_lost_is_not_expected_for_ever),
		SCENARIO(an_earlier_step_that_is_asked_for_again_holds),
		SCENARIO(an_earlier_step_that_is_asked_for_again_is_watched),
		SCENARIO(an_earlier_step_that_nobody_explains_is_taken_back),
		SCENARIO(an_earlier_step_that_is_asked_for_again_is_set_back),
		SCENARIO(an_earlier_step_is_not_gone_on_from),
		SCENARIO(a_late_write_is_not_promoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
