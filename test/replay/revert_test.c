/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How soon a revert leaves, and what it builds on, when the service cannot be
 * read as it is; and that there is a way back when traffic goes up.
 */
#include <string.h>

#include "books.h"
#include "scenario_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A breach is known within an interval of 5 s; the revert leaves 2 s later. */
#define REVERTED_MS (7 * SECOND + 100)

static void until_ten_percent(void)
{
	given_policy(policy_short, NULL);
	run();
	until_step(0);
}

static void an_answer_from_before_the_last_one_is_not_written_upon(void **state)
{
	until_ten_percent();
	until(fake_now() + 10 * SECOND);
	/* One read shows the service as it was before the rollout; then all
	 * hang. */
	fake_run_fault("{'kind': 'stale', 'method': 'GET', 'times': 1, "
		       "'generations': 2}");
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_REVERTING);
	reads_hang();
	expect_reverted_by(fake_now() + 2 * SECOND);
}

static void what_was_read_before_a_refused_write_is_still_known(void **state)
{
	until_ten_percent();
	writes_are_refused(503);
	until_phase(PHASE_SHIFTING); /* to 100 %, in vain */
	until(fake_now() + SECOND);
	the_world_heals();
	reads_hang();
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + REVERTED_MS);
}

/* Nothing is known since the step was written: there is no list to send that
 * keeps what others have. */
static void a_revert_that_knows_nothing_asks_at_least_once_a_second(
	void **state)
{
	given_policy(policy_short, NULL);
	run();
	while (!fake_run.patches)
		until(fake_now() + 1);
	fake_run_fault("{'kind': 'status', 'method': 'GET', 'status': 503, "
		       "'path': '*/services/shop', 'for': '24h'}");
	until(fake_now() + 15 * SECOND); /* its reads have backed off */
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	until(fake_now() + 40 * SECOND);
	the_world_heals();
	expect_reverted_by(fake_now() + SECOND + 200);
	until_the_end();
	expect_exit(6);
}

/* A question leaves when its entry is durable; the books know how slow the disk
 * is. */
static void a_revert_that_knows_nothing_asks_as_soon_by_a_slow_disk(
	void **state)
{
	fake_loop_late(20);
	fake_worker_slow(100);
	given_policy(policy_short, NULL);
	books_open();
	run();
	while (!fake_run.patches)
		until(fake_now() + 1);
	fake_run_fault("{'kind': 'reset', 'method': 'GET', "
		       "'path': '*/services/shop', 'for': '24h'}");
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	until(fake_now() + 9 * MINUTE);
	the_world_heals();
	until_the_end();
	expect_exit(6);
}

static void a_refused_revert_is_sent_again_within_ten_seconds(void **state)
{
	until_ten_percent();
	errors_of(FAKE_NEW, 0.5);
	writes_are_refused(503);
	until(fake_now() + 3 * MINUTE);
	expect_writes_at_most(120);
	the_world_heals();
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + 10 * SECOND + 200);
	until_the_end();
	expect_exit(5);
}

/* Somebody gives the candidate its share back before it was seen that the
 * revert serves: that is newer than what the revert wrote, and is not waited for
 * as an answer that lags. */
static void a_revert_that_somebody_undid_is_written_at_once(void **state)
{
	until_ten_percent();
	errors_of(FAKE_NEW, 0.5);
	while (fake_run_wants(FAKE_NEW))
		until(fake_now() + 1);
	reads_hang();
	until(fake_now() + 1500);
	assert_int_equal(phase_now(), PHASE_REVERTING);
	crash();
	fake_run_foreign("shop-1=90 shop-2=10");
	the_world_heals();
	errors_of(FAKE_NEW, 0.5);
	resume();
	expect_reverted_by(fake_now() + SECOND);
	until_the_end();
	expect_serving(FAKE_STABLE, 100);
}

