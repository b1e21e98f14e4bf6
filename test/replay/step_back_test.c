/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence that has nothing to compare with goes back to the first step, where
 * stable can be asked. Its users are in as much of a hurry as those of a revert,
 * and whoever paused the rollout has it paused there.
 */
#include <string.h>

#include "fake_counters.h"
#include "scenario_test.h"

static const char steps[] = "steps:\n"
			    "  - {percent: 10, bake: 5m}\n"
			    "  - {percent: 100, bake: 1h}\n"
			    "settle: 5s\n";

static const char other_slo[] =
	"  - {name: other, query: 'other{r=\"{{candidate}}\"}', max: 1%,\n"
	"     window: 20s, interval: 10s, min_passes: 1, fail_after: 2}\n";

static void at_a_hundred(const char *more)
{
	given_policy(steps, slo_counted, other_slo, more, NULL);
	fake_counters_open(500);
	run();
	until_step(1);
	until(fake_now() + 2 * MINUTE);
}

/* The candidate is bad until that is noticed. */
static void until_crossed(void)
{
	fake_counters_errors(FAKE_NEW, 0.1);
	while (!fake_store_count("breach", NULL))
		until(fake_now() + 10);
	fake_counters_errors(FAKE_NEW, 0.001);
}

/* What is known at `ms` is acted on within two seconds. */
static void expect_down_since(int64_t ms)
{
	while (fake_run_wants(FAKE_NEW) > 10 && fake_now() < ms + HOUR)
		until(fake_now() + 10);
	assert_in_range(fake_now() - ms, 0, 2 * SECOND);
}

static void it_leaves_a_hold_for_metrics_that_are_away(void **state)
{
	at_a_hundred("");
	fake_metrics_say("other", SAYS_503, 0);
	until_phase(PHASE_HELD);
	until_crossed();
	expect_down_since(fake_now());
}

static void it_leaves_a_hold_in_which_somebody_paused(void **state)
{
	at_a_hundred("");
	fake_metrics_say("other", SAYS_503, 0);
	until_phase(PHASE_HELD);
	command("pause", "bob");
	until(fake_now() + SECOND);
	until_crossed();
	expect_down_since(fake_now());
	fake_metrics_say("other", SAYS_VALUE, 0);
	until(fake_now() + 20 * MINUTE);
	expect_serving(FAKE_NEW, 10); /* paused, there */
}

static void a_pause_outlasts_it(void **state)
{
	at_a_hundred("");
	command("pause", "bob");
	until_phase(PHASE_PAUSED);
	until(fake_now() + MINUTE);
	until_crossed();
	expect_down_since(fake_now());
	until(fake_now() + 20 * MINUTE);
	expect_serving(FAKE_NEW, 10);
	assert_string_equal(fake_store_phase(fake_store_newest()), "paused");
	command("continue", "bob");
	until(fake_now() + 20 * MINUTE);
	expect_serving(FAKE_NEW, 100);
}

static void it_is_a_revert_when_the_service_cannot_be_read(void **state)
{
	at_a_hundred("");
	reads_hang();
	until_crossed();
	expect_down_since(fake_now());
	assert_int_equal(fake_run_wants(FAKE_NEW), 0);
}

/* The second in which a revert reads has passed when it becomes one. */
static void it_is_a_revert_a_second_later_when_reads_are_refused(void **state)
{
	int64_t ms;

	at_a_hundred("");
	fake_run_fault("{'kind': 'reset', 'method': 'GET', 'for': '24h'}");
	until_crossed();
	ms = fake_now();
	expect_down_since(ms);
	assert_in_range(fake_now() - ms, SECOND - 100, SECOND + 300);
	assert_int_equal(fake_run_wants(FAKE_NEW), 0);
}

static void it_is_a_revert_when_its_write_hangs(void **state)
{
	int64_t ms;

	at_a_hundred("");
	fake_run_fault("{'kind': 'hang', 'method': 'PATCH', 'times': 1}");
	until_crossed();
	ms = fake_now();
	while (fake_run_wants(FAKE_NEW) > 0 && fake_now() < ms + HOUR)
		until(fake_now() + 10);
	assert_in_range(fake_now() - ms, 2 * SECOND, 5 * SECOND);
}

/* Nobody has read yet what our own write made of the list of somebody else, by
 * which the candidate has no users any more and the way down looks like one up. */
static void it_leaves_while_a_list_of_others_is_set_back(void **state)
{
	int writes;
	int64_t ms;

	at_a_hundred("on_drift: reassert\n");
	writes = fake_run.patches;
	fake_run_fault(
		"{'kind': 'operation-stuck', 'method': 'PATCH', 'times': 1}");
	fake_run_foreign_failing("shop-1=100");
	while (fake_run.patches == writes)
		until(fake_now() + 10);
	reads_hang();
	until_crossed();
	ms = fake_now();
	until_phase(PHASE_REVERTING);
	assert_in_range(fake_now() - ms, 0, 2 * SECOND);
	fake_run_heal();
	until_the_end();
	expect_serving(FAKE_STABLE, 100);
}

static void nobody_is_asked_to_approve_a_way_down(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 5m,\n"
		     "     approval: {approvers: [bob]}}\n"
		     "  - {percent: 100, bake: 1h}\n"
		     "settle: 5s\n",
		slo_counted, NULL);
	fake_counters_open(500);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_step(1);
	until(fake_now() + 2 * MINUTE);
	until_crossed();
	expect_down_since(fake_now());
	until(fake_now() + MINUTE);
	expect_serving(FAKE_NEW, 10);
}

/* Its write was taken at once: an operation may last. */
static void it_waits_for_an_operation_that_takes_its_time(void **state)
{
	at_a_hundred("");
	fake_run_option("operationDelay=8s");
	until_crossed();
	expect_down_since(fake_now());
	until(fake_now() + MINUTE);
	expect_serving(FAKE_NEW, 10);
}

/* It is held where it is, and says nothing of a way that it does not go. */
static void a_hold_instead_promises_no_way_back(void **state)
{
	at_a_hundred("on_breach: hold\n");
	until_crossed();
	until_phase(PHASE_HELD);
	expect_serving(FAKE_NEW, 100);
	assert_null(strstr(
		fake_store_reason(fake_store_newest()), "to ask stable"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(it_leaves_a_hold_for_metrics_that_are_away),
		SCENARIO(it_leaves_a_hold_in_which_somebody_paused),
		SCENARIO(a_pause_outlasts_it),
		SCENARIO(it_is_a_revert_when_the_service_cannot_be_read),
		SCENARIO(it_is_a_revert_a_second_later_when_reads_are_refused),
		SCENARIO(it_is_a_revert_when_its_write_hangs),
		SCENARIO(it_leaves_while_a_list_of_others_is_set_back),
		SCENARIO(nobody_is_asked_to_approve_a_way_down),
		SCENARIO(it_waits_for_an_operation_that_takes_its_time),
		SCENARIO(a_hold_instead_promises_no_way_back),
	};

	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
