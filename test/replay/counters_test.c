/* SPDX-License-Identifier: Apache-2.0 */
/* What SLOs of kind evidence do to a rollout, from raw counters on. */
#include <stdio.h>
#include <string.h>

#include "fake_counters.h"
#include "fake_monitoring.h"
#include "scenario_test.h"

#define CHECK (15 * SECOND)

static const char steps[] = "steps:\n"
			    "  - {percent: 10, bake: 20m}\n"
			    "  - {percent: 100, bake: 20m}\n"
			    "settle: 5s\n";

/* 0.1 % of errors in both. */
static void begin(const char *pace)
{
	given_policy(steps, slo_counted, pace, NULL);
	fake_counters_open(500);
	run();
}

static void expect_promoted(void)
{
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void expect_reverted(void)
{
	until_the_end();
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
}

static void a_good_release_is_promoted_before_its_bakes_are_over(void **state)
{
	(void)state;
	begin("pace: evidence\n");
	expect_promoted();
	promise(fake_now() < 20 * MINUTE, "it took %lld s",
		(long long)fake_now() / 1000);
}

static void a_bad_release_is_taken_back_within_three_checks(void **state)
{
	int64_t bad_ms;

	(void)state;
	begin("pace: evidence\n");
	until_step(0);
	until(fake_now() + 30 * SECOND);
	fake_counters_errors(FAKE_NEW, 0.1);
	bad_ms = fake_now();
	expect_reverted_by(bad_ms + 3 * CHECK + SECOND);
	expect_reverted();
	expect_reason("errors: candidate");
}

/* An hour of stable's requests. */
static void the_past_of_stable_is_looked_at_before(void **state)
{
	(void)state;
	begin("");
	until_step(0);
	expect_journal("preflight", "\"history\":[{\"slo\":\"errors\","
				    "\"seconds\":3600,\"requests\":18");
}

/* 18 bad requests in an hour say little about how they come: a day of them. */
static void with_few_bad_requests_the_past_is_a_day(void **state)
{
	(void)state;
	given_policy(steps, slo_counted, NULL);
	fake_counters_open(5);
	run();
	until_step(0);
	expect_journal("preflight", "\"seconds\":86400,\"requests\":43");
}

static void without_a_past_it_begins_all_the_same(void **state)
{
	(void)state;
	given_policy(steps, slo_counted, NULL);
	fake_counters_open(500);
	fake_counters_hide(FAKE_STABLE, true);
	run();
	until_step(0);
	expect_journal("preflight", "no history: slower");
}

static void what_is_no_counter_is_refused(void **state)
{
	(void)state;
	given_policy(steps, slo_counted, NULL);
	fake_metrics_say("code=", SAYS_VALUE, 3);
	run();
	until_the_end();
	expect_exit(4);
	expect_journal("preflight", "without sum()");
}

static void a_process_that_dies_in_between_changes_nothing(void **state)
{
	(void)state;
	begin("pace: evidence\n");
	until_step(0);
	until(fake_now() + 40 * SECOND);
	crash();
	until(fake_now() + 20 * SECOND);
	resume();
	until(fake_now() + MINUTE);
	fake_counters_errors(FAKE_NEW, 0.1);
	expect_reverted_by(fake_now() + 3 * CHECK + SECOND);
	expect_reverted();
}

/* Counted anew from zero, each of them twice: nothing is bad by that. */
static void restarts_of_instances_take_nothing_back(void **state)
{
	(void)state;
	begin("pace: evidence\n");
	until_step(0);
	for (int i = 0; i < 4; i++) {
		until(fake_now() + 20 * SECOND);
		fake_counters_restart(i % 2 ? FAKE_NEW : FAKE_STABLE);
	}
	expect_promoted();
}

static void an_instance_that_is_gone_is_no_trouble(void **state)
{
	(void)state;
	begin("pace: evidence\n");
	until_step(0);
	until(fake_now() + 40 * SECOND);
	fake_counters_stop_one(FAKE_STABLE);
	until(fake_now() + 40 * SECOND);
	fake_counters_stop_one(FAKE_NEW);
	expect_promoted();
}

/* Nothing is known of the candidate, which is not that nothing happened. */
static void a_candidate_without_samples_is_not_taken_for_idle(void **state)
{
	(void)state;
	begin("pace: evidence\n");
	until_step(0);
	until(fake_now() + 30 * SECOND);
	fake_counters_hide(FAKE_NEW, true);
	until(fake_now() + 40 * SECOND);
	expect_journal("check", "\"counts\":{\"candidate\":null,\"stable\":[");
	expect_journal("check", "\"outcome\":\"no-data\"");
	fake_counters_hide(FAKE_NEW, false);
	expect_promoted();
}

/* All that happened while the metrics were away is counted when they are back:
 * the candidate was bad for 30 s of it. */
static void an_outage_of_the_metrics_loses_nothing(void **state)
{
	(void)state;
	begin("pace: evidence\n");
	until_step(0);
	until(fake_now() + 30 * SECOND);
	fake_counters_errors(FAKE_NEW, 0.1);
	fake_counters_away(true);
	until(fake_now() + 30 * SECOND);
	promise(fake_run_wants(FAKE_NEW) == 10, "it was taken back blindly");
	expect_journal("check", "\"outcome\":\"error\"");
	fake_counters_errors(FAKE_NEW, 0.001);
	fake_counters_away(false);
	until(fake_now() + CHECK);
	expect_journal("check", ",150],\"stable\":[");
}

/* What happened in a gap is not known to be one check's. */
static void the_first_look_after_a_gap_counts_nothing(void **state)
{
	(void)state;
	begin("");
	until_step(0);
	until(fake_now() + 40 * SECOND);
	the_machine_sleeps(5 * MINUTE);
	until(fake_now() + 5 * MINUTE + 2 * SECOND);
	expect_journal(
		"check", "\"counts\":{\"candidate\":[0,0],\"stable\":[0,0]}");
	expect_promoted();
}

/* ---- Cloud Monitoring: growth by the minute, four minutes late ---- */

static void begin_google(void)
{
	given_policy("steps:\n"
		     "  - {percent: 10, bake: 30m}\n"
		     "  - {percent: 100, bake: 20m}\n"
		     "pace: evidence\n"
		     "evidence: {history: 1h}\n",
		"metrics: {provider: google}\n",
		"slos: [{use: cloud-run/error-rate, kind: evidence}]\n", NULL);
	fake_monitoring_open(500);
	run();
}

static void a_good_release_is_promoted_on_what_google_counts(void **state)
{
	(void)state;
	begin_google();
	expect_promoted();
	/* Of stable's past, and of the candidate's tenth of a minute. */
	expect_journal("preflight", "\"history\":[{\"slo\":\"error-rate\","
				    "\"seconds\":3600,\"requests\":18");
	expect_journal("check", "\"counts\":{\"candidate\":[2997,3]");
}

static void a_bad_release_is_taken_back_on_what_google_counts(void **state)
{
	int64_t bad_ms;

	(void)state;
	begin_google();
	until_step(0);
	fake_monitoring_errors(FAKE_NEW, 0.01);
	bad_ms = fake_now();
	expect_reverted_by(bad_ms + 7 * MINUTE);
	expect_reverted();
	expect_reason("error-rate: candidate ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(a_good_release_is_promoted_before_its_bakes_are_over),
		SCENARIO(a_bad_release_is_taken_back_within_three_checks),
		SCENARIO(the_past_of_stable_is_looked_at_before),
		SCENARIO(with_few_bad_requests_the_past_is_a_day),
		SCENARIO(without_a_past_it_begins_all_the_same),
		SCENARIO(what_is_no_counter_is_refused),
		SCENARIO(a_process_that_dies_in_between_changes_nothing),
		SCENARIO(restarts_of_instances_take_nothing_back),
		SCENARIO(an_instance_that_is_gone_is_no_trouble),
		SCENARIO(a_candidate_without_samples_is_not_taken_for_idle),
		SCENARIO(an_outage_of_the_metrics_loses_nothing),
		SCENARIO(the_first_look_after_a_gap_counts_nothing),
		SCENARIO(a_good_release_is_promoted_on_what_google_counts),
		SCENARIO(a_bad_release_is_taken_back_on_what_google_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