/* The first write of the revert got nowhere; the second is answered. */
static void until_reverted_at_second_try(void)
{
	until_ten_percent();
	fake_run_fault("{'kind': 'hang', 'method': 'PATCH', 'times': 1}");
	errors_of(FAKE_NEW, 0.5);
	while (!fake_store_count("written", "\"attempt\":3"))
		until(fake_now() + 1);
	expect_journal("written", "\"result\":\"unknown\",\"attempt\":2");
	expect_journal("written", "\"result\":\"done\",\"attempt\":3");
	assert_int_equal(phase_now(), PHASE_REVERTING);
}

static void a_revert_of_two_tries_that_somebody_undid_is_written_at_once(
	void **state)
{
	until_reverted_at_second_try();
	fake_run_foreign("shop-1=90 shop-2=10");
	expect_reverted_by(fake_now() + SECOND);
	until_the_end();
	expect_serving(FAKE_STABLE, 100);
}

/* Nothing else than the list tells that it is not the revert's: so many writes
 * may have made generations. */
static void a_revert_that_is_taken_up_is_written_at_once(void **state)
{
	until_reverted_at_second_try();
	crash();
	fake_run_foreign("shop-1=90 shop-2=10");
	until(fake_now() + MINUTE);
	resume();
	expect_reverted_by(fake_now() + SECOND);
	until_the_end();
	expect_serving(FAKE_STABLE, 100);
}

/* Who undoes it again and again is not raced. */
static void a_revert_that_is_undone_each_time_is_no_race(void **state)
{
	int patches;

	until_reverted_at_second_try();
	patches = fake_run.patches;
	for (int64_t end_ms = fake_now() + 10 * SECOND; fake_now() < end_ms;
		until(fake_now() + 10))
		if (is_driven() && fake_run_wants(FAKE_NEW) == 0)
			fake_run_foreign("shop-1=90 shop-2=10");
	expect_writes_at_most(patches + 3);
	the_world_heals();
	until_the_rollout_ends(1);
}

/* What is wanted is asked for already and does not serve: it is read on, and what
 * somebody asks for then is seen. */
static void a_revert_that_is_asked_for_already_is_read_on(void **state)
{
	int gets;

	until_ten_percent();
	errors_of(FAKE_NEW, 0.5);
	until(fake_now() + 100);
	crash();
	fake_run_foreign_failing("shop-1=100"); /* it does not come to serve */
	resume();
	until_phase(PHASE_REVERTING);
	until(fake_now() + 1500); /* a read that hung would be given up now */
	gets = fake_run.gets;
	until(fake_now() + 4 * SECOND);
	assert_true(fake_run.gets >= gets + 2);
	fake_run_foreign("shop-1=90 shop-2=10");
	until(fake_now() + 2500);
	expect_exit(7);
	expect_writes_at_most(1);
}

/* The list is written as a whole, and what others have in it stays. */
static void a_broken_revision_that_others_tagged_is_named_with_the_remedy(
	void **state)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	given_policy(policy_short, NULL);
	fake_run_deploy("shop-3");
	given_traffic("shop-1=100 shop-3=0#debug");
	run_with(&options);
	until_step(0);
	fake_run_set_ready("shop-3", false);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_REVERTING);
	until(fake_now() + 2 * SECOND); /* at once, not after ten minutes */
	expect_journal("retry", "the tag \\\"debug\\\" on shop-3");
	expect_journal("retry", "--remove-tags=debug");
	until(fake_now() + MINUTE);
	fake_run_foreign("shop-1=100"); /* somebody does that */
	until_the_end();
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
}

static void stable_is_looked_at_before_the_candidate_has_users(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 20s, approval:\n"
		     "     {approvers: [bob], minimum: 1, timeout: 1h}}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 0s\n",
		slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	until(fake_now() + 10 * MINUTE);
	fake_run_set_ready(FAKE_STABLE, false);
	approve("bob");
	until(fake_now() + MINUTE);
	expect_never_above(0);
	assert_int_equal(phase_now(), PHASE_HELD);
	expect_reason("no way back");
}

