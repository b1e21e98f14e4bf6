/* SPDX-License-Identifier: Apache-2.0 */
/* What SLOs do to a rollout. */
#include "scenario_test.h"

static void expect_reverted(int status)
{
	until_the_end();
	expect_exit(status);
	expect_serving(FAKE_STABLE, 100);
	expect_serving(FAKE_NEW, 0);
}

static void an_error_rate_that_is_too_high_takes_the_traffic_back(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted(5);
	expect_journal("breach", "\"slo\":\"errors\",\"value\":0.5,"
				 "\"limit\":0.01");
	expect_reason("errors");
}

static void one_check_above_critical_reverts_at_once(void **state)
{
	given_policy(policy_watch,
		SLO("max: 0, critical: 0.5, fail_after: 5, min_passes: 1"),
		NULL);
	run();
	until_step(0);
	until(fake_now() + 30 * SECOND);
	errors_of(FAKE_NEW, 0.6);
	expect_reverted(5);
	assert_int_equal(
		fake_store_count("check", "\"outcome\":\"breach\""), 1);
}

static void fewer_breaches_than_fail_after_revert_nothing(void **state)
{
	given_policy("steps:\n"
		     "  - {percent: 20, bake: 90s}\n"
		     "  - {percent: 100, bake: 20s}\n"
		     "settle: 5s\n",
		SLO("max: 0, fail_after: {breaches: 3, of: 5}, min_passes: 1"),
		NULL);
	run();
	until_step(0);
	until(fake_now() + 12 * SECOND);
	errors_of(FAKE_NEW, 1);
	until(fake_now() + 20 * SECOND);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
	assert_int_equal(
		fake_store_count("check", "\"outcome\":\"breach\""), 2);
}

static void a_breach_is_only_observed_when_the_policy_says_so(void **state)
{
	given_policy(policy_long, slo_errors, "on_breach: observe\n", NULL);
	errors_of(FAKE_NEW, 0.5);
	run();
	until_step(0);
	until(fake_now() + 35 * SECOND);
	expect_journal("would-have-reverted", "errors");
	expect_serving(FAKE_NEW, 10);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
	expect_not_journaled("phase", "reverting");
}

static void a_breach_holds_when_the_policy_says_so_and_the_hold_runs_out(
	void **state)
{
	int64_t held_ms;

	given_policy(policy_watch, slo_errors,
		"on_breach: hold\nhold_timeout: 2m\n", NULL);
	run();
	until_step(0);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_HELD);
	held_ms = fake_now();
	expect_reverted(5);
	assert_true(fake_now() >= held_ms + 2 * MINUTE);
	expect_reason("nobody resolved the hold");
}

