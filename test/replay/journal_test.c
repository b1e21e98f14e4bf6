/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file is locked by somebody else, or the disk is full, slow or hangs,
 * for a while or for good: what is watched, what leaves all the same, and in which order.
 */
#include <string.h>

#include "scenario_test.h"

static int checks_between(int64_t from_ms, int64_t to_ms)
{
	int n = 0;

	for (int i = 0; i < seen()->n_checks; i++)
		n += seen()->check_ms[i] >= from_ms &&
		     seen()->check_ms[i] < to_ms;
	return n;
}

static int64_t first_deed_ms;
static int64_t first_rise_ms; /* the candidate got more than it had */
static int percent_before;

static void watch_times(void)
{
	if (!first_deed_ms && *fake_deeds_order())
		first_deed_ms = fake_now();
	if (!first_rise_ms && fake_run_wants(FAKE_NEW) > percent_before)
		first_rise_ms = fake_now();
}

static void watch_from_now(void)
{
	first_deed_ms = first_rise_ms = 0;
	percent_before = fake_run_wants(FAKE_NEW);
	scenario_watch = watch_times;
}

/* Some seconds into the first step, between two checks. */
static int64_t begin(void)
{
	given_policy(policy_short, NULL);
	run();
	until_step(0);
	until(fake_now() + 7 * SECOND);
	watch_from_now();
	return fake_now();
}