static void stable_is_looked_at_before_each_step_that_waits(void **state)
{
	until_ten_percent();
	writes_are_refused(503);
	until_phase(PHASE_SHIFTING);
	until(fake_now() + SECOND);
	fake_run_set_ready(FAKE_STABLE, false);
	until(fake_now() + 20 * SECOND);
	the_world_heals();
	until(fake_now() + MINUTE);
	expect_never_above(10);
}

#define LOOKS_AT_STABLE "'method': 'GET', 'path': '*/revisions/" FAKE_STABLE "'"

static void a_step_up_waits_until_stable_can_be_looked_at(void **state)
{
	static const char *const troubles[] = {
		"{'kind': 'hang', " LOOKS_AT_STABLE ", 'for': '24h'}",
		"{'kind': 'status', 'status': 503, " LOOKS_AT_STABLE
		", 'for': '24h'}",
		"{'kind': 'status', 'status': 403, " LOOKS_AT_STABLE
		", 'for': '24h'}",
	};

	for (size_t i = 0; i < sizeof(troubles) / sizeof(*troubles); i++) {
		if (i > 0) {
			scenario_close();
			scenario_open(i);
		}
		until_ten_percent();
		fake_run_fault(troubles[i]);
		until_phase(PHASE_SHIFTING);
		until(fake_now() + 2 * MINUTE);
		expect_never_above(10);
		expect_journal("retry", "/revisions/" FAKE_STABLE);
		the_world_heals();
		until_the_end();
		expect_exit(0);
	}
}

static void a_revert_does_not_wait_for_a_look_at_stable(void **state)
{
	until_ten_percent();
	fake_run_fault("{'kind': 'hang', " LOOKS_AT_STABLE ", 'for': '24h'}");
	until_phase(PHASE_SHIFTING);
	until(fake_now() + SECOND);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + REVERTED_MS);
}

/* A read that shows others' doing is not enough to give the candidate its share
 * again: nothing is known of stable since. */
static void stable_is_looked_at_before_a_share_is_set_back(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 50, bake: 1h}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 0s\n",
		slo_errors, "on_drift: reassert\n", NULL);
	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	fake_run_fault("{'kind': 'hang', " LOOKS_AT_STABLE ", 'for': '24h'}");
	fake_run_foreign("shop-1=90 shop-2=10");
	until(fake_now() + MINUTE);
	expect_journal("drift", "set back");
	assert_int_equal(fake_run_wants(FAKE_NEW), 10);
	the_world_heals();
	until(fake_now() + MINUTE);
	assert_int_equal(fake_run_wants(FAKE_NEW), 50);
}

/* A conflict tells that somebody has written; a read that lags does not show what.
 * It may be the candidate's users. */
static void what_a_conflict_told_of_is_waited_for(void **state)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	fake_run_deploy("shop-3");
	given_policy(policy_short, NULL);
	run_with(&options);
	until_phase(PHASE_SHIFTING);
	fake_run_fault("{'kind': 'stale', 'method': 'GET', 'delay': '4s', "
		       "'for': '1m'}");
	fake_run_foreign_before_write("shop-1=80 shop-2=10 shop-3=10");
	while (!fake_run.patches)
		until(fake_now() + 1);
	until(fake_now() + 100); /* the conflict is known */
	command("abort", "bob");
	until_the_end();
	expect_exit(7);
	assert_int_equal(fake_run_wants(FAKE_NEW), 10);
}

/* The answer of a write that was accepted need not tell its generation; a read
 * that lags shows what was before it, and no revert that is done. */
