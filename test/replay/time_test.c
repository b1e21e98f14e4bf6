/* SPDX-License-Identifier: Apache-2.0 */
/* Time: checks on their grid, standstills, deadlines, and what goes up. */
#include "scenario_test.h"

static void after_a_standstill_the_first_thing_is_a_check_not_a_shift(
	void **state)
{
	run();
	until_step(0);
	until(fake_now() + 69 * SECOND); /* the step is about to be passed */
	errors_of(FAKE_NEW, 0.5);
	the_machine_sleeps(HOUR);
	until_the_end();
	expect_exit(5);
	expect_never_above(10);
}

static void time_that_was_slept_is_no_bake(void **state)
{
	int64_t woken_ms;

	run();
	until_step(0);
	until(fake_now() + 30 * SECOND);
	the_machine_sleeps(HOUR);
	woken_ms = fake_now();
	until(woken_ms + 35 * SECOND);
	expect_never_above(10);
	until_the_end();
	expect_exit(0);
}

static void who_resumes_writes_nothing_upwards_before_it_has_checked(
	void **state)
{
	resume_after(30 * SECOND);
	run();
	until_step(0);
	writes_are_refused(503);
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	until(fake_now() + SECOND);
	crash();
	fake_run_heal();
	errors_of(FAKE_NEW, 0.5);
	until_the_rollout_ends(1);
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
}

static void an_approval_that_comes_after_its_time_does_not_count(void **state)
{
	given_policy("steps:\n  - {percent: 10, bake: 20s}\n"
		     "  - {percent: 100, bake: 20s, approval:\n"
		     "     {approvers: [bob], minimum: 1, timeout: 5m}}\n"
		     "settle: 10s\nhold_timeout: 2m\n",
		slo_errors, NULL);
	resume_after(10 * MINUTE);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	crash();
	until(fake_now() + 9 * MINUTE);
	approve("bob");
	until_the_rollout_ends(1);
	expect_exit(5);
	expect_never_above(10);
}

static void queries_ask_about_the_present_of_a_clock_that_was_set(void **state)
{
	int64_t wall_ms;

	given_policy("steps:\n  - {percent: 10, bake: 5m}\n"
		     "  - {percent: 100, bake: 5m}\nsettle: 90s\n",
		slo_errors,
		"metrics: {url: \"" FAKE_METRICS_ORIGIN
		"\", timeout: 4s, delay: 1m}\n",
		NULL);
	run();
	until_step(0);
	until(fake_now() + 2 * MINUTE);
	fake_loop_set_clock(HOUR);
	until(fake_now() + 25 * SECOND);
	wall_ms = loop_wall_ms(NULL);
	promise(fake_metrics.about_ms > wall_ms - 75 * SECOND,
		"it asks about %lld s ago",
		(long long)((wall_ms - fake_metrics.about_ms) / 1000));
	promise(fake_metrics.about_ms < wall_ms, "it asks about the future");
	the_machine_sleeps(HOUR);
	until(fake_now() + 25 * SECOND);
	promise(fake_metrics.about_ms > loop_wall_ms(NULL) - 75 * SECOND,
		"it asks about the time before the sleep");
}

static int checks_since(int64_t ms)
{
	int n = 0;

	for (int i = 0; i < seen()->n_checks; i++)
		n += seen()->check_ms[i] >= ms;
	return n;
}

/* The passes before it were asked about moments of another clock. */
static void a_clock_that_is_set_is_a_gap_before_which_nothing_counts(
	void **state)
{
	int64_t set_ms;

	run();
	until_step(0);
	until(fake_now() + 69 * SECOND); /* the step is about to be passed */
	fake_loop_set_clock(-HOUR);
	metrics_of("", SAYS_NOTHING);
	set_ms = fake_now();
	until(set_ms + 200);
	assert_true(checks_since(set_ms) > 0);
	until(set_ms + MINUTE);
	expect_never_above(10);
	expect_journal("timer", "\"clock_set\":true");
	expect_journal("warning", "the clock of this machine was set");
	metrics_of("", SAYS_VALUE);
	until_the_end();
	expect_exit(0);
}

/* It is asked anew, and what was asked before is answered while that becomes
 * durable. */
static void an_answer_from_before_a_clock_was_set_is_not_taken(void **state)
{
	int64_t from_ms;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		scenario_close();
		scenario_open(seed);
		given_policy(policy_short, NULL);
		run();
		until_step(0);
		until(fake_now() + 6 * SECOND); /* it settled */
		fake_worker_slow(200);
		fake_metrics_slow(50);
		from_ms = fake_now();
		while (checks_since(from_ms + 1) == 0)
			until(fake_now() + 1);
		errors_of(FAKE_NEW, 0.5); /* as the next one is told */
		fake_loop_set_clock(MINUTE);
		expect_reverted_by(fake_now() + 3 * SECOND);
		until_the_end();
		expect_exit(5);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(
			after_a_standstill_the_first_thing_is_a_check_not_a_shift),
		SCENARIO(time_that_was_slept_is_no_bake),
		SCENARIO(
			who_resumes_writes_nothing_upwards_before_it_has_checked),
		SCENARIO(an_approval_that_comes_after_its_time_does_not_count),
		SCENARIO(queries_ask_about_the_present_of_a_clock_that_was_set),
		SCENARIO(
			a_clock_that_is_set_is_a_gap_before_which_nothing_counts),
		SCENARIO(an_answer_from_before_a_clock_was_set_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
