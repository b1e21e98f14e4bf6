/* SPDX-License-Identifier: Apache-2.0 */
/* Freezes: no step goes forward then, whatever else happens; all else does. The
 * clock begins on Thursday, 2026-01-01, at 00:00 UTC. */
#include "books.h"
#include "scenario_test.h"

#include <stdio.h>
#include <string.h>

#define FREEZE(from, to)                                                  \
	"freeze:\n"                                                       \
	"  - {from: \"2026-01-01 " from "\", to: \"2026-01-01 " to "\", " \
	"zone: UTC}\n"

static const char two_steps[] = STEPS("2m", "5s");
static const char with_gate[] =
	"steps:\n"
	"  - {percent: 10, bake: 2m}\n"
	"  - {percent: 100, bake: 2m, approval:\n"
	"     {approvers: [bob], minimum: 1, timeout: 1h}}\n"
	"settle: 5s\n";

static void expect_still(int percent, int64_t at_ms)
{
	until(at_ms);
	expect_serving(FAKE_NEW, percent);
	expect_never_above(percent);
}

static void a_step_that_has_passed_waits_for_the_end_of_a_freeze(void **state)
{
	int checks;

	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	expect_still(10, HOUR);
	assert_int_equal(phase_now(), PHASE_BAKING);
	expect_journal("warning", "a freeze lasts until 2026-01-01T06:00");
	checks = seen()->n_checks;
	expect_still(10, 6 * HOUR - SECOND);
	assert_true(seen()->n_checks > checks + 1000); /* it is watched */
	until(6 * HOUR + 10 * SECOND);
	expect_serving(FAKE_NEW, 100);
	until_the_end();
	expect_exit(0);
}