static void what_was_written_is_taken_back_though_reads_lag(void **state)
{
	given_policy(policy_short, NULL);
	run();
	while (!fake_run.patches)
		until(fake_now() + 1);
	fake_run_fault("{'kind': 'stale', 'method': 'GET', 'generations': 1, "
		       "'for': '6s'}");
	until(fake_now() + 1500);
	expect_journal("written", "\"result\":\"done\"");
	expect_not_journaled("written", "\"generation\"");
	interrupt("SIGTERM");
	until_the_end();
	expect_exit(6);
	assert_int_equal(fake_run_wants(FAKE_NEW), 0);
	expect_serving(FAKE_STABLE, 100);
}

/* Somebody else has written between two writes of a step: as many generations as
 * we have written are no proof that the second one is among them. Which of them
 * were others' is not known in the end. */
static void what_others_wrote_between_is_taken_back_though_reads_lag(
	void **state)
{
	given_policy(policy_short, NULL);
	run();
	while (!fake_run.patches)
		until(fake_now() + 1);
	fake_run_foreign("shop-1=100");
	while (fake_run.patches < 2)
		until(fake_now() + 1);
	fake_run_fault("{'kind': 'stale', 'method': 'GET', 'generations': 1, "
		       "'for': '6s'}");
	until(fake_now() + 1500);
	interrupt("SIGTERM");
	until_the_end();
	expect_exit(7);
	assert_int_equal(fake_run_wants(FAKE_NEW), 0);
	expect_serving(FAKE_STABLE, 100);
}

/* Nothing newer is ever read: the conflict was about something else. */
static void a_conflict_about_nothing_is_not_waited_for_for_ever(void **state)
{
	given_policy(policy_short, NULL);
	run();
	until_phase(PHASE_SHIFTING);
	fake_run_fault("{'kind': 'status', 'status': 409, 'method': 'PATCH', "
		       "'times': 1}");
	until(fake_now() + 12 * SECOND);
	assert_int_equal(fake_run_wants(FAKE_NEW), 10);
	fake_run_fault("{'kind': 'status', 'status': 409, 'method': 'PATCH', "
		       "'times': 1}");
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + REVERTED_MS + SECOND);
	until_the_end();
	expect_exit(5);
}

/* The answer of a read that was given up comes while the next one waits for its
 * entry: it is not that one's. */
static void a_read_that_was_given_up_answers_nothing_any_more(void **state)
{
	until_ten_percent();
	until(fake_now() + 8 * SECOND);
	reads_hang();
	fake_run_foreign("shop-1=90 shop-2=10");
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	until(fake_now() + 30 * SECOND);
	the_world_heals();
	until_the_end();
	expect_exit(6);
}

/* How the write went that the entry tells of: its own answer, or none yet. */
static void written_entries_are_of_writes_that_were_sent(void)
{
	for (size_t i = 0; i < fake_store_entries(); i++) {
		struct fake_entry entry = fake_store_entry(i);
		const char *at = strstr(entry.data, "\"attempt\":");

		if (strcmp(entry.name, "written") != 0)
			continue;
		promise(at, "no attempt in %s", entry.data);
		promise(strtol(at + strlen("\"attempt\":"), NULL, 10) <=
				fake_run.patches,
			"after %d writes: %s", fake_run.patches, entry.data);
	}
}

/* Its answer comes while the next one waits for its entry, sooner or later. */
static void a_write_that_was_given_up_answers_nothing_any_more(void **state)
{
	char fault[128];

	for (int delay_ms = 1000; delay_ms < 1800; delay_ms += 50) {
		scenario_close();
		scenario_open((uint64_t)delay_ms);
		fake_worker_slow(200);
		given_policy(policy_short, NULL);
		snprintf(fault, sizeof(fault),
			"{'kind': 'slow', 'method': 'PATCH', 'delay': '%dms', "
			"'times': 1}",
			delay_ms);
		fake_run_fault(fault);
		run();
		while (!fake_run.patches)
			until(fake_now() + 1);
		command("abort", "bob");
		for (int i = 0; i < 400; i++) {
			until(fake_now() + 10);
			written_entries_are_of_writes_that_were_sent();
		}
		until_the_end();
		expect_exit(6);
	}
}

