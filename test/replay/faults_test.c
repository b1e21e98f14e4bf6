/* SPDX-License-Identifier: Apache-2.0 */
/* An admin API in trouble: on the way forward and on the way back. */
#include "scenario_test.h"

#include <stdio.h>
#include <string.h>

/* The service's reads or writes go wrong once, in this way. */
static void trouble(const char *method, const char *members)
{
	char fault[256];

	snprintf(fault, sizeof(fault),
		"{'method': '%s', 'path': '*/services/shop', 'times': 1, %s}",
		method, members);
	fake_run_fault(fault);
}

/* Several kinds, one after the other. */
static void all_kinds(const char *method)
{
	trouble(method, "'kind': 'status', 'status': 429, 'retryAfter': '1s'");
	trouble(method, "'kind': 'status', 'status': 500");
	trouble(method, "'kind': 'status', 'status': 503");
	trouble(method, "'kind': 'reset'");
}

static void expect_promoted(void)
{
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
	assert_int_equal(fake_run.cloud.faults.n, 0);
}

/* Interrupted: everything is as it was. */
static void expect_back(void)
{
	interrupt("SIGINT");
	until_the_end();
	expect_exit(6);
	expect_serving(FAKE_STABLE, 100);
	assert_int_equal(fake_run.cloud.faults.n, 0);
}

static void forward_writes_that_go_wrong_are_repeated(void **state)
{
	all_kinds("PATCH");
	run();
	expect_promoted();
	expect_journal("retry", NULL);
}

static void forward_reads_that_go_wrong_are_repeated(void **state)
{
	given_policy(policy_gate, slo_errors, NULL);
	run();
	until_step(0);
	all_kinds("GET");
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	expect_promoted();
}

static void in_preflight_reads_that_are_refused_are_repeated(void **state)
{
	trouble("GET", "'kind': 'status', 'status': 503");
	run();
	expect_promoted();
}

static void on_the_way_back_writes_that_go_wrong_are_repeated(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	all_kinds("PATCH");
	expect_back();
	expect_journal("retry", NULL);
}

static void on_the_way_back_reads_that_go_wrong_are_repeated(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	all_kinds("GET");
	expect_back();
}

static void a_write_whose_answer_is_lost_is_read_back_not_repeated(void **state)
{
	given_policy("steps: [{percent: 100, bake: 30s}]\nsettle: 5s\n",
		slo_errors, NULL);
	trouble("PATCH", "'kind': 'reset', 'when': 'after'");
	run();
	expect_promoted();
	expect_writes_at_most(2);
}

static void a_revert_whose_answer_is_lost_is_read_back_not_repeated(
	void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	trouble("PATCH", "'kind': 'reset', 'when': 'after'");
	expect_back();
	expect_writes_at_most(2);
}

static void a_read_that_hangs_does_not_hang_the_revert(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	trouble("GET", "'kind': 'hang'");
	expect_back();
	assert_true(fake_now() < 30 * SECOND);
}

static void a_write_that_hangs_does_not_hang_the_revert(void **state)
{
	given_policy(policy_watch, slo_errors, NULL);
	run();
	until_step(0);
	trouble("PATCH", "'kind': 'hang'");
	expect_back();
	assert_true(fake_now() < 30 * SECOND);
}

static void an_operation_that_fails_for_good_takes_the_traffic_back(
	void **state)
{
	trouble("PATCH", "'kind': 'operation-error', 'code': 9, "
			 "'message': 'bad luck', 'times': 3");
	run();
	until_the_end();
	expect_exit(5);
	expect_serving(FAKE_STABLE, 100);
	expect_reason("bad luck");
}

static void deny(const char *permission)
{
	fake_run.cloud.rules.n_deny = 1;
	strcpy(fake_run.cloud.rules.deny[0], permission);
}

static void who_may_not_read_operations_follows_the_service(void **state)
{
	deny("run.operations.get");
	run();
	expect_promoted();
}

static void who_may_not_write_moves_nothing_and_says_so(void **state)
{
	deny("run.services.update");
	run();
	until_the_end();
	expect_exit(5);
	expect_never_above(0);
	expect_reason("run.services.update");
}

static void who_may_not_read_is_refused(void **state)
{
	deny("run.services.get");
	run();
	until_the_end();
	expect_exit(4);
	expect_reason("run.services.get");
}