static void a_breach_in_a_freeze_reverts_at_once(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	until(2 * HOUR);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(2 * HOUR + 25 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void nothing_is_started_in_a_freeze(void **state)
{
	given_policy(two_steps, FREEZE("00:00", "03:00"), slo_errors, NULL);
	run();
	expect_still(0, 3 * HOUR - SECOND);
	assert_int_equal(phase_now(), PHASE_PREFLIGHT);
	until(3 * HOUR + 10 * SECOND);
	expect_serving(FAKE_NEW, 10);
	until_the_end();
	expect_exit(0);
}

static void a_person_goes_on_in_spite_of_it_and_says_why(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	until(HOUR);
	fake_store_command("continue", "bob", "", -1);
	until(HOUR + SECOND);
	assert_int_equal(fake_store_refused(), 1);
	promise(strstr(fake_store_last_answer(), "comment") != NULL, "%s",
		fake_store_last_answer());
	expect_serving(FAKE_NEW, 10);
	command("continue", "bob");
	until(HOUR + 5 * SECOND);
	expect_serving(FAKE_NEW, 100);
	expect_journal("warning", "overruled by bob: as agreed");
	until_the_end();
	expect_exit(0);
}

static void a_freeze_that_has_not_begun_cannot_be_overruled(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	until(30 * SECOND);
	command("continue", "bob"); /* it is not frozen yet */
	until(HOUR);
	assert_int_equal(fake_store_refused(), 1);
	expect_serving(FAKE_NEW, 10);
	command("abort", "bob");
	until_the_end();
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
}

static void a_gate_is_not_missed_in_a_freeze(void **state)
{
	given_policy(with_gate, FREEZE("00:03", "06:00"), slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	assert_true(fake_now() < 3 * MINUTE);
	until(4 * HOUR);
	approve("bob");
	expect_still(10, 6 * HOUR - SECOND);
	assert_int_equal(phase_now(), PHASE_AWAITING_APPROVAL);
	/* What was agreed hours ago is not agreed now. */
	until(6 * HOUR + MINUTE);
	assert_int_equal(phase_now(), PHASE_AWAITING_APPROVAL);
	expect_serving(FAKE_NEW, 10);
	approve("bob");
	until(6 * HOUR + 2 * MINUTE);
	expect_serving(FAKE_NEW, 100);
	until_the_end();
	expect_exit(0);
}

static void traffic_is_set_back_in_a_freeze(void **state)
{
	given_policy(with_gate, FREEZE("00:03", "06:00"), slo_errors,
		"on_drift: reassert\n", NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	until(HOUR);
	fake_run_foreign("shop-1=95 shop-2=5");
	until(HOUR + MINUTE);
	assert_int_equal(phase_now(), PHASE_AWAITING_APPROVAL);
	expect_serving(FAKE_NEW, 10);
}

static void a_gate_opens_when_the_freeze_is_over(void **state)
{
	given_policy(with_gate, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	expect_still(10, 6 * HOUR - SECOND);
	assert_int_equal(phase_now(), PHASE_BAKING);
	until(6 * HOUR + SECOND);
	assert_int_equal(phase_now(), PHASE_AWAITING_APPROVAL);
}

static void a_freeze_outlives_the_process(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	until(HOUR);
	crash();
	resume();
	expect_still(10, 5 * HOUR);
	crash();
	resume();
	until(6 * HOUR + MINUTE);
	expect_serving(FAKE_NEW, 100);
	until_the_end();
	expect_exit(0);
}

static void a_shift_that_was_not_written_before_it_waits(void **state)
{
	given_policy(two_steps, FREEZE("00:03", "06:00"), slo_errors, NULL);
	run();
	until(2 * MINUTE);
	reads_hang();
	until(3 * MINUTE + 20 * SECOND);
	assert_int_equal(phase_now(), PHASE_SHIFTING);
	the_world_heals();
	expect_still(10, 6 * HOUR - SECOND);
	until_the_end();
	expect_exit(0);
}

/* The step is decided, and its entry is durable, but the write has not left. */
static void until_decided_and_not_sent(int percent)
{
	char value[32];

	snprintf(value, sizeof(value), "\"value\":%d,", percent);
	fake_worker_slow(200);
	while (!fake_store_count("shift", value))
		until(fake_now() + 1);
	fake_worker_slow(0);
	promise(fake_run_wants(FAKE_NEW) < percent, "it was sent already");
}

static void a_write_that_died_before_it_left_waits(void **state)
{
	given_policy(two_steps, FREEZE("00:03", "06:00"), slo_errors, NULL);
	run();
	until_decided_and_not_sent(100);
	crash();
	until(3 * MINUTE + SECOND);
	resume();
	expect_still(10, 6 * HOUR - SECOND);
	assert_int_equal(phase_now(), PHASE_SHIFTING);
	until(6 * HOUR + MINUTE);
	expect_serving(FAKE_NEW, 100);
	until_the_end();
	expect_exit(0);
}

static void a_write_that_got_nowhere_waits(void **state)
{
	int gets;

	given_policy(STEPS("170s", "5s"), FREEZE("00:03", "06:00"), slo_errors,
		NULL);
	run();
	until(2 * MINUTE);
	fake_run_fault("{'kind': 'hang', 'method': 'PATCH', 'times': 1}");
	until(3 * MINUTE + SECOND);
	assert_true(write_is_decided()); /* and it hangs */
	expect_still(10, HOUR);
	assert_int_equal(phase_now(), PHASE_SHIFTING);
	gets = fake_run.gets;
	expect_still(10, HOUR + 10 * MINUTE);
	assert_true(fake_run.gets <= gets + 61); /* as often as it is checked */
	until(6 * HOUR + MINUTE);
	expect_serving(FAKE_NEW, 100);
	until_the_end();
	expect_exit(0);
}

/* What may have got there is a step that has begun. */
static void a_write_that_got_there_unheard_goes_on_in_a_freeze(void **state)
{
	given_policy(two_steps, FREEZE("00:03", "06:00"), slo_errors, NULL);
	run();
	until_decided_and_not_sent(100);
	while (fake_run_wants(FAKE_NEW) < 100)
		until(fake_now() + 1);
	crash();
	until(3 * MINUTE + SECOND);
	resume();
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 10 * MINUTE);
}

/* Whoever asked for it: the process that died may have. */
static void a_step_that_is_asked_for_already_goes_on_in_a_freeze(void **state)
{
	given_policy(two_steps, FREEZE("00:03", "06:00"), slo_errors, NULL);
	books_open();
	run();
	until_decided_and_not_sent(100);
	crash();
	until(3 * MINUTE + SECOND);
	resume();
	expect_still(10, 3 * MINUTE + 15 * SECOND);
	fake_run_foreign_failing("shop-2=100");
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 10 * MINUTE);
}

static void hooks_of_a_step_run_before_it_waits(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors,
		"hooks:\n"
		"  step_passed:\n"
		"    - {name: one, type: exec, command: [act, one]}\n"
		"    - {name: two, type: exec, command: [act, two]}\n",
		NULL);
	run();
	expect_still(10, HOUR);
	expect_journal("action", "\"name\":\"one\"");
	expect_journal("action", "\"name\":\"two\"");
	until(6 * HOUR + 10 * SECOND);
	expect_serving(FAKE_NEW, 100);
	until_the_end();
	expect_exit(0);
}

static void an_overruled_freeze_stays_so_for_the_next_process(void **state)
{
	given_policy(two_steps, FREEZE("00:00", "06:00"), slo_errors, NULL);
	run();
	until(MINUTE);
	command("continue", "bob");
	until(2 * MINUTE);
	expect_serving(FAKE_NEW, 10);
	crash();
	resume();
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < HOUR);
}

static void silence_in_a_freeze_reverts_nothing(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	until(HOUR);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	expect_still(10, 5 * HOUR);
	assert_int_equal(phase_now(), PHASE_BAKING);
	the_world_heals();
	until_the_end();
	expect_exit(0);
}

static void a_finish_is_not_kept_waiting(void **state)
{
	given_policy(two_steps, FREEZE("00:03", "06:00"), slo_errors, NULL);
	run();
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 10 * MINUTE);
}