/* What the step's own write came to says nothing of the way back. It is answered
 * while the abort becomes durable, sooner or later. */
static void a_revert_does_not_wait_as_long_as_the_step_that_failed(void **state)
{
	size_t n = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		scenario_close();
		scenario_open(seed);
		given_policy(policy_short, NULL);
		fake_run_fault("{'kind': 'operation-error', 'method': 'PATCH',"
			       " 'code': 14, 'when': 'after', 'times': 1}");
		run();
		while (!fake_run.patches)
			until(fake_now() + 1);
		fake_worker_slow(200);
		until(fake_now() + 900); /* it fails after a second */
		command("abort", "bob");
		until_phase(PHASE_REVERTING);
		until(fake_now() + 500);
		n += fake_store_count("written", "\"result\":\"failed\"");
		expect_reverted_by(fake_now() + SECOND);
		until_the_end();
		expect_exit(6);
	}
	assert_true(n > 0);
}

static void a_revert_asks_anew_when_a_read_hangs(void **state)
{
	int gets;

	given_policy(policy_short, NULL);
	run();
	while (!fake_run.patches)
		until(fake_now() + 1);
	reads_hang();
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	gets = fake_run.gets;
	until(fake_now() + 8 * SECOND);
	assert_true(fake_run.gets >= gets + 3);
	the_world_heals();
	until_the_end();
	expect_exit(6);
}

/* What hung has waited already: twice as long each time, and no longer. */
static void a_revert_whose_writes_hang_is_written_again_at_once(void **state)
{
	int64_t ms;

	given_policy(policy_short, NULL);
	run();
	until_step(0);
	writes_hang();
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	for (int i = 2; i <= 16; i *= 2) {
		ms = fake_run.patched_ms;
		while (fake_run.patched_ms == ms && fake_now() < ms + MINUTE)
			until(fake_now() + 10);
		if (i > 2)
			assert_in_range(fake_now() - ms, i * SECOND / 2,
				i * SECOND / 2 + 500);
	}
	the_world_heals();
	expect_reverted_by(fake_now() + 17 * SECOND);
	until_the_end();
	expect_exit(6);
}

/* Its change is under way for ever: the same list begins another one. */
static void a_revert_that_is_stuck_is_written_again(void **state)
{
	int patches;

	run();
	until_step(0);
	fake_run_fault("{'kind': 'operation-stuck', 'method': 'PATCH', "
		       "'times': 1}");
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	patches = fake_run.patches;
	expect_reverted_by(fake_now() + 75 * SECOND);
	expect_writes_at_most(patches + 2);
	until_the_end();
	expect_exit(6);
}

/* ---- under load ---- */

static int stopped_before_write; /* of the load, when the revert left */

static void see_revert_leave(const struct fake_request *request)
{
	if (!strcmp(request->method, "PATCH") && phase_now() == PHASE_REVERTING)
		stopped_before_write = fake_deeds_cancelled("load");
}

static void until_under_load(void)
{
	stopped_before_write = 0;
	fake_deed_takes("load", HOUR);
	given_policy("steps:\n"
		     "  - percent: 10\n"
		     "    bake: 20s\n"
		     "    load: {name: users, type: load, allow_host: "
		     "127.0.0.1,\n"
		     "      url: 'http://127.0.0.1:7000/x',\n"
		     "      stages: [{for: 1h, users: 5}]}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 5s\n"
		     "slos:\n"
		     "  - {name: errors, query: 'errors{r=\"{{candidate}}\"}', "
		     "max: 1%,\n"
		     "     window: 10s, interval: 5s, fail_after: 1}\n",
		NULL);
	run();
	until_step(0);
	until(fake_now() + 3 * MINUTE); /* far longer than the bake */
	promise(phase_now() == PHASE_BAKING, "the step waits for its load");
}