static void reads_that_lag_behind_are_not_taken_for_drift(void **state)
{
	given_policy(policy_gate, slo_errors, NULL);
	run();
	until_step(0);
	fake_run_fault("{'kind': 'stale', 'method': 'GET', 'delay': '700ms',"
		       " 'path': '*/services/shop', 'times': 1000}");
	until_phase(PHASE_AWAITING_APPROVAL);
	approve("bob");
	until_the_end();
	expect_exit(0);
	expect_serving(FAKE_NEW, 100);
}

static void a_read_that_shows_the_time_before_a_shift_is_not_drift(void **state)
{
	given_policy(policy_gate, slo_errors, NULL);
	until(10 * SECOND);
	run();
	until_phase(PHASE_AWAITING_APPROVAL);
	fake_run_fault("{'kind': 'stale', 'method': 'GET', 'delay': '10m',"
		       " 'path': '*/services/shop', 'times': 3}");
	until(fake_now() + MINUTE);
	approve("bob");
	expect_promoted();
	expect_journal("retry", "is older");
}

static void drift_is_seen_though_a_read_said_retry_after(void **state)
{
	int64_t from_ms;

	given_policy("steps:\n  - {percent: 10, bake: 3h}\n"
		     "  - {percent: 100, bake: 1m}\nsettle: 10s\n",
		slo_errors, NULL);
	run();
	until_step(0);
	until(fake_now() + 30 * SECOND);
	fake_run_fault("{'kind': 'status', 'method': 'GET', 'status': 429,"
		       " 'path': '*/services/shop', 'retryAfter': '600s', "
		       "'times': 1}");
	until(fake_now() + 30 * SECOND);
	from_ms = fake_now();
	fake_run_foreign("shop-1=50 shop-2=50");
	while (exit_status() < 0 && fake_now() < from_ms + 3 * HOUR)
		until(fake_now() + SECOND);
	promise(fake_now() - from_ms < 2 * MINUTE, "drift seen after %lld s",
		(long long)(fake_now() - from_ms) / 1000);
}

static void a_step_up_survives_a_long_retry_after(void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	run();
	until_step(0);
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	fake_run_fault("{'kind': 'status', 'method': 'GET', 'status': 429,"
		       " 'path': '*/services/shop', 'retryAfter': '600s', "
		       "'times': 1}");
	until_the_end();
	expect_exit(0);
}

static void a_write_of_a_step_up_survives_a_long_retry_after(void **state)
{
	given_policy(policy_long, slo_errors, NULL);
	run();
	until_step(0);
	while (!fake_store_count("step-passed", NULL))
		until(fake_now() + 100);
	fake_run_fault("{'kind': 'status', 'method': 'PATCH', 'status': 429,"
		       " 'retryAfter': '600s', 'times': 1}");
	until_the_end();
	expect_exit(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENARIO(forward_writes_that_go_wrong_are_repeated),
		SCENARIO(forward_reads_that_go_wrong_are_repeated),
		SCENARIO(in_preflight_reads_that_are_refused_are_repeated),
		SCENARIO(on_the_way_back_writes_that_go_wrong_are_repeated),
		SCENARIO(on_the_way_back_reads_that_go_wrong_are_repeated),
		SCENARIO(
			a_write_whose_answer_is_lost_is_read_back_not_repeated),
		SCENARIO(
			a_revert_whose_answer_is_lost_is_read_back_not_repeated),
		SCENARIO(a_read_that_hangs_does_not_hang_the_revert),
		SCENARIO(a_write_that_hangs_does_not_hang_the_revert),
		SCENARIO(
			an_operation_that_fails_for_good_takes_the_traffic_back),
		SCENARIO(who_may_not_read_operations_follows_the_service),
		SCENARIO(who_may_not_write_moves_nothing_and_says_so),
		SCENARIO(who_may_not_read_is_refused),
		SCENARIO(reads_that_lag_behind_are_not_taken_for_drift),
		SCENARIO(
			a_read_that_shows_the_time_before_a_shift_is_not_drift),
		SCENARIO(drift_is_seen_though_a_read_said_retry_after),
		SCENARIO(a_step_up_survives_a_long_retry_after),
		SCENARIO(a_write_of_a_step_up_survives_a_long_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