static void a_lock_of_six_seconds_changes_nothing(void **state)
{
	int64_t from_ms = begin();

	assert_false(journal_is_late());
	fake_store_lock(6 * SECOND);
	until(from_ms + 6 * SECOND - 1);
	assert_true(journal_is_late());
	assert_true(checks_between(from_ms, from_ms + 6 * SECOND) >= 1);
	until(from_ms + 8 * SECOND);
	assert_false(journal_is_late());
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_breach_that_meets_a_lock_is_reverted_at_once(void **state)
{
	int64_t from_ms = begin();

	errors_of(FAKE_NEW, 0.5);
	fake_store_lock(9 * SECOND);
	/* The next check is due within 5 s. */
	expect_reverted_by(from_ms + 6 * SECOND);
	until_the_end();
	expect_exit(5);
	assert_true(first_deed_ms >= from_ms + 9 * SECOND);
	assert_string_equal(fake_deeds_order(), "undo purge");
	expect_journal("breach", NULL);
}

static void traffic_does_not_go_up_before_the_journal_has_it(void **state)
{
	given_policy(policy_short, NULL);
	run();
	until_step(0);
	until(fake_now() + 18 * SECOND);
	watch_from_now();
	/* The step is passed meanwhile. */
	fake_store_lock(8 * SECOND);
	until(fake_now() + 8 * SECOND - 1);
	assert_int_equal(first_rise_ms, 0);
	until_the_end();
	expect_exit(0);
	assert_true(first_rise_ms > 0);
}

static void a_full_disk_that_is_emptied_soon_changes_nothing(void **state)
{
	int64_t from_ms = begin();

	fake_store_full(true);
	until(from_ms + 8 * SECOND);
	assert_true(checks_between(from_ms, from_ms + 8 * SECOND) >= 1);
	fake_store_full(false);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_disk_that_stays_full_takes_users_back_and_the_rest_follows(
	void **state)
{
	int64_t from_ms = begin();

	fake_store_full(true);
	expect_reverted_by(from_ms + STORE_LEASE_MS);
	until(from_ms + 2 * MINUTE);
	assert_true(is_driven());
	assert_string_equal(fake_deeds_order(), "");
	fake_store_full(false);
	until_the_end();
	expect_exit(6);
	assert_string_equal(fake_deeds_order(), "undo purge");
	expect_reason("a journal that cannot be written");
	expect_journal("interrupt", NULL);
}

static bool was_given_up;

static void watch_giving_up(void)
{
	was_given_up = was_given_up || (is_driven() && journal_is_given_up());
}

static void who_waits_for_a_full_disk_can_be_told_to_go(void **state)
{
	int64_t from_ms = begin();

	fake_store_full(true);
	expect_reverted_by(from_ms + STORE_LEASE_MS);
	until(from_ms + MINUTE);
	assert_true(journal_is_late());
	assert_false(journal_is_given_up());
	scenario_watch = watch_giving_up;
	interrupt("SIGTERM");
	until(from_ms + 2 * MINUTE);
	assert_true(was_given_up);
	assert_false(is_driven());
	expect_serving(FAKE_STABLE, 100);
	expect_exit(1);
	assert_non_null(strstr(end_text(), "given back to stable"));
	/* Another process takes it up when there is space. */
	fake_store_full(false);
	resume();
	until_the_end();
	expect_serving(FAKE_STABLE, 100);
}

static void a_start_waits_for_a_lock(void **state)
{
	given_policy(policy_short, NULL);
	fake_store_lock(20 * SECOND);
	run();
	until_the_end();
	expect_exit(0);
}

static void a_lock_that_never_ends_starts_nothing(void **state)
{
	given_policy(policy_short, NULL);
	fake_store_lock(HOUR);
	run();
	until(40 * SECOND);
	assert_false(is_driven());
	expect_exit(1);
	expect_writes_at_most(0);
}

static void a_disk_that_fills_up_before_the_first_entry_starts_nothing(
	void **state)
{
	given_policy(policy_short, NULL);
	fake_store_full_at("started");
	run();
	until(MINUTE);
	assert_false(is_driven());
	expect_exit(1);
	expect_writes_at_most(0);
}

/* It reads only, and its first answer is worth waiting for a disk. */
static void preflight_looks_while_the_first_entry_is_being_written(void **state)
{
	given_policy(policy_short, NULL);
	fake_store_full_at("started");
	run();
	until(SECOND);
	assert_int_equal(fake_store_entries(), 0);
	assert_true(seen()->n_checks > 0);
	expect_writes_at_most(0);
}

/* The books hold that no write leaves before its reason is durable. */
static void a_slow_disk_delays_what_waits_for_it_and_nothing_else(void **state)
{
	int64_t from_ms;

	fake_worker_slow(100);
	from_ms = begin();
	until(from_ms + 8 * SECOND);
	assert_true(checks_between(from_ms, from_ms + 8 * SECOND) >= 1);
	errors_of(FAKE_NEW, 0.5);
	/* The next check is due within 5 s. */
	expect_reverted_by(fake_now() + 6 * SECOND);
	until_the_end();
	expect_exit(5);
	assert_string_equal(fake_deeds_order(), "undo purge");
}

static void a_commit_that_hangs_stops_no_check_and_no_revert(void **state)
{
	int64_t from_ms = begin();

	errors_of(FAKE_NEW, 0.5);
	fake_store_lock(9 * SECOND); /* the books are told of it */
	fake_worker_hang(true);
	/* The next check is due within 5 s. */
	expect_reverted_by(from_ms + 6 * SECOND);
	until(from_ms + 9 * SECOND);
	assert_true(checks_between(from_ms, from_ms + 6 * SECOND) >= 1);
	assert_string_equal(fake_deeds_order(), "");
	fake_worker_hang(false);
	until_the_end();
	expect_exit(5);
	assert_string_equal(fake_deeds_order(), "undo purge");
	expect_journal("breach", NULL);
}

static void what_an_operator_said_is_taken_once_by_a_slow_disk(void **state)
{
	fake_worker_slow(450); /* several looks for commands */
	begin();
	command("pause", "bob");
	until(fake_now() + 20 * SECOND);
	assert_int_equal(fake_store_waiting(), 0);
	assert_int_equal(fake_store_count("command", "pause"), 1);
}

/* What it knew of the disk is as old as the time for which it slept. */
static void a_machine_that_slept_tries_the_journal_before_it_takes_users_back(
	void **state)
{
	begin();
	fake_store_full(true);
	until(fake_now() + 8 * SECOND);
	assert_true(journal_is_late());
	fake_store_full(false);
	the_machine_sleeps(5 * SECOND);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_machine_that_slept_on_a_full_disk_takes_users_back_all_the_same(
	void **state)
{
	begin();
	fake_store_full(true);
	until(fake_now() + 8 * SECOND);
	the_machine_sleeps(5 * SECOND);
	expect_reverted_by(fake_now() + 2 * SECOND);
	fake_store_full(false);
	until_the_end();
	expect_exit(6);
	expect_reason("a journal that cannot be written");
}

static void a_machine_that_slept_tries_the_journal_before_it_gives_up(
	void **state)
{
	int64_t from_ms = begin();

	fake_store_full(true);
	expect_reverted_by(from_ms + STORE_LEASE_MS);
	until(from_ms + MINUTE);
	fake_store_full(false);
	the_machine_sleeps(HOUR);
	until_the_end();
	expect_exit(6);
	assert_string_equal(fake_deeds_order(), "undo purge");
}

static bool was_late;

static void watch_lateness(void)
{
	was_late = was_late || (is_driven() && journal_is_late());
}

static void a_commit_that_a_machine_slept_over_is_not_late(void **state)
{
	begin();
	was_late = false;
	scenario_watch = watch_lateness;
	fake_worker_hang(true);
	command("pause", "bob");
	until_phase(PHASE_PAUSED);
	fake_worker_hang(false);
	the_machine_sleeps(90 * SECOND);
	until(fake_now() + 10 * SECOND);
	assert_false(was_late);
	expect_serving(FAKE_NEW, 10);
	fake_worker_hang(true);
	command("continue", "bob");
	until(fake_now() + 3 * SECOND);
	assert_true(was_late);
	fake_worker_hang(false);
}

/* To 100 %, by a disk that takes its time. */
static void until_a_rise_is_decided(void)
{
	fake_worker_slow(100);
	begin();
	while (phase_now() != PHASE_SHIFTING || !write_is_decided())
		until(fake_now() + 1);
	fake_worker_hang(true);
}

static void a_rise_does_not_leave_after_a_person_said_abort(void **state)
{
	until_a_rise_is_decided();
	command("abort", "bob");
	until_phase(PHASE_REVERTING);
	fake_worker_hang(false);
	until_the_end();
	expect_never_above(10);
	expect_exit(6);
}

static void a_rise_that_nothing_overtook_leaves_when_it_is_durable(void **state)
{
	until_a_rise_is_decided();
	until(fake_now() + SECOND / 2);
	expect_never_above(10);
	fake_worker_hang(false);
	until_the_end();
	expect_exit(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_lock_of_six_seconds_changes_nothing),
		SCENARIO(a_breach_that_meets_a_lock_is_reverted_at_once),
		SCENARIO(traffic_does_not_go_up_before_the_journal_has_it),
		SCENARIO(a_full_disk_that_is_emptied_soon_changes_nothing),
		SCENARIO(
			a_disk_that_stays_full_takes_users_back_and_the_rest_follows),
		SCENARIO(who_waits_for_a_full_disk_can_be_told_to_go),
		SCENARIO(a_start_waits_for_a_lock),
		SCENARIO(a_lock_that_never_ends_starts_nothing),
		SCENARIO(
			a_disk_that_fills_up_before_the_first_entry_starts_nothing),
		SCENARIO(
			preflight_looks_while_the_first_entry_is_being_written),
		SCENARIO(a_slow_disk_delays_what_waits_for_it_and_nothing_else),
		SCENARIO(a_commit_that_hangs_stops_no_check_and_no_revert),
		SCENARIO(what_an_operator_said_is_taken_once_by_a_slow_disk),
		SCENARIO(
			a_machine_that_slept_tries_the_journal_before_it_takes_users_back),
		SCENARIO(
			a_machine_that_slept_on_a_full_disk_takes_users_back_all_the_same),
		SCENARIO(
			a_machine_that_slept_tries_the_journal_before_it_gives_up),
		SCENARIO(a_commit_that_a_machine_slept_over_is_not_late),
		SCENARIO(a_rise_does_not_leave_after_a_person_said_abort),
		SCENARIO(
			a_rise_that_nothing_overtook_leaves_when_it_is_durable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
