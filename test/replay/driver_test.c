/* SPDX-License-Identifier: Apache-2.0 */
/* What the driver does between the engine and the world: orders, and ends. */
#include "scenario_test.h"

#include <string.h>

#include "fake_apis.h"
#include "io/process.h"

static const char long_bake[] =
	"steps:\n"
	"  - {percent: 10, bake: 1h}\n"
	"  - {percent: 100, bake: 1h}\n"
	"settle: 5s\n"
	"slos:\n"
	"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}', max: 1%,\n"
	"     window: 20s, interval: 10s, min_passes: 1, fail_after: 1}\n";

static const char silence[] =
	"  - {name: quiet, type: alertmanager-silence, lease: 1m,\n"
	"     url: \"" FAKE_ALERTS_ORIGIN "\", matchers: ['job=\"shop\"']}\n";

static const char restore[] =
	"rollback:\n"
	"  - {name: switch, type: secret, secret: switch, restore: true}\n";

/* The index of the first entry of this name after another; -1: none. */
static int entry_after(int from, const char *name)
{
	for (int i = from; i < (int)fake_store_entries(); i++)
		if (strcmp(fake_store_entry((size_t)i).name, name) == 0)
			return i;
	return -1;
}

static void every_entry_is_told_once_in_its_order_when_it_is_durable(
	void **state)
{
	run();
	until_the_end();
	expect_exit(0);
	assert_int_equal(entries_told(), fake_store_entries());
	assert_string_equal(fake_store_entry(0).name, "started");
	expect_journal("phase", "\"to\":\"promoted\"");
}

static void a_breach_is_reverted_in_the_turn_it_arrives_in(void **state)
{
	given_policy(long_bake, NULL);
	run();
	until_step(0);
	until(fake_now() + 20 * SECOND);
	errors_of(FAKE_NEW, 0.5);
	until_the_end();
	expect_exit(5);
	assert_int_equal(fake_run.patched_ms,
		fake_store_entry((size_t)entry_after(0, "breach")).time_ms +
			FAKE_LATENCY_MS);
}

static void a_clock_that_is_set_is_no_time_that_passed(void **state)
{
	run();
	until_step(0);
	until(fake_now() + 10 * SECOND);
	fake_loop_set_clock(HOUR);
	until_the_end();
	expect_exit(0);
	expect_not_journaled("warning", "watched");
	assert_in_range(fake_now(), 3 * MINUTE, 5 * MINUTE);
}

static void a_standstill_is_journaled_before_the_answers_that_waited(
	void **state)
{
	int asked, entries, warned;

	given_policy(long_bake, NULL);
	run();
	until_step(0);
	until(fake_now() + 20 * SECOND);
	asked = fake_metrics.asked;
	while (fake_metrics.asked == asked)
		until(fake_now() + 1);
	entries = (int)fake_store_entries();
	the_machine_sleeps(HOUR);
	until(fake_now() + SECOND);
	warned = entry_after(entries, "warning");
	assert_true(warned >= 0);
	assert_true(warned < entry_after(entries, "check"));
}

static void what_preflight_captures_is_handed_to_the_run(void **state)
{
	given_policy(long_bake, restore, NULL);
	run();
	until_step(0);
	fake_secret_turn(false); /* as the release wants it */
	errors_of(FAKE_NEW, 0.5);
	until_the_end();
	expect_exit(5);
	assert_int_equal(fake_apis.versions, 3);
	assert_true(fake_secret_is_on());
}

static void what_was_captured_is_known_to_who_resumes(void **state)
{
	given_policy(long_bake, restore, NULL);
	resume_after(SECOND);
	run();
	until_step(0);
	fake_secret_turn(false);
	crash();
	errors_of(FAKE_NEW, 0.5);
	until_the_rollout_ends(1);
	expect_exit(5);
	assert_true(fake_secret_is_on());
}

static void what_cannot_be_captured_refuses_the_rollout(void **state)
{
	given_policy(long_bake, restore, NULL);
	fake_apis.secret_denied = true;
	run();
	until_the_end();
	expect_exit(4);
	expect_reason("\"switch\"");
	expect_writes_at_most(0);
}

static void what_an_action_opened_is_renewed_and_closed_at_the_end(void **state)
{
	given_policy(
		policy_long, slo_errors, "hooks:\n  started:\n", silence, NULL);
	run();
	until_step(1);
	assert_true(fake_alerts_are_silenced());
	assert_in_range(fake_apis.stored, 3, 6);
	assert_int_equal(fake_apis.expired, 0);
	until_the_end();
	expect_exit(0);
	assert_false(fake_alerts_are_silenced());
	assert_int_equal(fake_apis.expired, 1);
}

static void what_a_person_has_ended_is_not_renewed(void **state)
{
	given_policy(
		policy_long, slo_errors, "hooks:\n  started:\n", silence, NULL);
	run();
	until_step(0);
	fake_alerts_person_ends();
	fake_apis.stored = 0;
	until_the_end();
	expect_exit(0);
	assert_int_equal(fake_apis.stored, 0);
	assert_false(fake_alerts_are_silenced());
}