static void a_pause_is_taken_back_before_a_freeze_is(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	run();
	until(HOUR);
	command("pause", "bob");
	until(HOUR + SECOND);
	assert_int_equal(phase_now(), PHASE_PAUSED);
	command("continue", "bob");
	expect_still(10, 2 * HOUR);
	assert_int_equal(phase_now(), PHASE_BAKING);
	expect_not_journaled("warning", "overruled");
}

static void a_clock_that_is_set_within_a_freeze_misses_no_gate(void **state)
{
	given_policy(with_gate, FREEZE("00:01", "01:00"), slo_errors, NULL);
	books_open();
	run();
	expect_still(10, 20 * MINUTE);
	fake_loop_set_clock(10 * MINUTE);
	expect_still(10, 30 * MINUTE);
	fake_loop_set_clock(-20 * MINUTE);
	expect_still(10, 40 * MINUTE);
	fake_loop_set_clock(10 * MINUTE);
	expect_still(10, HOUR + 50 * MINUTE);
	assert_int_equal(phase_now(), PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_the_end();
	expect_exit(0);
}

/* The freeze is over by it. */
static void who_takes_it_up_goes_by_the_clock_as_it_is(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "01:00"), slo_errors, NULL);
	books_open();
	run();
	expect_still(10, 10 * MINUTE);
	fake_loop_set_clock(HOUR);
	until(fake_now() + MINUTE);
	crash();
	resume();
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 20 * MINUTE);
}