/* The load is stopped before the write leaves, and that takes no longer than
 * without one. */
static void a_revert_under_load_stops_it_first_and_is_not_later(void **state)
{
	until_under_load();
	fake_http_on_send = see_revert_leave;
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + REVERTED_MS);
	fake_http_on_send = NULL;
	promise(stopped_before_write == 1, "the load ended before the write");
	until_the_end();
	expect_exit(5);
	promise(fake_deeds("load") == 0, "the load was cut off");
}

static void a_load_of_a_process_that_died_is_not_made_again(void **state)
{
	until_under_load();
	crash();
	resume();
	until(fake_now() + 5 * MINUTE);
	promise(phase_now() == PHASE_HELD, "a person is asked");
	command("abort", "bob");
	until_the_end();
	expect_exit(6);
	promise(fake_deeds_cancelled("load") == 0, "none was started");
}

/* ---- the end of a revert ---- */

static const char fast_slo[] =
	"slos:\n"
	"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}', max: 1%,\n"
	"     window: 10s, interval: 5s, min_passes: 2, fail_after: 1}\n";

/* Others stand in for the write whose answer was lost: it comes while an action of
 * the sequence runs for long. */
static void a_write_that_comes_in_the_sequence_is_taken_back(void **state)
{
	int64_t ms;

	given_policy("steps:\n"
		     "  - {percent: 10, bake: 20s}\n"
		     "  - {percent: 50, bake: 20s}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 5s\n"
		     "rollback:\n"
		     "  - {name: undo, type: exec, command: [act, undo],\n"
		     "     timeout: 15m}\n",
		fast_slo, NULL);
	fake_deed_takes("undo", 10 * MINUTE);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'reset', 'method': 'PATCH', 'when': 'before',"
		       " 'times': 1}");
	while (!fake_store_count("written", "unknown"))
		until(fake_now() + 1);
	command("abort", "bob");
	until_phase(PHASE_ROLLING_BACK);
	until(fake_now() + 2 * SECOND);
	fake_run_foreign("shop-1=50 shop-2=50");
	ms = fake_now();
	while (fake_run_wants(FAKE_NEW) > 0 && fake_now() < ms + HOUR)
		until(fake_now() + 100);
	assert_in_range(fake_now() - ms, 0, 3 * SECOND);
	until_the_end();
	assert_int_equal(fake_deeds("undo"), 1);
	assert_string_equal(
		fake_store_phase(fake_store_newest()), "rolled-back");
}

/* The signal comes first, and the breach before its entry is durable. */
static void leaving_does_not_cut_a_revert_short(void **state)
{
	int n;

	given_policy("steps:\n"
		     "  - {percent: 10, bake: 10m}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 5s\n"
		     "on_interrupt: leave\n"
		     "rollback:\n"
		     "  - {name: undo, type: exec, command: [act, undo]}\n",
		fast_slo, NULL);
	run();
	until_step(0);
	until(fake_now() + 22 * SECOND);
	fake_worker_slow(400);
	errors_of(FAKE_NEW, 0.5);
	fake_run_fault("{'kind': 'status', 'status': 503, 'method': 'PATCH',"
		       " 'times': 1}");
	n = seen()->n_checks;
	while (seen()->n_checks == n)
		until(fake_now() + 1);
	interrupt("SIGTERM");
	until_the_end();
	expect_serving(FAKE_STABLE, 100);
	expect_exit(5);
	assert_int_equal(fake_deeds("undo"), 1);
}

/* Nothing has begun that could be left. */
static void there_is_nothing_to_leave_before_preflight_has_passed(void **state)
{
	given_policy("steps:\n  - {percent: 100, bake: 20s}\n"
		     "on_interrupt: leave\n",
		fast_slo, NULL);
	reads_hang();
	run();
	until(fake_now() + SECOND);
	interrupt("SIGTERM");
	until_the_end();
	expect_exit(4);
}