static void what_may_have_been_opened_is_closed_at_the_end(void **state)
{
	given_policy(
		policy_long, slo_errors, "hooks:\n  started:\n", silence, NULL);
	fake_apis.alerts_mumble = true;
	run();
	until_step(0);
	assert_true(fake_alerts_are_silenced());
	expect_journal("action", "\"result\":\"failed\"");
	until_the_end();
	assert_false(fake_alerts_are_silenced());
	assert_int_equal(fake_apis.expired, 1);
}

static void what_was_opened_before_a_crash_is_closed_at_the_end(void **state)
{
	given_policy(
		policy_long, slo_errors, "hooks:\n  started:\n", silence, NULL);
	resume_after(SECOND);
	run();
	until_step(0);
	assert_true(fake_alerts_are_silenced());
	crash();
	until_the_rollout_ends(1);
	expect_exit(0);
	assert_false(fake_alerts_are_silenced());
}

static void what_never_opened_is_not_closed(void **state)
{
	given_policy(policy_long, slo_errors, "rollback:\n", silence, NULL);
	run();
	until_the_end();
	expect_exit(0);
	assert_int_equal(fake_apis.stored + fake_apis.expired, 0);
}

static void a_full_disk_before_the_first_entry_moves_nothing(void **state)
{
	fake_store_full(true);
	run();
	until_the_end();
	expect_exit(1);
	assert_int_equal(fake_run.gets, 0);
	expect_writes_at_most(0);
}

static void a_step_that_cannot_be_journaled_is_not_written(void **state)
{
	run();
	until_step(0);
	fake_store_full_at("shift"); /* the note in front of the next write */
	until(fake_now() + 5 * MINUTE);
	expect_never_above(10);
	expect_not_journaled("step-started", "\"step\":2");
}

static void preflight_names_all_that_is_wrong_at_once(void **state)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	given_policy("steps:\n"
		     "  - {percent: 10, bake: 30s,\n"
		     "     approval: {approvers: [alice]}}\n"
		     "  - {percent: 100, bake: 30s}\n"
		     "settle: 5s\n",
		slo_errors,
		"rollback:\n"
		"  - {name: purge, type: exec, command: [no-such-program]}\n",
		NULL);
	fake_run_set_ready(FAKE_NEW, false);
	fake_metrics_say("errors", SAYS_BAD_QUERY, 0);
	run_with(&options);
	until_the_end();
	expect_exit(4);
	expect_writes_at_most(0);
	expect_journal("preflight", "shop-2 is not ready");
	expect_journal("preflight", "errors");
	expect_journal("preflight", "no-such-program");
	expect_journal("preflight", "self_approval");
}

static void an_interrupted_shift_does_not_wait_for_its_operation(void **state)
{
	fake_run.cloud.model->operation_delay_ms = 20 * SECOND;
	run();
	while (!fake_run.patches)
		until(fake_now() + 1);
	until(fake_now() + SECOND);
	interrupt("SIGINT");
	until(fake_now() + 3 * SECOND);
	assert_int_equal(fake_run.patches, 2);
	assert_int_equal(fake_run_wants(FAKE_STABLE), 100);
	until_the_end();
	expect_exit(6);
}

/* The end of a scenario looks for timers that are left. */
static void who_is_freed_in_mid_shift_leaves_nothing_behind(void **state)
{
	run();
	until_phase(PHASE_SHIFTING);
	until(fake_now() + 1);
}

/* ---- programs that are told to end ---- */

#define SLOW_MS   MINUTE
#define POLITE_MS 1500

static struct {
	int n, beside; /* drops of the lease, and programs that went on then */
	int64_t at_ms;
} drops;

static void see_drop(void)
{
	drops.n++;
	drops.beside += fake_deeds_lingering();
	drops.at_ms = fake_now();
}

/* Its hook is at work, and goes on for so long when it is told to end. */
static void until_at_work(int64_t lingers_ms)
{
	memset(&drops, 0, sizeof(drops));
	fake_store_on_drop = see_drop;
	given_policy(policy_short,
		"on_interrupt: leave\n"
		"hooks:\n"
		"  step_passed:\n"
		"    - {name: slow, type: exec, command: [act, slow],\n"
		"       timeout: 5m, idempotent: true}\n",
		NULL);
	fake_deed_takes("slow", SLOW_MS);
	fake_deed_lingers("slow", lingers_ms);
	run();
	until_step(0);
	until(fake_now() + 40 * SECOND); /* twice its bake */
}

static void expect_given_back_after(int64_t ms)
{
	int64_t left_ms = fake_now();

	interrupt("SIGTERM");
	until_the_end();
	expect_exit(8);
	until(fake_now() + SECOND); /* the journal has a thread */
	assert_int_equal(fake_deeds_cancelled("slow"), ms != 0);
	assert_int_equal(drops.n, 1);
	assert_in_range(drops.at_ms - left_ms, ms, ms + 100);
}

