/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions of people, signals, leases and who goes on. */
#include "scenario_test.h"

#include <string.h>

static const char gate[] =
	"steps:\n"
	"  - {percent: 20, bake: 20s}\n"
	"  - {percent: 100, bake: 20s, approval:\n"
	"     {approvers: [alice, bob], minimum: 1, timeout: 1h}}\n"
	"settle: 5s\n";

static const char long_bake[] =
	"steps:\n"
	"  - {percent: 20, bake: 1h}\n"
	"  - {percent: 100, bake: 1h}\n"
	"settle: 5s\n"
	"rollback:\n"
	"  - {name: undo, type: exec, command: [act, undo]}\n";

static void at_gate(void)
{
	given_policy(gate, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
}

static void expect_refused_command(const char *why)
{
	int before = fake_store_refused();

	until(fake_now() + SECOND);
	assert_int_equal(fake_store_waiting(), 0);
	assert_int_equal(fake_store_refused(), before + 1);
	promise(strstr(fake_store_last_answer(), why), "the answer is \"%s\"",
		fake_store_last_answer());
	expect_serving(FAKE_NEW, 20);
}

static void an_approval_takes_effect_within_a_second(void **state)
{
	at_gate();
	expect_serving(FAKE_NEW, 20);
	approve("bob");
	until(fake_now() + SECOND);
	expect_journal("command", "\"who\":\"bob\"");
	assert_int_equal(fake_store_waiting(), 0);
	assert_int_equal(fake_store_refused(), 0);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void who_started_a_rollout_cannot_approve_it(void **state)
{
	at_gate();
	approve("alice");
	expect_refused_command("self_approval");
}

static void who_is_not_among_the_approvers_cannot_approve(void **state)
{
	at_gate();
	approve("mallory");
	expect_refused_command("mallory");
}

static void an_approval_before_the_gate_is_open_is_refused(void **state)
{
	given_policy(gate, slo_errors, NULL);
	run();
	until_step(0);
	approve("bob");
	expect_refused_command("no gate is open");
}

static void a_rejection_takes_the_traffic_back_with_the_name_of_who_did(
	void **state)
{
	at_gate();
	command("reject", "bob");
	until_the_end();
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
	expect_reason("bob");
	expect_reason("as agreed");
}

static void nobody_in_time_is_held_and_then_reverted(void **state)
{
	int64_t held_ms;

	at_gate();
	until_phase(PHASE_HELD);
	held_ms = fake_now();
	until_the_end();
	expect_exit(5);
	assert_true(fake_now() >= held_ms + 30 * MINUTE);
	expect_serving(FAKE_STABLE, 100);
}

static void a_pause_stops_the_steps_but_not_the_checks(void **state)
{
	int checks;

	at_gate();
	command("pause", "bob");
	until_phase(PHASE_PAUSED);
	approve("bob");
	checks = fake_store_count("check", NULL);
	until(fake_now() + 5 * MINUTE);
	assert_true(fake_store_count("check", NULL) >= checks + 29);
	assert_int_equal(phase_now(), PHASE_PAUSED);
	expect_serving(FAKE_NEW, 20);
	command("continue", "bob");
	until_the_end();
	expect_exit(0);
}

/* Adopted: it has users while preflight looks on. */
static void held_in_preflight(void)
{
	struct run_options options = {.wish = {.adopt = true}};

	given_policy(STEPS("1m", "5s") "on_breach: hold\n"
				       "preflight:\n"
				       "  - {name: smoke, type: exec, command: "
				       "[act, smoke],\n"
				       "     timeout: 5m}\n",
		slo_errors, NULL);
	given_traffic("shop-1=70 shop-2=30");
	fake_deed_takes("smoke", 2 * MINUTE);
	errors_of(FAKE_NEW, 0.5);
	run_with(&options);
	until_phase(PHASE_HELD);
	expect_serving(FAKE_NEW, 30);
}

static void what_was_adopted_and_is_held_in_preflight_can_be_aborted(
	void **state)
{
	held_in_preflight();
	command("abort", "bob");
	until_the_end();
	expect_exit(6);
	expect_reason("bob");
	expect_serving(FAKE_STABLE, 100);
}

static void a_signal_takes_back_what_is_held_in_preflight(void **state)
{
	held_in_preflight();
	interrupt("SIGTERM");
	until_the_end();
	expect_exit(6);
	expect_reason("SIGTERM");
	expect_serving(FAKE_STABLE, 100);
}

static void a_hold_that_was_overruled_takes_nothing_from_the_next_one(
	void **state)
{
	int64_t held_ms;

	given_policy(STEPS("2h", "5s") "on_breach: hold\n", slo_errors, NULL);
	run();
	until_step(0);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_HELD);
	until(fake_now() + 28 * MINUTE);
	errors_of(FAKE_NEW, 0);
	command("continue", "bob");
	until(fake_now() + 10 * MINUTE);
	assert_int_equal(phase_now(), PHASE_BAKING);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_HELD);
	held_ms = fake_now();
	until_the_end();
	expect_exit(5);
	assert_true(fake_now() >= held_ms + 30 * MINUTE);
}

