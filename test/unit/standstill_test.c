/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many rollouts whose process stood still, or whose machine's clock was set: they
 * do not all ask at once, and each asks within an interval.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"

#define ROLLOUTS    500
#define SLOS        2
#define INTERVAL_MS 10000 /* of the policy of tests */
#define HOUR_MS     3600000
#define SLICE_MS    100
#define SLICES      1000
#define MANY        3 /* times the usual number in a slice */

/* What all of them do, by the clock that they share. */
struct fleet_seen {
	int64_t gap_ms, woken_ms; /* the standstill */
	int64_t ahead_ms; /* of this one's time, of the shared clock */
	int64_t asked_ms; /* the latest check of the first SLO; 0: none */
	int64_t longest_ms; /* awake, without a check; of all */
	int asks[SLICES]; /* since it woke up */
};

static void count_asks(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	struct fleet_seen *seen = w->watcher;
	int64_t now = w->now_ms + seen->ahead_ms, without_ms;
	size_t i, slice;

	(void)event;
	for (i = 0; i < out->n_effects; i++) {
		if (out->effect[i].type != EFFECT_CHECK)
			continue;
		slice = (size_t)(now - seen->woken_ms) / SLICE_MS;
		if (now >= seen->woken_ms && slice < SLICES)
			seen->asks[slice]++;
		if (out->effect[i].slo)
			continue;
		without_ms = now - seen->asked_ms;
		if (seen->asked_ms && seen->asked_ms <= seen->gap_ms &&
			now >= seen->woken_ms)
			without_ms -= seen->woken_ms - seen->gap_ms;
		if (seen->asked_ms && without_ms > seen->longest_ms)
			seen->longest_ms = without_ms;
		seen->asked_ms = now;
	}
}

/* One of them begins `after_ms` after the first. */
static void live_through(const struct policy *policy, const struct event *gap,
	int64_t slept_ms, int64_t after_ms, struct fleet_seen *seen)
{
	struct world *w = malloc(sizeof(*w));

	assert_non_null(w);
	world_init(w, policy);
	w->latency_ms = 20;
	seen->ahead_ms = after_ms - w->start_ms;
	seen->asked_ms = 0;
	w->watch = count_asks;
	w->watcher = seen;
	world_start(w);
	world_run(w, seen->gap_ms - after_ms);
	world_sleep(w, slept_ms);
	world_feed(w, gap);
	world_run(w, SLICES * SLICE_MS);
	rollout_clear(&w->rollout);
	free(w);
}

static void policy_of_two_slos(struct test_policy *test)
{
	test_policy_init(test);
	test->slos[1] = test->slos[0];
	test->slos[1].name = "latency";
	test->policy.n_slos = SLOS;
	for (int i = 0; i < 3; i++)
		test->steps[i].bake_ms = 60 * HOUR_MS;
}

/* All of them: half of them are in their first step's settle. */
static void expect_spread(const struct event *gap, int64_t slept_ms)
{
	const int usual = ROLLOUTS * SLOS * SLICE_MS / INTERVAL_MS;
	struct fleet_seen seen = {.gap_ms = 3 * INTERVAL_MS};
	struct test_policy test;
	int i, all = 0;

	policy_of_two_slos(&test);
	seen.woken_ms = seen.gap_ms + slept_ms;
	for (i = 0; i < ROLLOUTS; i++)
		live_through(&test.policy, gap, slept_ms,
			(int64_t)i * 2 * INTERVAL_MS / ROLLOUTS, &seen);
	for (i = 0; i < SLICES; i++) {
		if (seen.asks[i] > MANY * usual)
			fail_msg("%d checks in 100 ms, %d ms after it, where "
				 "%d are usual",
				seen.asks[i], i * SLICE_MS, usual);
	}
	for (i = 0; i < (INTERVAL_MS + 1000) / SLICE_MS; i++)
		all += seen.asks[i];
	assert_true(all >= ROLLOUTS * SLOS);
	assert_true(seen.longest_ms <= INTERVAL_MS + 1000);
}

static void after_a_sleep_not_all_rollouts_ask_at_once(void **state)
{
	const struct event gap = {
		.type = EVENT_TIMER, .spread = true, .stood_ms = HOUR_MS};

	(void)state;
	expect_spread(&gap, HOUR_MS);
}

static void after_seconds_without_a_turn_they_do_not_either(void **state)
{
	const struct event gap = {.type = EVENT_TIMER,
		.spread = true,
		.stood_ms = INTERVAL_MS / 2};

	(void)state;
	expect_spread(&gap, INTERVAL_MS / 2);
}

static void when_the_clock_was_set_they_ask_when_they_would_have(void **state)
{
	const struct event set = {
		.type = EVENT_TIMER, .clock_set = true, .spread = true};

	(void)state;
	expect_spread(&set, 0);
}

static void when_it_was_set_in_a_sleep_they_do_not_ask_at_once_either(
	void **state)
{
	const struct event gap = {.type = EVENT_TIMER,
		.clock_set = true,
		.spread = true,
		.stood_ms = HOUR_MS};

	(void)state;
	expect_spread(&gap, HOUR_MS);
}

/* A few may, and so it is in journals of before. */
static void without_company_it_asks_at_once(void **state)
{
	const struct event gap = {.type = EVENT_TIMER, .clock_set = true};
	struct fleet_seen seen = {.gap_ms = 45000, .woken_ms = 45000};
	struct test_policy test;

	(void)state;
	policy_of_two_slos(&test);
	live_through(&test.policy, &gap, 0, 0, &seen);
	assert_true(seen.asks[0] >= SLOS);
}

/* What was put off is owed to the step, whose bake was over meanwhile. */
static void a_step_that_slept_past_its_end_waits_for_its_check(void **state)
{
	const struct event gap = {
		.type = EVENT_TIMER, .spread = true, .stood_ms = HOUR_MS};
	struct test_policy test;
	struct world *w = malloc(sizeof(*w));
	int asks;

	(void)state;
	assert_non_null(w);
	test_policy_init(&test);
	world_init(w, &test.policy);
	world_start(w);
	world_run(w, 65000);
	assert_int_equal(w->rollout.step, 0);
	asks = w->asks;
	world_sleep(w, HOUR_MS);
	world_feed(w, &gap);
	assert_int_equal(w->asks, asks);
	assert_int_equal(w->rollout.phase, PHASE_BAKING);
	world_run(w, INTERVAL_MS + 1000);
	assert_true(w->asks > asks);
	assert_null(strstr(w->phases, "held"));
	world_run(w, 10 * 60000);
	assert_int_equal(w->rollout.phase, PHASE_PROMOTED);
	rollout_clear(&w->rollout);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_sleep_not_all_rollouts_ask_at_once),
		cmocka_unit_test(
			after_seconds_without_a_turn_they_do_not_either),
		cmocka_unit_test(
			when_the_clock_was_set_they_ask_when_they_would_have),
		cmocka_unit_test(
			when_it_was_set_in_a_sleep_they_do_not_ask_at_once_either),
		cmocka_unit_test(without_company_it_asks_at_once),
		cmocka_unit_test(
			a_step_that_slept_past_its_end_waits_for_its_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
