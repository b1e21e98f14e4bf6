/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rollout does when the world disagrees with itself: what is asked for
 * does not serve, answers hang or are old, others write, processes die, and
 * time passes while nothing drives.
 */
#include "scenario_test.h"
#include <string.h>

#define TWO_REVISIONS FAKE_STABLE "=90 " FAKE_NEW "=10"

static const char slo_strict[] = SLO("max: 1%, critical: 10%, min_passes: 3,\n"
				     "     fail_after: {breaches: 2, of: 3}");

static void what_is_asked_for_and_does_not_serve_is_no_stable(void **state)
{
	fake_run_deploy("shop-3");
	fake_run_foreign_failing("shop-2=100");
	until(5 * SECOND);
	run();
	until_the_end();
	expect_exit(4);
	expect_writes_at_most(0);
	expect_reason(FAKE_STABLE);
	expect_reason(FAKE_NEW);
}

static void a_stable_revision_that_is_not_ready_is_no_way_back(void **state)
{
	fake_run_set_ready(FAKE_STABLE, false);
	run();
	until_the_end();
	expect_exit(4);
	expect_writes_at_most(0);
}

static void somebodys_failed_deployment_stops_no_release(void **state)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	fake_run_failed_deployment();
	until(5 * SECOND);
	run_with(&options);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_deployment_that_fails_in_mid_rollout_reverts_nothing(void **state)
{
	run();
	until_step(0);
	fake_run_failed_deployment();
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_candidate_that_has_users_is_watched_before_all_is_settled(
	void **state)
{
	int64_t exposed_ms;

	run();
	while (!fake_run.patches)
		until(fake_now() + 10);
	fake_run_failed_deployment(); /* the service is not healthy any more */
	errors_of(FAKE_NEW, 0.5);
	until(fake_now() + 3 * SECOND);
	exposed_ms = seen()->exposed_ms;
	assert_true(exposed_ms > 0);
	expect_reverted_by(exposed_ms + 25 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void settle_is_watched_by_what_is_critical(void **state)
{
	given_policy(STEPS("60s", "2m"), slo_strict, NULL);
	run();
	errors_of(FAKE_NEW, 0.5);
	while (!fake_run.patches)
		until(fake_now() + 10);
	expect_reverted_by(fake_now() + 12 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void a_breach_in_every_check_of_the_settle_reverts(void **state)
{
	given_policy(STEPS("60s", "60s"), slo_errors, NULL);
	run();
	errors_of(FAKE_NEW, 0.5);
	while (!seen()->exposed_ms)
		until(fake_now() + 10);
	expect_reverted_by(seen()->exposed_ms + 65 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void the_first_check_comes_an_interval_after_exposure_at_the_latest(
	void **state)
{
	given_policy(STEPS("60s", "2m"), slo_errors, NULL);
	run();
	until(2 * MINUTE);
	assert_true(seen()->exposed_ms > 0);
	for (int i = 0; i < seen()->n_checks; i++)
		if (seen()->check_ms[i] >= seen()->exposed_ms) {
			promise(seen()->check_ms[i] <=
					seen()->exposed_ms + 11 * SECOND,
				"the first check is %lld ms late",
				(long long)(seen()->check_ms[i] -
					    seen()->exposed_ms));
			return;
		}
	promise(false, "there was no check");
}

static void a_revert_whose_operation_failed_is_written_again_by_who_resumes(
	void **state)
{
	int patches;

	given_policy(policy_short, NULL);
	resume_after(5 * SECOND);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'operation-error', 'method': 'PATCH', "
		       "'code': 13, 'times': 1}");
	errors_of(FAKE_NEW, 0.5);
	patches = fake_run.patches;
	while (fake_run.patches == patches)
		until(fake_now() + 1);
	until(fake_now() + 20); /* it is accepted */
	crash();
	until_the_rollout_ends(2);
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
}

static void operations_that_end_in_errors_end_a_shift_in_two_minutes(
	void **state)
{
	run();
	fake_run_fault("{'kind': 'operation-error', 'method': 'PATCH', "
		       "'code': 13, 'message': 'no quota of volcanoes', "
		       "'for': '24h'}");
	while (!fake_run.patches)
		until(fake_now() + 10);
	until_the_end();
	expect_exit(5);
	promise(fake_now() < 3 * MINUTE, "it took too long");
	expect_reason("no quota of volcanoes");
	expect_writes_at_most(10);
}

static void a_split_that_is_adopted_and_does_not_serve_is_written_again(
	void **state)
{
	struct run_options options = {
		.wish = {.candidate = FAKE_NEW, .adopt = true}};

	fake_run_foreign_failing(TWO_REVISIONS);
	until(5 * SECOND);
	run_with(&options);
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void stable_stays_referenced_to_the_end(void **state)
{
	run();
	until_step(2);
	until(fake_now() + 5 * SECOND);
	expect_serving(FAKE_NEW, 100);
	promise(!fake_run_remove(FAKE_STABLE), "stable could be deleted");
	until_the_end();
	expect_exit(0);
	promise(!fake_run_refers_to(FAKE_STABLE, NULL),
		"stable is referenced after the end");
}

static void a_stable_revision_that_breaks_is_said_and_holds(void **state)
{
	run();
	until_step(1);
	fake_run_set_ready(FAKE_STABLE, false);
	until(fake_now() + 30 * SECOND);
	assert_int_equal(phase_now(), PHASE_HELD);
	expect_said(FAKE_STABLE);
	expect_never_above(50);
}

static void no_comparison_with_a_stable_that_has_no_traffic_any_more(
	void **state)
{
	given_policy(policy_long,
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{revision}}\"}',\n"
		"     compare: stable, max_ratio: 2, no_baseline: skip,\n"
		"     max: 50%, window: 20s, interval: 10s, min_passes: 2,\n"
		"     fail_after: 2}\n",
		NULL);
	errors_of(FAKE_STABLE, 0.001);
	errors_of(FAKE_NEW, 0.001);
	run();
	until_step(2);
	until(fake_now() + 25 * SECOND);
	errors_of(FAKE_NEW, 0.05); /* an incident; stable has no users */
	until_the_end();
	expect_exit(0);
}

static void a_check_that_is_due_when_the_bake_ends_is_heard(void **state)
{
	given_policy(STEPS("60s", "10s"),
		SLO("max: 1%, min_passes: 3, fail_after: 1"), NULL);
	fake_loop_late(2);
	run();
	until_step(0);
	until(fake_now() + (10 + 55) * SECOND);
	errors_of(FAKE_NEW, 0.5);
	until_the_end();
	expect_exit(5);
	expect_never_above(10);
}

static void check_times_lie_on_a_grid(void **state)
{
	int64_t first_ms;
	int n;

	fake_loop_late(5);
	given_policy(STEPS("10m", "0s"), slo_errors, NULL);
	run();
	until_step(0);
	n = seen()->n_checks;
	until(fake_now() + 9 * MINUTE);
	first_ms = seen()->check_ms[n];
	assert_true(seen()->n_checks > n + 50);
	for (int i = n; i < seen()->n_checks; i++)
		promise((seen()->check_ms[i] - first_ms + 50) % 10000 < 100,
			"check %d is %lld ms beside the grid", i - n,
			(long long)((seen()->check_ms[i] - first_ms) % 10000));
}

static void who_stood_still_writes_nothing_upwards_before_it_has_checked(
	void **state)
{
	int patches;

	run();
	until_step(0);
	writes_are_refused(503);
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	until(fake_now() + SECOND);
	fake_run_heal();
	patches = fake_run.patches;
	errors_of(FAKE_NEW, 0.5);
	the_machine_sleeps(5 * MINUTE);
	until_the_end();
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
	promise(!fake_store_count("step-started", "\"step\":2"),
		"step 2 was started");
	promise(fake_run.patches == patches + 1, "%d writes after it",
		fake_run.patches - patches);
}

static void nothing_is_written_upwards_while_metrics_are_down(void **state)
{
	run();
	until_step(0);
	fake_run_fault("{'kind': 'status', 'method': 'PATCH', "
		       "'status': 503, 'for': '24h'}");
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	metrics_of(FAKE_NEW, SAYS_503);
	until(fake_now() + 25 * SECOND);
	fake_run_heal();
	until(fake_now() + 2 * MINUTE);
	expect_serving(FAKE_NEW, 10);
	promise(fake_run_wants(FAKE_NEW) == 10, "%d %% is asked for",
		fake_run_wants(FAKE_NEW));
}

static void a_pause_keeps_a_shift_that_is_not_written_from_being_written(
	void **state)
{
	run();
	until_step(0);
	writes_are_refused(503);
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	until(fake_now() + SECOND);
	command("pause", "bob");
	until(fake_now() + SECOND);
	assert_int_equal(fake_store_waiting(), 0);
	fake_run_heal();
	until(fake_now() + 2 * MINUTE);
	expect_serving(FAKE_NEW, 10);
}

static void a_hold_that_runs_out_while_nobody_drives_has_run_out(void **state)
{
	given_policy(
		STEPS("20s", "10s") "hold_timeout: 2m\n", slo_errors, NULL);
	resume_after(10 * MINUTE);
	metrics_of(FAKE_NEW, SAYS_NOTHING);
	run();
	until_phase(PHASE_HELD);
	until(fake_now() + SECOND);
	crash();
	expect_reverted_by(fake_now() + 11 * MINUTE);
	until_the_rollout_ends(1);
	expect_exit(5);
}

static void a_standstill_over_the_first_settle_reverts_nothing(void **state)
{
	given_policy(STEPS("0s", "10s") "on_undecided: rollback\n",
		SLO("max: 1%, min_passes: 1, fail_after: 1"), NULL);
	run();
	until_step(0);
	until(fake_now() + 5 * SECOND);
	the_machine_sleeps(MINUTE);
	until_the_end();
	expect_exit(0);
}

static void metrics_that_flap_do_not_renew_a_hold(void **state)
{
	int64_t held_ms;

	given_policy(STEPS("3m", "10s") "hold_timeout: 3m\n", slo_errors, NULL);
	run();
	until_step(0);
	metrics_of(FAKE_NEW, SAYS_503);
	until_phase(PHASE_HELD);
	held_ms = fake_now();
	while (fake_now() < held_ms + 12 * MINUTE && exit_status() < 0 &&
		fake_run_wants(FAKE_STABLE) != 100) {
		errors_of(FAKE_NEW, 0);
		until(fake_now() + 9 * SECOND);
		metrics_of(FAKE_NEW, SAYS_503);
		until(fake_now() + 65 * SECOND);
	}
	promise(fake_run_wants(FAKE_STABLE) == 100, "it is held for ever");
	expect_never_above(10);
}

static void a_bake_with_a_hole_in_its_checks_is_no_bake(void **state)
{
	int64_t from_ms;

	given_policy(STEPS("60s", "0s"),
		"slos:\n"
		"  - {name: errors, query: 'errors{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 20s, interval: 5s, min_passes: 2,\n"
		"     fail_after: 2}\n"
		"  - {name: other, query: 'other{r=\"{{candidate}}\"}',\n"
		"     max: 1%, window: 20s, interval: 5s, min_passes: 2,\n"
		"     fail_after: 2}\n",
		NULL);
	run();
	until_step(0);
	from_ms = fake_now();
	until(from_ms + 10 * SECOND);
	fake_metrics_say("errors{", HANGS, 0);
	until(from_ms + 45 * SECOND);
	fake_metrics_say("errors{", SAYS_VALUE, 0);
	until(from_ms + 75 * SECOND);
	expect_never_above(10);
	until_the_end();
	expect_exit(0);
}

static void a_service_that_was_made_anew_is_not_the_old_one(void **state)
{
	int patches;

	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	patches = fake_run.patches;
	model_recreate(fake_run.cloud.model, FAKE_EPOCH_MS + fake_now());
	until_the_end();
	expect_exit(7);
	expect_writes_at_most(patches);
	assert_string_equal(fake_store_phase(fake_store_newest()), "stopped");
}

/* Its generations begin anew: none of them is older than what was known. */
static void nor_is_one_that_was_made_anew_while_nobody_drove(void **state)
{
	int patches;

	run();
	until_step(0);
	until(fake_now() + 15 * SECOND);
	patches = fake_run.patches;
	crash();
	model_recreate(fake_run.cloud.model, FAKE_EPOCH_MS + fake_now());
	resume();
	until(fake_now() + MINUTE);
	expect_exit(7);
	expect_writes_at_most(patches);
	assert_string_equal(fake_store_phase(fake_store_newest()), "stopped");
}

static const char probe_by_tag[] =
	"tag: next\n"
	"preflight:\n"
	"  - {name: probe, type: http, url: '{{candidate_url}}/health'}\n";

static void a_tag_on_a_service_without_uris_makes_no_write_storm(void **state)
{
	fake_run_option("uris=absent");
	given_policy(policy_long, slo_errors, "tag: next\n", NULL);
	run();
	until(MINUTE);
	expect_writes_at_most(4);
	until_the_end();
	expect_writes_at_most(10);
}

/* The service's own URL leads to stable: to ask there proves nothing. */
static void stable_is_not_probed_instead_of_a_candidate_without_a_url(
	void **state)
{
	fake_run_option("uris=absent");
	given_policy(policy_long, slo_errors, probe_by_tag, NULL);
	run();
	until_the_end();
	expect_exit(4);
	expect_writes_at_most(0);
	expect_journal("preflight", "a tag of shop has no URL");
	expect_not_journaled("action", NULL);
}

/* The URLs are switched off after preflight has seen them. */
static void an_address_that_is_gone_is_not_asked_elsewhere(void **state)
{
	given_policy(policy_long, slo_errors,
		"tag: next\n"
		"hooks:\n"
		"  step_passed:\n"
		"    - {name: probe, type: http, on_failure: stop,\n"
		"       url: '{{candidate_url}}/health'}\n",
		NULL);
	run();
	until_step(0);
	fake_run_option("uris=absent");
	until_phase(PHASE_HELD);
	until(fake_now() + SECOND);
	expect_journal("action", "not asked: {{candidate_url}}");
	expect_serving(FAKE_NEW, 10);
}

/* Promoted, the candidate has no tag any more; the service has its URL still. */
static void nothing_is_asked_of_the_service_for_the_candidate(void **state)
{
	given_policy(policy_long, slo_errors,
		"tag: next\n"
		"hooks:\n"
		"  promoted:\n"
		"    - {name: probe, type: http,\n"
		"       url: '{{candidate_url}}/health'}\n",
		NULL);
	run();
	until_the_end();
	expect_exit(0);
	expect_journal("action", "not asked: {{candidate_url}}");
}

static void who_resumes_runs_no_sequence_under_another_release(void **state)
{
	given_policy(policy_short, NULL);
	run();
	until_step(0);
	fake_deed_takes("undo", 20 * SECOND);
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_ROLLING_BACK);
	until(fake_now() + SECOND);
	crash();
	fake_run_deploy("shop-3");
	fake_run_foreign("shop-3=100");
	until(fake_now() + MINUTE);
	resume();
	until_the_end();
	assert_int_equal(fake_deeds("purge"), 0);
	expect_serving("shop-3", 100);
	promise(fake_store_has_ended(fake_store_newest()), "it has not ended");
	assert_string_equal(fake_store_phase(fake_store_newest()), "stopped");
}

static void nothing_that_changed_while_nobody_drove_is_set_back(void **state)
{
	given_policy(policy_long, "on_drift: reassert\n", slo_errors, NULL);
	run();
	until_step(0);
	crash();
	fake_run_deploy("shop-3");
	fake_run_foreign("shop-3=100");
	until(fake_now() + MINUTE);
	resume();
	until_the_end();
	expect_serving("shop-3", 100);
	assert_string_equal(fake_store_phase(fake_store_newest()), "stopped");
}

static void refused_writes_back_off(void **state)
{
	int patches;

	run();
	until_step(0);
	writes_are_refused(503);
	patches = fake_run.patches;
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	until(fake_now() + 30 * SECOND);
	promise(fake_run.patches - patches <= 12, "%d writes in 30 s",
		fake_run.patches - patches);
}

static void a_reverts_refused_writes_back_off(void **state)
{
	int patches;

	given_policy(policy_short, NULL);
	run();
	until_step(0);
	writes_are_refused(429);
	patches = fake_run.patches;
	errors_of(FAKE_NEW, 0.5);
	until_phase(PHASE_REVERTING);
	until(fake_now() + 30 * SECOND);
	promise(fake_run.patches - patches <= 15, "%d writes in 30 s",
		fake_run.patches - patches);
	the_world_heals();
	until_the_end();
	expect_exit(5);
}

static void who_restores_the_old_split_is_not_fought(void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	run();
	while (!fake_run.patches)
		until(fake_now() + 5);
	for (int i = 0; i < 20 && exit_status() < 0; i++) {
		until(fake_now() + 500);
		if (fake_run_wants(FAKE_STABLE) != 100)
			fake_run_foreign("shop-1=100");
	}
	until_the_end();
	expect_exit(7);
	expect_writes_at_most(3);
}

static void reads_that_lag_make_no_more_writes(void **state)
{
	until(10 * SECOND);
	fake_run_fault("{'kind': 'stale', 'method': 'GET', "
		       "'path': '*/services/shop', 'delay': '5s', "
		       "'for': '24h'}");
	run();
	until_the_end();
	expect_exit(0);
	expect_writes_at_most(4);
}

/* What others wrote looks like what we wrote for the step before. */
static void a_split_like_an_earlier_one_of_ours_is_set_back(void **state)
{
	given_policy(
		STEPS("1m", "5s"), slo_errors, "on_drift: reassert\n", NULL);
	run();
	fake_run_fault("{'kind': 'reset', 'method': 'PATCH', 'when': 'after', "
		       "'times': 2}");
	until_step(1);
	until(fake_now() + 3 * SECOND);
	fake_run_foreign("shop-1=90 shop-2=10");
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

/* … when our writes are long there, and one of them got nowhere. */
static void a_split_like_an_earlier_one_is_set_back_later_too(void **state)
{
	static const char after[] =
		"{'kind': 'reset', 'method': 'PATCH', 'when': 'after', "
		"'times': 1}";

	for (uint64_t lost = 0; lost <= 1; lost++) {
		scenario_close();
		scenario_open(lost);
		given_policy(STEPS("1m", "5s"), slo_errors,
			"on_drift: reassert\n", NULL);
		run();
		fake_run_fault(after);
		until_step(0);
		if (lost)
			fake_run_fault("{'kind': 'reset', 'method': 'PATCH', "
				       "'times': 1}");
		fake_run_fault(after);
		until_step(1);
		until(fake_now() + 40 * SECOND);
		fake_run_foreign("shop-1=90 shop-2=10");
		until_the_end();
		expect_exit(0);
		expect_serving(FAKE_NEW, 100);
	}
}

static void a_foreign_write_between_read_and_write_is_drift(void **state)
{
	fake_run.cloud.rules.etag_is_strict = false;
	fake_run_deploy("shop-3");
	run();
	until_step(0);
	fake_run_foreign_before_write("shop-1=80 shop-2=10 shop-3=10");
	until_the_end();
	expect_exit(7);
	expect_never_above(50);
}

static void a_revert_takes_nothing_from_who_else_was_put_in_charge(void **state)
{
	struct run_options options = {.wish = {.candidate = FAKE_NEW}};

	fake_run.cloud.rules.etag_is_strict = false;
	fake_run_deploy("shop-3");
	run_with(&options);
	until_step(0);
	fake_run_foreign_before_write("shop-3=100");
	errors_of(FAKE_NEW, 0.5);
	until_the_end();
	until(fake_now() + MINUTE);
	promise(fake_run_wants("shop-3") == 100 ||
			fake_store_count("drift", NULL),
		"the foreign write was overwritten and never noticed");
}

static void a_revert_does_not_wait_for_a_read_that_hangs(void **state)
{
	int64_t from_ms;

	given_policy(policy_short, NULL);
	run();
	until_step(0);
	reads_hang();
	errors_of(FAKE_NEW, 0.5);
	while (!fake_store_count("breach", NULL))
		until(fake_now() + 5);
	from_ms = fake_now();
	fake_run_heal();
	fake_run_fault("{'kind': 'hang', 'method': 'GET', 'times': 1}");
	expect_reverted_by(from_ms + 2500);
	until_the_end();
	expect_exit(5);
}

static void a_revert_does_not_wait_for_reads_that_hang(void **state)
{
	int64_t breach_ms;

	given_policy(policy_short, NULL);
	run();
	until_step(0);
	reads_hang();
	errors_of(FAKE_NEW, 0.5);
	while (!fake_store_count("breach", NULL))
		until(fake_now() + 5);
	breach_ms = fake_now();
	expect_reverted_by(breach_ms + 2 * SECOND);
	until(breach_ms + 10 * SECOND);
	the_world_heals();
	until_the_end();
	expect_exit(5);
}

static void a_revert_does_not_wait_for_a_write_that_hangs(void **state)
{
	int64_t breach_ms;

	given_policy(policy_short, NULL);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'hang', 'method': 'PATCH', 'times': 1}");
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 5);
	until(fake_now() + 100);
	errors_of(FAKE_NEW, 0.5);
	while (!fake_store_count("breach", NULL))
		until(fake_now() + 5);
	breach_ms = fake_now();
	expect_reverted_by(breach_ms + 3 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void a_revert_waits_ten_seconds_at_most_for_who_says_retry_after(
	void **state)
{
	int64_t breach_ms;

	given_policy(policy_short, NULL);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'status', 'method': 'PATCH', 'status': 429,"
		       " 'retryAfter': '45s', 'times': 1}");
	errors_of(FAKE_NEW, 0.5);
	while (!fake_store_count("breach", NULL))
		until(fake_now() + 5);
	breach_ms = fake_now();
	expect_reverted_by(breach_ms + 12 * SECOND);
	until_the_end();
	expect_exit(5);
}

static void who_resumes_after_an_unjournaled_revert_goes_on_rolling_back(
	void **state)
{
	given_policy(policy_short, NULL);
	run();
	until_step(0);
	until(fake_now() + 6 * SECOND);
	fake_store_full(true);
	errors_of(FAKE_NEW, 0.5);
	expect_reverted_by(fake_now() + 8 * SECOND);
	until(fake_now() + 5 * SECOND);
	crash();
	fake_store_full(false);
	until(fake_now() + MINUTE);
	resume();
	until_the_rollout_ends(1);
	expect_exit(5);
	assert_string_equal(fake_deeds_order(), "undo purge");
}

static void many_tags_of_others_do_not_fill_the_journal(void **state)
{
	static char table[64 * 1024];
	size_t len = 0, bytes = 0;

	len += (size_t)sprintf(table, "shop-1=100");
	for (int i = 0; i < 400; i++)
		len += (size_t)sprintf(table + len, " shop-1=0#tag-%d", i);
	given_traffic(table);
	run();
	until_the_end();
	expect_exit(0);
	for (size_t i = 0; i < fake_store_entries(); i++)
		bytes += strlen(fake_store_entry(i).data);
	promise(bytes < 512 * 1024, "the journal has %zu bytes", bytes);
	promise(fake_run_refers_to(FAKE_STABLE, "tag-399"),
		"a tag of others was lost");
}

static void an_unfinished_rollout_refuses_a_new_one_and_is_named(void **state)
{
	char first[STORE_ROLLOUT_ID_MAX];

	run();
	until_step(0);
	crash();
	strcpy(first, fake_store_newest());
	until(fake_now() + MINUTE);
	run();
	until_the_end();
	expect_exit(4);
	expect_writes_at_most(1);
	promise(strstr(end_text(), first) ||
			strstr(fake_store_reason(fake_store_newest()), first),
		"%s is not named", first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(an_unfinished_rollout_refuses_a_new_one_and_is_named),
		SCENARIO(what_is_asked_for_and_does_not_serve_is_no_stable),
		SCENARIO(a_stable_revision_that_is_not_ready_is_no_way_back),
		SCENARIO(somebodys_failed_deployment_stops_no_release),
		SCENARIO(
			a_deployment_that_fails_in_mid_rollout_reverts_nothing),
		SCENARIO(
			a_candidate_that_has_users_is_watched_before_all_is_settled),
		SCENARIO(settle_is_watched_by_what_is_critical),
		SCENARIO(a_breach_in_every_check_of_the_settle_reverts),
		SCENARIO(
			the_first_check_comes_an_interval_after_exposure_at_the_latest),
		SCENARIO(
			a_revert_whose_operation_failed_is_written_again_by_who_resumes),
		SCENARIO(
			operations_that_end_in_errors_end_a_shift_in_two_minutes),
		SCENARIO(
			a_split_that_is_adopted_and_does_not_serve_is_written_again),
		SCENARIO(stable_stays_referenced_to_the_end),
		SCENARIO(a_stable_revision_that_breaks_is_said_and_holds),
		SCENARIO(
			no_comparison_with_a_stable_that_has_no_traffic_any_more),
		SCENARIO(a_check_that_is_due_when_the_bake_ends_is_heard),
		SCENARIO(check_times_lie_on_a_grid),
		SCENARIO(
			who_stood_still_writes_nothing_upwards_before_it_has_checked),
		SCENARIO(nothing_is_written_upwards_while_metrics_are_down),
		SCENARIO(
			a_pause_keeps_a_shift_that_is_not_written_from_being_written),
		SCENARIO(a_hold_that_runs_out_while_nobody_drives_has_run_out),
		SCENARIO(a_standstill_over_the_first_settle_reverts_nothing),
		SCENARIO(metrics_that_flap_do_not_renew_a_hold),
		SCENARIO(a_bake_with_a_hole_in_its_checks_is_no_bake),
		SCENARIO(who_resumes_runs_no_sequence_under_another_release),
		SCENARIO(nothing_that_changed_while_nobody_drove_is_set_back),
		SCENARIO(refused_writes_back_off),
		SCENARIO(a_reverts_refused_writes_back_off),
		SCENARIO(who_restores_the_old_split_is_not_fought),
		SCENARIO(reads_that_lag_make_no_more_writes),
		SCENARIO(a_split_like_an_earlier_one_of_ours_is_set_back),
		SCENARIO(a_split_like_an_earlier_one_is_set_back_later_too),
		SCENARIO(a_foreign_write_between_read_and_write_is_drift),
		SCENARIO(
			a_revert_takes_nothing_from_who_else_was_put_in_charge),
		SCENARIO(a_revert_does_not_wait_for_a_read_that_hangs),
		SCENARIO(a_revert_does_not_wait_for_reads_that_hang),
		SCENARIO(a_revert_does_not_wait_for_a_write_that_hangs),
		SCENARIO(
			a_revert_waits_ten_seconds_at_most_for_who_says_retry_after),
		SCENARIO(
			who_resumes_after_an_unjournaled_revert_goes_on_rolling_back),
		SCENARIO(many_tags_of_others_do_not_fill_the_journal),
		SCENARIO(a_service_that_was_made_anew_is_not_the_old_one),
		SCENARIO(nor_is_one_that_was_made_anew_while_nobody_drove),
		SCENARIO(a_tag_on_a_service_without_uris_makes_no_write_storm),
		SCENARIO(
			stable_is_not_probed_instead_of_a_candidate_without_a_url),
		SCENARIO(an_address_that_is_gone_is_not_asked_elsewhere),
		SCENARIO(nothing_is_asked_of_the_service_for_the_candidate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