static void a_signal_takes_back_a_finish_that_is_held(void **state)
{
	given_policy(STEPS("1m", "5s") "on_breach: hold\n"
				       "hooks:\n"
				       "  promoted:\n"
				       "    - {name: tell, type: exec, "
				       "command: [act, tell],\n"
				       "       timeout: 5m}\n",
		slo_errors, NULL);
	fake_deed_takes("tell", 2 * MINUTE);
	run();
	while (!fake_store_count("action-started", NULL))
		until(fake_now() + SECOND);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_HELD);
	interrupt("SIGTERM");
	until(fake_now() + 30 * SECOND);
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
}

/* For want of evidence: it ends by itself when some arrives. */
static void in_a_hold(void)
{
	given_policy(policy_long, slo_errors, "hold_timeout: 20m\n", NULL);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	run();
	until_phase(PHASE_HELD);
}

static void told(const char *verb, const char *who)
{
	command(verb, who);
	until(fake_now() + SECOND);
	assert_int_equal(fake_store_waiting(), 0);
}

static void a_pause_outlasts_the_hold_in_which_it_was_asked_for(void **state)
{
	in_a_hold();
	told("pause", "bob");
	assert_int_equal(fake_store_refused(), 0);
	assert_int_equal(phase_now(), PHASE_HELD);
	told("pause", "carol");
	assert_int_equal(fake_store_refused(), 1);
	errors_of(FAKE_NEW, 0);
	until_phase(PHASE_PAUSED);
	until(fake_now() + HOUR);
	assert_int_equal(phase_now(), PHASE_PAUSED);
	expect_never_above(10);
	command("continue", "bob");
	until_the_end();
	expect_exit(0);
}

static void a_pause_in_a_hold_is_known_to_who_resumes(void **state)
{
	in_a_hold();
	told("pause", "bob");
	crash();
	resume();
	errors_of(FAKE_NEW, 0);
	until_phase(PHASE_PAUSED);
	until(fake_now() + HOUR);
	expect_never_above(10);
}

static void a_hold_that_is_paused_runs_out_all_the_same(void **state)
{
	int64_t held_ms;

	in_a_hold();
	held_ms = fake_now();
	told("pause", "bob");
	until_the_end();
	expect_exit(5);
	assert_true(fake_now() < held_ms + 21 * MINUTE);
	expect_serving(FAKE_STABLE, 100);
}

static void continue_in_a_hold_takes_back_the_pause_alone(void **state)
{
	in_a_hold();
	told("pause", "bob");
	told("continue", "bob");
	assert_int_equal(fake_store_refused(), 0);
	assert_int_equal(phase_now(), PHASE_HELD);
	command("continue", "bob");
	until(fake_now() + SECOND);
	assert_int_equal(fake_store_refused(), 1);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
}

/* The pause came first, and the metrics went away in it. */
static void continue_in_a_hold_takes_back_an_older_pause(void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	run();
	until_step(0);
	told("pause", "bob");
	metrics_of(FAKE_NEW, SAYS_503);
	until_phase(PHASE_HELD);
	told("continue", "bob");
	assert_int_equal(fake_store_refused(), 0);
	assert_int_equal(phase_now(), PHASE_HELD);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
}