/* What every check of a settle found is told as any other check's finding. */
static void a_settle_says_what_was_compared(void **state)
{
	static const struct {
		const char *slo;
		enum fake_said says;
		const char *why;
	} rows[] = {
		{"min: 99%", SAYS_VALUE, "m: 50 % < min 99 % in every check"},
		{"max: 1%", SAYS_VALUE, "m: 50 % > max 1 % in every check"},
		{"max: 1%, no_data: breach", SAYS_NOTHING, "has no value"},
	};
	const char *reason;
	char slo[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		scenario_close();
		scenario_open(1);
		snprintf(slo, sizeof(slo),
			"slos:\n  - {name: m, query: 'm{r=\"{{candidate}}\"}',"
			" %s, window: 20s, interval: 10s, fail_after: 1}\n",
			rows[i].slo);
		given_policy("steps:\n  - {percent: 10, bake: 1m}\n"
			     "  - {percent: 100, bake: 1m}\n"
			     "settle: 30s\n",
			slo, NULL);
		fake_metrics_say("m", rows[i].says, 0.5);
		run();
		until_the_end();
		reason = fake_store_reason(fake_store_newest());
		if (!strstr(reason, rows[i].why))
			fail_msg("row %zu: \"%s\"", i, reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(
			an_answer_from_before_the_last_one_is_not_written_upon),
		SCENARIO(what_was_read_before_a_refused_write_is_still_known),
		SCENARIO(
			a_revert_that_knows_nothing_asks_at_least_once_a_second),
		SCENARIO(
			a_revert_that_knows_nothing_asks_as_soon_by_a_slow_disk),
		SCENARIO(a_refused_revert_is_sent_again_within_ten_seconds),
		SCENARIO(a_revert_that_somebody_undid_is_written_at_once),
		SCENARIO(
			a_revert_of_two_tries_that_somebody_undid_is_written_at_once),
		SCENARIO(a_revert_that_is_taken_up_is_written_at_once),
		SCENARIO(a_revert_that_is_undone_each_time_is_no_race),
		SCENARIO(a_revert_that_is_asked_for_already_is_read_on),
		SCENARIO(
			a_broken_revision_that_others_tagged_is_named_with_the_remedy),
		SCENARIO(stable_is_looked_at_before_the_candidate_has_users),
		SCENARIO(stable_is_looked_at_before_each_step_that_waits),
		SCENARIO(a_step_up_waits_until_stable_can_be_looked_at),
		SCENARIO(a_revert_does_not_wait_for_a_look_at_stable),
		SCENARIO(stable_is_looked_at_before_a_share_is_set_back),
		SCENARIO(what_a_conflict_told_of_is_waited_for),
		SCENARIO(what_was_written_is_taken_back_though_reads_lag),
		SCENARIO(
			what_others_wrote_between_is_taken_back_though_reads_lag),
		SCENARIO(a_conflict_about_nothing_is_not_waited_for_for_ever),
		SCENARIO(a_read_that_was_given_up_answers_nothing_any_more),
		SCENARIO(a_write_that_was_given_up_answers_nothing_any_more),
		SCENARIO(
			a_revert_does_not_wait_as_long_as_the_step_that_failed),
		SCENARIO(a_revert_asks_anew_when_a_read_hangs),
		SCENARIO(a_revert_whose_writes_hang_is_written_again_at_once),
		SCENARIO(a_revert_that_is_stuck_is_written_again),
		SCENARIO(a_revert_under_load_stops_it_first_and_is_not_later),
		SCENARIO(a_load_of_a_process_that_died_is_not_made_again),
		SCENARIO(a_write_that_comes_in_the_sequence_is_taken_back),
		SCENARIO(leaving_does_not_cut_a_revert_short),
		SCENARIO(there_is_nothing_to_leave_before_preflight_has_passed),
		SCENARIO(a_settle_says_what_was_compared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