static void a_step_is_not_left_without_evidence_and_goes_on_when_it_is_there(
	void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	run();
	until_phase(PHASE_HELD);
	expect_journal("check", "\"outcome\":\"no-data\"");
	until(fake_now() + 5 * MINUTE);
	expect_serving(FAKE_NEW, 10);
	assert_int_equal(phase_now(), PHASE_HELD);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_run_tells_of_an_slo_that_cannot_tell_the_revisions_apart(
	void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	errors_of(FAKE_STABLE, 0.004);
	errors_of(FAKE_NEW, 0.004);
	run();
	until_step(0);
	expect_journal("warning", "the query judges all revisions");
	expect_journal("warning", "scope: service");
	until_the_end();
	expect_exit(0);
	assert_int_equal(fake_store_count("warning", NULL), 1);
}

static void arms_that_differ_are_nothing_to_tell(void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	errors_of(FAKE_STABLE, 0.004);
	errors_of(FAKE_NEW, 0.003);
	run();
	until_the_end();
	expect_exit(0);
	expect_not_journaled("warning", NULL);
}

static void a_query_that_is_wrong_for_the_candidate_refuses(void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	metrics_of(FAKE_NEW, SAYS_BAD_QUERY);
	run();
	until_the_end();
	expect_exit(4);
	expect_never_above(0);
}

/* Some answer so as long as nobody uses it. */
static void metrics_that_do_not_know_the_candidate_yet_refuse_nothing(
	void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	metrics_of(FAKE_NEW, SAYS_GARBAGE);
	run();
	until_step(0);
	expect_journal("warning", "the answer for stable is fine");
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
}

static void a_hold_without_evidence_becomes_a_rollback_when_it_runs_out(
	void **state)
{
	given_policy(policy_long, slo_errors, "hold_timeout: 2m\n", NULL);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	run();
	until_phase(PHASE_HELD);
	expect_reverted(5);
}

static void no_evidence_is_a_rollback_at_once_when_the_policy_says_so(
	void **state)
{
	given_policy(policy_long, slo_errors, "on_undecided: rollback\n", NULL);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	run();
	expect_reverted(5);
	expect_not_journaled("phase", "\"to\":\"held\"");
}

#define NO_DATA_PASSES \
	SLO("max: 1%, min_passes: 3, no_data: pass, fail_after: 1")

static void an_incomplete_answer_is_no_evidence(void **state)
{
	given_policy(policy_long, NO_DATA_PASSES, "hold_timeout: 2m\n", NULL);
	metrics_of(FAKE_NEW, SAYS_PARTIAL);
	run();
	expect_reverted(5);
	expect_not_journaled("check", "\"outcome\":\"pass\"");
	expect_journal("check", "no data: the answer is incomplete");
	expect_journal("check", "store a is away");
	expect_journal("check", "\"partial\":[\"value\"]");
}

static void an_incomplete_answer_is_evidence_where_it_is_accepted(void **state)
{
	given_policy(policy_long, NO_DATA_PASSES,
		"metrics: {url: \"" FAKE_METRICS_ORIGIN
		"\", partial: accept}\n",
		NULL);
	metrics_of(FAKE_NEW, SAYS_PARTIAL);
	run();
	until_the_end();
	expect_exit(0);
	expect_journal("check", "\"partial\":[\"value\"]");
}

static void too_few_requests_are_no_evidence(void **state)
{
	given_policy(policy_long,
		SLO("max: 0, fail_after: 1, min_passes: 1,\n"
		    "     requests: {query: 'requests', min: 10}"),
		"hold_timeout: 1m\n", NULL);
	fake_metrics_say("requests", SAYS_VALUE, 3);
	run();
	expect_reverted(5);
	expect_journal("check", "\"outcome\":\"no-data\"");
	expect_not_journaled("check", "\"outcome\":\"pass\"");
}

static void metrics_that_go_away_hold_the_rollout_until_they_are_back(
	void **state)
{
	given_policy(policy_gate, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	metrics_of(FAKE_NEW, HANGS);
	until_phase(PHASE_HELD);
	expect_journal("check", "\"outcome\":\"error\"");
	expect_serving(FAKE_NEW, 20);
	errors_of(FAKE_NEW, 0);
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_the_end();
	expect_exit(0);
	expect_not_journaled("phase", "reverting");
}

static void metrics_that_stay_away_revert_when_the_hold_runs_out(void **state)
{
	given_policy(policy_watch, slo_errors, "hold_timeout: 2m\n", NULL);
	run();
	until_step(0);
	metrics_of(FAKE_NEW, HANGS);
	expect_reverted(5);
}

static void a_breach_reverts_while_the_rollout_is_paused(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	command("pause", "bob");
	until_phase(PHASE_PAUSED);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted(5);
}

static void a_breach_reverts_while_a_gate_waits_for_people(void **state)
{
	given_policy(policy_gate, slo_errors, NULL);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted(5);
}

static void a_breach_while_baking_at_a_hundred_still_reverts(void **state)
{
	given_policy("steps: [{percent: 100, bake: 1h}]\nsettle: 5s\n",
		slo_errors, NULL);
	run();
	until_step(0);
	until(fake_now() + 30 * MINUTE);
	expect_serving(FAKE_NEW, 100);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted(5);
}

static void each_check_says_what_was_asked_and_what_it_decided(void **state)
{
	static const char *const members[] = {"\"step\":", "\"slo\":\"errors\"",
		"\"outcome\":", "\"query\":\"errors{r=", "\"value\":",
		"\"limit\":", "\"latency_ms\":"};
	int checks;

	run();
	until_the_end();
	checks = fake_store_count("check", NULL);
	assert_true(checks > 15);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
		assert_int_equal(fake_store_count("check", members[i]), checks);
}

/* Its first write comes to nothing, and is not repeated for some seconds. */
static void first_write_fails(void)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	given_policy(policy_long, slo_errors, "on_drift: reassert\n", NULL);
	fake_run_deploy("shop-3");
	fake_run_fault("{'kind': 'operation-error', 'method': 'PATCH', "
		       "'code': 13, 'times': 1}");
	run_with(&options);
	while (!fake_run.patches)
		until(fake_now() + 1);
}

static void what_is_known_against_it_keeps_it_from_its_first_users(void **state)
{
	errors_of(FAKE_NEW, 0.5);
	first_write_fails();
	until(fake_now() + 15 * SECOND);
	expect_journal("check", "\"outcome\":\"breach\"");
	expect_writes_at_most(1);
	until(fake_now() + 15 * SECOND);
	expect_writes_at_most(1);
	expect_reason("errors: the latest answer is breach");
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void users_that_others_gave_it_are_evidence_to_ask_for(void **state)
{
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	first_write_fails();
	until(fake_now() + SECOND);
	fake_run_foreign("shop-1=85 shop-2=5 shop-3=10");
	until(fake_now() + 15 * SECOND);
	expect_journal("drift", "set back");
	expect_writes_at_most(1);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void without_users_nothing_is_asked_for_before_the_first_step(
	void **state)
{
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	first_write_fails();
	until(fake_now() + 12 * SECOND);
	assert_int_equal(fake_run.patches, 2);
	errors_of(FAKE_NEW, 0);
	until_the_end();
	expect_exit(0);
}

#define SLO_COMPARED                                                 \
	"slos:\n"                                                    \
	"  - {name: errors, query: 'errors{r=\"{{revision}}\"}',\n"  \
	"     compare: stable, max_ratio: 2, no_baseline: skip,\n"   \
	"     max: 1%, critical: 10%, window: 20s, interval: 10s,\n" \
	"     min_passes: 2, fail_after: 2}\n"

static void a_critical_value_counts_though_the_baseline_is_in_trouble(
	void **state)
{
	int64_t from_ms;

	given_policy(policy_long, SLO_COMPARED, NULL);
	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	metrics_of(FAKE_STABLE, SAYS_503);
	errors_of(FAKE_NEW, 0.5);
	from_ms = fake_now();
	expect_reverted_by(from_ms + 30 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void a_critical_value_counts_though_the_baseline_is_partial(void **state)
{
	int64_t from_ms;

	given_policy(policy_long, SLO_COMPARED, NULL);
	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	metrics_of(FAKE_STABLE, SAYS_PARTIAL);
	errors_of(FAKE_NEW, 0.5);
	from_ms = fake_now();
	expect_reverted_by(from_ms + 30 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void a_baseline_that_is_not_looked_at_is_no_trouble(void **state)
{
	given_policy(policy_long, SLO_COMPARED, NULL);
	run();
	until_step(2);
	until(fake_now() + 35 * SECOND);
	metrics_of(FAKE_STABLE, SAYS_503);
	until_the_end();
	expect_exit(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(an_error_rate_that_is_too_high_takes_the_traffic_back),
		SCENARIO(one_check_above_critical_reverts_at_once),
		SCENARIO(fewer_breaches_than_fail_after_revert_nothing),
		SCENARIO(a_breach_is_only_observed_when_the_policy_says_so),
		SCENARIO(
			a_breach_holds_when_the_policy_says_so_and_the_hold_runs_out),
		SCENARIO(
			a_step_is_not_left_without_evidence_and_goes_on_when_it_is_there),
		SCENARIO(
			a_run_tells_of_an_slo_that_cannot_tell_the_revisions_apart),
		SCENARIO(arms_that_differ_are_nothing_to_tell),
		SCENARIO(a_query_that_is_wrong_for_the_candidate_refuses),
		SCENARIO(
			metrics_that_do_not_know_the_candidate_yet_refuse_nothing),
		SCENARIO(
			a_hold_without_evidence_becomes_a_rollback_when_it_runs_out),
		SCENARIO(
			no_evidence_is_a_rollback_at_once_when_the_policy_says_so),
		SCENARIO(an_incomplete_answer_is_no_evidence),
		SCENARIO(an_incomplete_answer_is_evidence_where_it_is_accepted),
		SCENARIO(too_few_requests_are_no_evidence),
		SCENARIO(
			metrics_that_go_away_hold_the_rollout_until_they_are_back),
		SCENARIO(metrics_that_stay_away_revert_when_the_hold_runs_out),
		SCENARIO(a_breach_reverts_while_the_rollout_is_paused),
		SCENARIO(a_breach_reverts_while_a_gate_waits_for_people),
		SCENARIO(a_breach_while_baking_at_a_hundred_still_reverts),
		SCENARIO(each_check_says_what_was_asked_and_what_it_decided),
		SCENARIO(
			what_is_known_against_it_keeps_it_from_its_first_users),
		SCENARIO(users_that_others_gave_it_are_evidence_to_ask_for),
		SCENARIO(
			without_users_nothing_is_asked_for_before_the_first_step),
		SCENARIO(
			a_critical_value_counts_though_the_baseline_is_in_trouble),
		SCENARIO(
			a_critical_value_counts_though_the_baseline_is_partial),
		SCENARIO(a_baseline_that_is_not_looked_at_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