static void a_breach_that_is_overruled_leaves_it_paused(void **state)
{
	given_policy(long_bake, slo_errors, "on_breach: hold\n", NULL);
	run();
	until_step(0);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_HELD);
	errors_of(FAKE_NEW, 0);
	until(fake_now() + 30 * SECOND);
	told("pause", "bob");
	told("continue", "carol");
	assert_int_equal(phase_now(), PHASE_PAUSED);
	told("continue", "bob");
	assert_int_equal(phase_now(), PHASE_BAKING);
	assert_int_equal(fake_store_refused(), 0);
}

static void an_abort_takes_the_traffic_back(void **state)
{
	given_policy(long_bake, slo_errors, NULL);
	run();
	until_step(0);
	command("abort", "carol");
	until_the_end();
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
	expect_reason("carol");
}

static void no_signal_cuts_a_revert_short(void **state)
{
	given_policy(long_bake, slo_errors, NULL);
	fake_deed_takes("undo", 10 * SECOND);
	run();
	until_step(0);
	interrupt("SIGINT");
	until_phase(PHASE_REVERTING);
	interrupt("SIGTERM");
	interrupt("SIGINT");
	until_phase(PHASE_ROLLING_BACK);
	interrupt("SIGTERM");
	until_the_end();
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
	assert_int_equal(fake_deeds("undo"), 1);
}