/* Whoever goes on runs the same again, and not beside it. */
static void a_lease_is_given_back_when_programs_have_ended(void **state)
{
	until_at_work(POLITE_MS);
	expect_given_back_after(POLITE_MS);
	assert_int_equal(drops.beside, 0);
	fake_deed_takes("slow", SECOND);
	resume();
	until_step(1);
	assert_int_equal(fake_deeds("slow"), 1);
}

static void a_program_that_cannot_be_killed_is_not_waited_for_ever(void **state)
{
	until_at_work(HOUR);
	expect_given_back_after(PROCESS_END_MS_MAX);
}

static void an_end_without_programs_takes_no_time(void **state)
{
	until_at_work(POLITE_MS);
	until_step(1);
	assert_int_equal(fake_deeds("slow"), 1);
	expect_given_back_after(0);
}

static void a_daemon_that_is_stopped_lets_programs_end_first(void **state)
{
	int64_t stopped_ms;

	scenario_by_daemon(true);
	until_at_work(POLITE_MS);
	stopped_ms = fake_now();
	resume(); /* by another one, when the first has gone */
	assert_in_range(fake_now() - stopped_ms, POLITE_MS, POLITE_MS + 100);
	assert_int_equal(fake_deeds_cancelled("slow"), 1);
	assert_int_equal(drops.n, 1);
	assert_int_equal(drops.beside, 0);
}

/* ---- another has the lease ---- */

static void who_is_fenced_out_gives_its_programs_no_grace(void **state)
{
	until_at_work(POLITE_MS);
	fake_store_taken_over(true);
	until_the_end();
	expect_exit(1);
	assert_int_equal(fake_deeds_cancelled("slow"), 1);
	assert_int_equal(fake_deeds_lingering(), 0);
}

/* Its guard ends while the process stands still. */
static void until_it_stands_still_in_a_guard(bool taken_over)
{
	given_policy(policy_short,
		"hooks:\n"
		"  step_passed:\n"
		"    - {name: schema, type: database, guard: [act, guard],\n"
		"       command: [act, downgrade], idempotent: true}\n",
		NULL);
	fake_deed_takes("guard", 30 * SECOND);
	run();
	until_step(0);
	until(fake_now() + 40 * SECOND);
	assert_int_equal(fake_deeds("guard"), 0);
	the_machine_sleeps(MINUTE);
	fake_store_taken_over(taken_over);
}

/* Its command may be the other's by now. */
static void an_action_does_not_go_on_where_another_has_the_lease(void **state)
{
	until_it_stands_still_in_a_guard(true);
	until_the_end();
	expect_exit(1);
	promise(strstr(end_text(), "another process"), "it says %s",
		end_text());
	assert_int_equal(fake_deeds("downgrade"), 0);
	assert_int_equal(fake_deeds_cancelled("downgrade"), 0);
}

static void an_action_goes_on_where_the_lease_is_still_ours(void **state)
{
	until_it_stands_still_in_a_guard(false);
	until(fake_now() + 2 * SECOND);
	assert_int_equal(fake_deeds("downgrade"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(
			every_entry_is_told_once_in_its_order_when_it_is_durable),
		SCENARIO(a_breach_is_reverted_in_the_turn_it_arrives_in),
		SCENARIO(a_clock_that_is_set_is_no_time_that_passed),
		SCENARIO(
			a_standstill_is_journaled_before_the_answers_that_waited),
		SCENARIO(what_preflight_captures_is_handed_to_the_run),
		SCENARIO(what_was_captured_is_known_to_who_resumes),
		SCENARIO(what_cannot_be_captured_refuses_the_rollout),
		SCENARIO(
			what_an_action_opened_is_renewed_and_closed_at_the_end),
		SCENARIO(what_a_person_has_ended_is_not_renewed),
		SCENARIO(what_may_have_been_opened_is_closed_at_the_end),
		SCENARIO(what_was_opened_before_a_crash_is_closed_at_the_end),
		SCENARIO(what_never_opened_is_not_closed),
		SCENARIO(a_full_disk_before_the_first_entry_moves_nothing),
		SCENARIO(a_step_that_cannot_be_journaled_is_not_written),
		SCENARIO(preflight_names_all_that_is_wrong_at_once),
		SCENARIO(an_interrupted_shift_does_not_wait_for_its_operation),
		SCENARIO(who_is_freed_in_mid_shift_leaves_nothing_behind),
		SCENARIO(a_lease_is_given_back_when_programs_have_ended),
		SCENARIO(
			a_program_that_cannot_be_killed_is_not_waited_for_ever),
		SCENARIO(an_end_without_programs_takes_no_time),
		SCENARIO(a_daemon_that_is_stopped_lets_programs_end_first),
		SCENARIO(who_is_fenced_out_gives_its_programs_no_grace),
		SCENARIO(an_action_does_not_go_on_where_another_has_the_lease),
		SCENARIO(an_action_goes_on_where_the_lease_is_still_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