/* Ten hours slow when it began, so that the freeze is not known of. */
static void a_freeze_is_kept_as_soon_as_a_wrong_clock_is_set_right(void **state)
{
	given_policy(two_steps, FREEZE("09:00", "12:00"), slo_errors, NULL);
	books_open();
	run();
	until(MINUTE);
	fake_loop_set_clock(10 * HOUR);
	expect_still(10, HOUR);
	assert_int_equal(phase_now(), PHASE_BAKING);
	expect_journal("warning", "a freeze lasts until 2026-01-01T12:00");
	expect_still(10, 2 * HOUR - SECOND);
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 2 * HOUR + 5 * MINUTE);
}

/* And one that it was in by a wrong clock alone ends. */
static void a_freeze_of_a_wrong_clock_ends_with_it(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	books_open();
	run();
	expect_still(10, 10 * MINUTE);
	fake_loop_set_clock(20 * HOUR);
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 15 * MINUTE);
}

/* The rollout's time does not go back; the freeze is where the clock says. */
static void who_takes_it_up_by_a_clock_that_went_back_freezes_by_it(
	void **state)
{
	given_policy(two_steps, FREEZE("01:00", "03:00"), slo_errors, NULL);
	books_open();
	fake_loop_set_clock(10 * HOUR);
	run();
	until(MINUTE);
	crash();
	fake_loop_set_clock(-9 * HOUR);
	resume();
	expect_still(10, HOUR);
	expect_journal("warning", "a freeze lasts until 2026-01-01T03:00");
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() > 2 * HOUR - MINUTE);
	assert_true(fake_now() < 2 * HOUR + 5 * MINUTE);
}

static void what_a_person_overruled_stays_so_when_the_clock_is_set(void **state)
{
	given_policy(two_steps, FREEZE("00:01", "06:00"), slo_errors, NULL);
	books_open();
	run();
	expect_still(10, 10 * MINUTE);
	command("continue", "bob");
	fake_loop_set_clock(-5 * MINUTE);
	until_the_end();
	expect_exit(0);
	assert_true(fake_now() < 20 * MINUTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_step_that_has_passed_waits_for_the_end_of_a_freeze),
		SCENARIO(a_breach_in_a_freeze_reverts_at_once),
		SCENARIO(nothing_is_started_in_a_freeze),
		SCENARIO(a_person_goes_on_in_spite_of_it_and_says_why),
		SCENARIO(a_freeze_that_has_not_begun_cannot_be_overruled),
		SCENARIO(a_gate_is_not_missed_in_a_freeze),
		SCENARIO(traffic_is_set_back_in_a_freeze),
		SCENARIO(a_gate_opens_when_the_freeze_is_over),
		SCENARIO(a_freeze_outlives_the_process),
		SCENARIO(a_shift_that_was_not_written_before_it_waits),
		SCENARIO(a_write_that_died_before_it_left_waits),
		SCENARIO(a_write_that_got_nowhere_waits),
		SCENARIO(a_write_that_got_there_unheard_goes_on_in_a_freeze),
		SCENARIO(a_step_that_is_asked_for_already_goes_on_in_a_freeze),
		SCENARIO(hooks_of_a_step_run_before_it_waits),
		SCENARIO(an_overruled_freeze_stays_so_for_the_next_process),
		SCENARIO(silence_in_a_freeze_reverts_nothing),
		SCENARIO(a_finish_is_not_kept_waiting),
		SCENARIO(a_pause_is_taken_back_before_a_freeze_is),
		SCENARIO(a_clock_that_is_set_within_a_freeze_misses_no_gate),
		SCENARIO(who_takes_it_up_goes_by_the_clock_as_it_is),
		SCENARIO(
			a_freeze_is_kept_as_soon_as_a_wrong_clock_is_set_right),
		SCENARIO(a_freeze_of_a_wrong_clock_ends_with_it),
		SCENARIO(
			who_takes_it_up_by_a_clock_that_went_back_freezes_by_it),
		SCENARIO(
			what_a_person_overruled_stays_so_when_the_clock_is_set),
	};

	return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