static void an_interrupted_run_is_left_when_the_policy_says_so(void **state)
{
	given_policy(gate, slo_errors, "on_interrupt: leave\n", NULL);
	run();
	until_step(0);
	interrupt("SIGTERM");
	until_the_end();
	expect_exit(8);
	expect_serving(FAKE_NEW, 20);
	resume();
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void who_waits_too_long_for_people_leaves_it_waiting(void **state)
{
	struct run_options options = {.wait_ms = 5 * MINUTE};
	int64_t gate_ms;

	given_policy(gate, slo_errors, NULL);
	run_with(&options);
	until_phase(PHASE_AWAITING_APPROVAL);
	gate_ms = fake_now();
	until_the_end();
	expect_exit(8);
	assert_int_equal(fake_now() / SECOND, gate_ms / SECOND + 300);
	promise(strstr(end_text(), "tidegate resume shop-2026"), "it says %s",
		end_text());
	expect_serving(FAKE_NEW, 20);
	resume();
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_the_end();
	expect_exit(0);
}

static void a_holder_that_is_dead_is_replaced_at_once(void **state)
{
	int64_t dead_ms;

	given_policy(long_bake, slo_errors, NULL);
	run();
	until_step(0);
	crash();
	dead_ms = fake_now();
	resume();
	until_phase(PHASE_BAKING);
	assert_true(fake_now() < dead_ms + SECOND);
	interrupt("SIGINT");
	until_the_end();
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
}

static void a_lease_that_stays_taken_is_refused_with_its_holder(void **state)
{
	fake_store_taken_over(true);
	run();
	until(29 * SECOND);
	assert_int_equal(exit_status(), -1);
	until_the_end();
	expect_exit(4);
	promise(strstr(end_text(), "ci-7 pid 4242"), "it says %s", end_text());
	assert_int_equal(fake_store_entries(), 0);
	expect_writes_at_most(0);
}

/* A busy disk: its holder writes just when the wait is over. */
static void a_holder_that_was_seen_is_named_behind_a_lock(void **state)
{
	fake_store_taken_over(true);
	run();
	until(29 * SECOND);
	fake_store_lock(10 * SECOND);
	until_the_end();
	expect_exit(4);
	promise(strstr(end_text(), "ci-7 pid 4242"), "it says %s", end_text());
	expect_writes_at_most(0);
}

static void who_lost_the_lease_does_nothing_more(void **state)
{
	given_policy(long_bake, slo_errors, NULL);
	run();
	until_step(0);
	fake_store_taken_over(true);
	errors_of(FAKE_NEW, 0.5);
	until_the_end();
	expect_exit(1);
	expect_writes_at_most(1);
	promise(strstr(end_text(), "another process"), "it says %s",
		end_text());
	assert_int_equal(fake_deeds("undo"), 0);
}

static void an_abort_behind_many_approvals_is_taken_at_once(void **state)
{
	given_policy("steps:\n  - {percent: 10, bake: 20s}\n"
		     "  - {percent: 100, bake: 20s, approval:\n"
		     "     {approvers: [bob, carol], minimum: 2}}\n"
		     "settle: 10s\n",
		slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	for (int i = 0; i < 140; i++)
		approve("mallory");
	command("abort", "bob");
	expect_reverted_by(fake_now() + 3 * SECOND);
	until_the_end();
	expect_exit(6);
	assert_int_equal(fake_store_waiting(), 0);
}

static void see_that_time_moves(void)
{
	promise(fake_loop_turns_now() < 100, "time stands still");
}

/* Neither the gate's approval nor its deadline wakes it again and again at the
 * same moment. */
static void time_moves_while_an_approved_gate_waits_for_an_slo(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 20s}\n"
		     "  - {percent: 100, bake: 20s, approval:\n"
		     "     {approvers: [bob], minimum: 1, timeout: 5m}}\n"
		     "settle: 0s\nhold_timeout: 5m\n",
		slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	scenario_watch = see_that_time_moves;
	errors_of(FAKE_NEW, 0.5); /* one breach of the two that revert */
	until(fake_now() + 10 * SECOND);
	metrics_of(FAKE_NEW, SAYS_NOTHING); /* … and it stays the latest */
	approve("bob");
	until_the_end();
	expect_never_above(10);
	/* A check every 10 s for some minutes, and the deadlines. */
	promise(fake_store_count("timer", NULL) < 200, "it was woken %d times",
		fake_store_count("timer", NULL));
}

#define RESUME_TURNS 40

/* A process that takes a long rollout up is told to end in that turn. */
static int exit_when_interrupted_after(int turns)
{
	given_policy(long_bake, slo_errors, NULL);
	run();
	until_phase(PHASE_BAKING);
	until(fake_now() + 50 * MINUTE);
	assert_true(fake_store_entries() > 300);
	crash();
	resume();
	while (turns-- > 0)
		fake_loop_turn(fake_now());
	interrupt("SIGTERM");
	until_the_end();
	return exit_status();
}

/* The lease is asked for first: before it is held there is nothing to go back
 * with. From then on the state is read, which takes several turns. */
static void a_signal_is_heeded_when_it_comes_while_the_journal_is_read(
	void **state)
{
	int before = 0, back = 0;

	/* From where on it goes back, some will do. */
	for (int turns = 1; turns <= RESUME_TURNS; turns += back < 3 ? 1 : 5) {
		scenario_close();
		scenario_open(1);
		switch (exit_when_interrupted_after(turns)) {
		case 4:
			before++;
			assert_int_equal(back, 0);
			break;
		case 6:
			back++;
			expect_serving(FAKE_NEW, 0);
			break;
		default:
			fail_msg("after %d turns: exit %d", turns,
				exit_status());
		}
	}
	assert_in_range(before, 1, 4);
}

/* Somebody gave the candidate its users again. */
static void what_was_done_before_users_came_back_is_done_anew(void **state)
{
	char id[STORE_ROLLOUT_ID_MAX];
	struct run_options back = {.wish = {.candidate = FAKE_NEW,
					   .stable = FAKE_STABLE,
					   .rollback_of = id,
					   .anew = true,
					   .rollback_reason = "once more"}};

	given_policy(policy_short, NULL);
	errors_of(FAKE_NEW, 0.5);
	run();
	until_the_end();
	expect_exit(5);
	assert_int_equal(fake_deeds("undo"), 1);
	snprintf(id, sizeof(id), "%s", fake_store_newest());
	given_traffic("shop-2=100");
	fake_deed_fails("undo", false);
	run_with(&back);
	until_the_end();
	assert_int_equal(fake_deeds("undo"), 1);
	expect_not_journaled("action", "done by the rollback before this one");
	/* The next attempt looks no further back than to that one. */
	snprintf(id, sizeof(id), "%s", fake_store_newest());
	back.wish.anew = false;
	fake_deed_works("undo");
	run_with(&back);
	until_the_end();
	assert_int_equal(fake_deeds("undo"), 2);
	snprintf(id, sizeof(id), "%s", fake_store_newest());
	run_with(&back);
	until_the_end();
	assert_int_equal(fake_deeds("undo"), 2);
	expect_journal("action", "done by the rollback before this one");
}

/* Whether it was done is read on a thread, in journals that may be long. */
static void what_a_rollback_has_done_is_not_done_again_by_the_next(void **state)
{
	char id[STORE_ROLLOUT_ID_MAX];
	struct run_options back = {.wish = {.candidate = FAKE_NEW,
					   .stable = FAKE_STABLE,
					   .rollback_of = id,
					   .rollback_reason = "once more"}};

	given_policy(policy_short, NULL);
	errors_of(FAKE_NEW, 0.5);
	run();
	until_the_end();
	expect_exit(5);
	assert_int_equal(fake_deeds("undo"), 1);
	snprintf(id, sizeof(id), "%s", fake_store_newest());
	given_traffic("shop-2=100");
	fake_worker_slow(200);
	run_with(&back);
	until_the_end();
	expect_exit(6);
	assert_int_equal(fake_deeds("undo"), 1);
	assert_int_equal(fake_deeds("purge"), 2);
	expect_journal("action", "done by the rollback before this one");
}

/* The rollout goes on without what was being looked up. */
static void a_lookup_that_nobody_waits_for_any_more_is_forgotten(void **state)
{
	char id[STORE_ROLLOUT_ID_MAX];
	struct run_options back = {.wish = {.candidate = FAKE_NEW,
					   .stable = FAKE_STABLE,
					   .rollback_of = id,
					   .rollback_reason = "once more"}};

	given_policy(policy_short, NULL);
	errors_of(FAKE_NEW, 0.5);
	run();
	until_the_end();
	snprintf(id, sizeof(id), "%s", fake_store_newest());
	given_traffic("shop-2=100");
	fake_worker_slow(200);
	run_with(&back);
	until_phase(PHASE_ROLLING_BACK);
	crash();
	fake_worker_slow(0);
	resume();
	until_the_end();
	assert_int_equal(fake_deeds("undo"), 1);
}

/* ---- the time of a gate ---- */

static const char short_gate[] = "steps:\n"
				 "  - {percent: 20, bake: 20s}\n"
				 "  - {percent: 100, bake: 20s, approval:\n"
				 "     {approvers: [bob], timeout: 5m}}\n"
				 "settle: 5s\nhold_timeout: 30m\n";

static const char gate_of_two[] =
	"steps:\n"
	"  - {percent: 20, bake: 20s}\n"
	"  - {percent: 100, bake: 20s, approval:\n"
	"     {approvers: [bob, carol], minimum: 2, timeout: 5m}}\n"
	"settle: 5s\nhold_timeout: 2h\n";

static void at(const char *steps)
{
	given_policy(steps, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
}

/* One check has no data when bob approves: he has resolved the hold. */
static void an_approval_does_not_cut_a_hold_short(void **state)
{
	at(short_gate);
	until_phase(PHASE_HELD);
	until(fake_now() + 16 * MINUTE);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	until(fake_now() + 11 * SECOND);
	approve("bob");
	until(fake_now() + 11 * SECOND);
	metrics_of(FAKE_NEW, SAYS_VALUE);
	until(fake_now() + 30 * SECOND);
	expect_serving(FAKE_NEW, 100);
}

static void a_pause_at_a_gate_is_no_hold_of_it(void **state)
{
	at(short_gate);
	command("pause", "bob");
	until(fake_now() + 2 * HOUR);
	command("continue", "bob");
	until(fake_now() + 29 * MINUTE);
	expect_serving(FAKE_NEW, 20);
	until(fake_now() + 2 * MINUTE);
	expect_serving(FAKE_STABLE, 100); /* now nobody resolved it */
}

static void metrics_that_heal_behind_a_gate_do_not_revert(void **state)
{
	at(short_gate);
	until(fake_now() + 2 * MINUTE);
	metrics_of(FAKE_NEW, SAYS_503);
	until_phase(PHASE_HELD);
	until(fake_now() + 17 * MINUTE);
	metrics_of(FAKE_NEW, SAYS_VALUE);
	until(fake_now() + 30 * SECOND);
	expect_serving(FAKE_NEW, 20);
}

static void an_approval_is_too_old_for_one_that_follows_it(void **state)
{
	at(gate_of_two);
	approve("bob");
	until(fake_now() + 50 * MINUTE);
	approve("carol");
	until(fake_now() + MINUTE);
	expect_serving(FAKE_NEW, 20);
	approve("bob");
	until(fake_now() + 10 * SECOND);
	expect_serving(FAKE_NEW, 100);
}

static void approvals_expire_with_the_first_of_them(void **state)
{
	at(gate_of_two);
	approve("bob");
	until(fake_now() + 4 * MINUTE);
	metrics_of(FAKE_NEW, SAYS_503);
	until(fake_now() + 30 * SECOND);
	approve("carol");
	until(fake_now() + MINUTE);
	metrics_of(FAKE_NEW, SAYS_VALUE);
	until(fake_now() + MINUTE);
	expect_serving(FAKE_NEW, 20);
}

static void who_approved_long_ago_may_approve_again(void **state)
{
	at(short_gate);
	command("pause", "bob");
	until(fake_now() + MINUTE);
	approve("bob");
	until(fake_now() + 6 * MINUTE);
	approve("bob");
	until(fake_now() + SECOND);
	command("continue", "bob");
	until(fake_now() + 30 * SECOND);
	expect_serving(FAKE_NEW, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(an_approval_takes_effect_within_a_second),
		SCENARIO(who_started_a_rollout_cannot_approve_it),
		SCENARIO(who_is_not_among_the_approvers_cannot_approve),
		SCENARIO(an_approval_before_the_gate_is_open_is_refused),
		SCENARIO(
			a_rejection_takes_the_traffic_back_with_the_name_of_who_did),
		SCENARIO(nobody_in_time_is_held_and_then_reverted),
		SCENARIO(a_pause_stops_the_steps_but_not_the_checks),
		SCENARIO(
			what_was_adopted_and_is_held_in_preflight_can_be_aborted),
		SCENARIO(a_signal_takes_back_what_is_held_in_preflight),
		SCENARIO(
			a_hold_that_was_overruled_takes_nothing_from_the_next_one),
		SCENARIO(a_signal_takes_back_a_finish_that_is_held),
		SCENARIO(a_pause_outlasts_the_hold_in_which_it_was_asked_for),
		SCENARIO(a_pause_in_a_hold_is_known_to_who_resumes),
		SCENARIO(a_hold_that_is_paused_runs_out_all_the_same),
		SCENARIO(continue_in_a_hold_takes_back_the_pause_alone),
		SCENARIO(continue_in_a_hold_takes_back_an_older_pause),
		SCENARIO(a_breach_that_is_overruled_leaves_it_paused),
		SCENARIO(an_abort_takes_the_traffic_back),
		SCENARIO(no_signal_cuts_a_revert_short),
		SCENARIO(an_interrupted_run_is_left_when_the_policy_says_so),
		SCENARIO(
			a_signal_is_heeded_when_it_comes_while_the_journal_is_read),
		SCENARIO(who_waits_too_long_for_people_leaves_it_waiting),
		SCENARIO(a_holder_that_is_dead_is_replaced_at_once),
		SCENARIO(a_lease_that_stays_taken_is_refused_with_its_holder),
		SCENARIO(a_holder_that_was_seen_is_named_behind_a_lock),
		SCENARIO(who_lost_the_lease_does_nothing_more),
		SCENARIO(an_abort_behind_many_approvals_is_taken_at_once),
		SCENARIO(time_moves_while_an_approved_gate_waits_for_an_slo),
		SCENARIO(
			what_a_rollback_has_done_is_not_done_again_by_the_next),
		SCENARIO(what_was_done_before_users_came_back_is_done_anew),
		SCENARIO(a_lookup_that_nobody_waits_for_any_more_is_forgotten),
		SCENARIO(an_approval_does_not_cut_a_hold_short),
		SCENARIO(a_pause_at_a_gate_is_no_hold_of_it),
		SCENARIO(metrics_that_heal_behind_a_gate_do_not_revert),
		SCENARIO(an_approval_is_too_old_for_one_that_follows_it),
		SCENARIO(approvals_expire_with_the_first_of_them),
		SCENARIO(who_approved_long_ago_may_approve_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
