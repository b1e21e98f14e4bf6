/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine in a recorded world: how rollouts end, what is counted, what
 * each fault does.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy_fixture.h"
#include "sim/sim.h"

#define START_S 1767225600

static const char source[] =
	"version: 1\n"
	"name: sim\n"
	"metrics: {url: 'https://metrics.example'}\n"
	"steps:\n"
	"  - {percent: 10, bake: 2m}\n"
	"  - {percent: 50, bake: 2m}\n"
	"  - {percent: 100, bake: 2m}\n"
	"slos:\n"
	"  - {name: errors, query: e, max: 1%, critical: 50%, window: 1m,\n"
	"     interval: 10s, fail_after: {breaches: 2, of: 3}, min_passes: 3}\n"
	"settle: 10s\n"
	"hold_timeout: 5m\n";

/* A value of the SLO's series from a second on; NaN: none. */
struct change {
	int from_s;
	double value;
};

static struct policy *policy_with(const char *const *sets, size_t n)
{
	struct policy_env env = {.sets = sets, .n_sets = n};

	return policy_given(&env, "%s", source);
}

static double value_at(const struct change *changes, int time_s)
{
	double value = NAN;

	for (; changes->from_s >= 0; changes++)
		if (time_s >= changes->from_s)
			value = changes->value;
	return value;
}

/* A sample every 10 s up to `len_s`; `more` is put into the series. */
static struct recording *record(
	const struct change *changes, int len_s, const char *more)
{
	struct recording *recording;
	struct buf json;
	struct err err;
	bool first = true;
	int t;

	buf_init(&json, 1024 * 1024);
	buf_addf(&json,
		"{\"version\":1,\"start\":%d,\"end\":%d,\"interval\":10,"
		"\"series\":{\"errors\":{%s\"data\":{\"resultType\":\"matrix\","
		"\"result\":[{\"metric\":{},\"values\":[",
		START_S, START_S + len_s, more);
	for (t = 0; t <= len_s; t += 10) {
		if (isnan(value_at(changes, t)))
			continue;
		buf_addf(&json, "%s[%d,\"%g\"]", first ? "" : ",", START_S + t,
			value_at(changes, t));
		first = false;
	}
	buf_adds(&json, "]}]}}}}");
	recording = recording_parse("test", json.data, json.len, &err);
	if (!recording)
		fail_msg("%s", err.text);
	buf_fini(&json);
	return recording;
}

struct scenario {
	const char *name;
	const char *set; /* over the policy; NULL: nothing */
	struct change changes[4]; /* ended by from_s -1 */
	int len_s;
	const char *fault; /* NULL: none */
	enum sim_approve approve;
	const char *outcome;
	int exit_status;
	const char *reason; /* part of it */
	int end_s; /* virtual, rounded down; 0: not looked at */
};

#define GOOD                  \
	{                     \
		{0, 0.001},   \
		{             \
			-1, 0 \
		}             \
	}
#define GATE "steps.2.approval={approvers: [alice], timeout: 1m}"

static const struct scenario scenarios[] = {
	{"good", NULL, GOOD, 900, NULL, 0, "promoted", 0, "every step", 0},
	{"a breach of 2 in 3", NULL, {{0, 0.001}, {200, 0.02}, {-1, 0}}, 900,
		NULL, 0, "rolled-back", 5, "errors: 2 % > max 1 %", 0},
	{"above critical once", NULL,
		{{0, 0.001}, {200, 0.6}, {210, 0.001}, {-1, 0}}, 900, NULL, 0,
		"rolled-back", 5, "60 % > critical 50 %", 0},
	{"one bad check in a row of good ones", NULL,
		{{0, 0.001}, {200, 0.02}, {210, 0.001}, {-1, 0}}, 900, NULL, 0,
		"promoted", 0, "every step", 0},
	{"observed", "on_breach=observe", {{0, 0.001}, {200, 0.02}, {-1, 0}},
		900, NULL, 0, "promoted", 0, "every step", 0},
	{"a breach that only holds", "on_breach=hold",
		{{0, 0.001}, {200, 0.02}, {-1, 0}}, 900, NULL, 0, "rolled-back",
		5, "nobody resolved the hold", 0},
	{"no data for long", NULL, {{0, 0.001}, {60, NAN}, {-1, 0}}, 900, NULL,
		0, "rolled-back", 5, "nobody resolved the hold", 0},
	{"no data counts as a breach", "slos.errors.no_data=breach",
		{{0, 0.001}, {60, NAN}, {-1, 0}}, 900, NULL, 0, "rolled-back",
		5, "no data", 0},
	{"no data for a while", NULL,
		{{0, 0.001}, {60, NAN}, {200, 0.001}, {-1, 0}}, 900, NULL, 0,
		"promoted", 0, "every step", 0},
	{"data ends early", NULL, GOOD, 200, NULL, 0, "waiting", 8,
		"the recording ends", 200},
	{"gate approved", GATE, GOOD, 900, NULL, SIM_APPROVE_ALWAYS, "promoted",
		0, "every step", 0},
	{"gate never approved", GATE, GOOD, 900, NULL, SIM_APPROVE_NEVER,
		"rolled-back", 5, "nobody resolved", 0},
	{"gate approved late", GATE, GOOD, 900, NULL, SIM_APPROVE_AFTER,
		"promoted", 0, "every step", 0},
	{"metrics down for a minute", NULL, GOOD, 900, "metrics-down@3m+1m", 0,
		"promoted", 0, "every step", 0},
	{"metrics down for long", NULL, GOOD, 900, "metrics-down@3m+10m", 0,
		"rolled-back", 5, "nobody resolved the hold", 0},
	{"writes fail for a while", NULL, GOOD, 900, "patch-503@1m+4m", 0,
		"promoted", 0, "every step", 0},
	{"answers to writes are lost", NULL, GOOD, 900, "patch-lost@1m+9m", 0,
		"promoted", 0, "every step", 0},
	{"drift stops it", NULL, GOOD, 900, "drift@4m", 0, "stopped", 7,
		"traffic is not what was last set", 0},
	{"drift is set back", "on_drift=reassert", GOOD, 900, "drift@4m", 0,
		"promoted", 0, "every step", 0},
	{"a crash while baking", NULL, GOOD, 900, "crash@1m+30s", 0, "promoted",
		0, "every step", 0},
	{"a crash while traffic moves", NULL, GOOD, 900, "crash@1s", 0,
		"promoted", 0, "every step", 0},
	{"writes fail while it should revert", NULL,
		{{0, 0.001}, {200, 0.02}, {-1, 0}}, 900, "patch-503@3m+2m", 0,
		"rolled-back", 5, "2 % > max", 0},
};

static void play_sets(const struct scenario *s, const char *const *sets,
	size_t n_sets, sim_listener listener, void *arg,
	struct sim_result *result)
{
	struct policy *policy = policy_with(sets, n_sets);
	struct recording *recording = record(s->changes, s->len_s, "");
	struct sim_options options = {.approve = s->approve,
		.approve_after_ms = 90000,
		.shift_ms = -1};
	struct fault fault;
	struct err err;

	if (s->fault) {
		assert_int_equal(fault_parse(s->fault, &fault, &err), 0);
		options.faults = &fault;
		options.n_faults = 1;
	}
	assert_int_equal(sim_check(policy, recording, &err), 0);
	sim_run(policy, recording, &options, listener, arg, result);
	recording_free(&recording);
	policy_free(&policy);
}

static void play(const struct scenario *s, sim_listener listener, void *arg,
	struct sim_result *result)
{
	play_sets(s, &s->set, s->set ? 1 : 0, listener, arg, result);
}

static void rollouts_end_as_they_should(void **state)
{
	const struct scenario *s;
	struct sim_result result;
	size_t i;

	for (i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		s = &scenarios[i];
		play(s, NULL, NULL, &result);
		if (strcmp(sim_outcome(&result), s->outcome) != 0 ||
			result.exit_status != s->exit_status ||
			!strstr(result.reason, s->reason))
			fail_msg("%s: %s, exit %d: %s", s->name,
				sim_outcome(&result), result.exit_status,
				result.reason);
		if (s->end_s &&
			(result.end_ms - result.start_ms) / 1000 > s->end_s)
			fail_msg("%s: ended after %lld ms", s->name,
				(long long)(result.end_ms - result.start_ms));
	}
}

static void the_first_bad_sample_and_what_it_cost_are_counted(void **state)
{
	/* One breach alone comes and goes; the second time it stays. */
	static const struct scenario gone = {
		.changes = {{0, 0.001}, {60, 0.02}, {70, 0.001}, {-1, 0}},
		.len_s = 900};
	static const struct scenario stays = {
		.changes = {{0, 0.001}, {200, 0.02}, {-1, 0}}, .len_s = 900};
	/* From before it serves, which it does after two seconds. */
	static const struct scenario always = {
		.changes = {{0, 0.02}, {-1, 0}}, .len_s = 900};
	struct sim_result result;

	play(&always, NULL, NULL, &result);
	assert_int_equal(result.first_bad_ms, (int64_t)(START_S + 2) * 1000);
	play(&gone, NULL, NULL, &result);
	assert_int_equal(result.first_bad_ms, 0);
	assert_int_equal(result.checks_to_revert, 0);
	assert_int_equal(result.revert_ms, 0);
	play(&stays, NULL, NULL, &result);
	assert_int_equal(result.first_bad_ms, (int64_t)(START_S + 200) * 1000);
	assert_int_equal(result.checks_to_revert, 2);
	assert_in_range(result.revert_ms - result.first_bad_ms, 10000, 20000);
}

/* `run` would be told as of two minutes ago: so is the simulation. */
static void late_samples_are_seen_late(void **state)
{
	static const char *const late[] = {"metrics.delay=2m", "settle=3m"};
	static const struct scenario bad = {
		.changes = {{0, 0.001}, {400, 0.02}, {-1, 0}}, .len_s = 1800};
	static const struct scenario early = {
		.changes = {{0, 0.02}, {60, 0.001}, {-1, 0}}, .len_s = 1800};
	struct sim_result result;

	play_sets(&bad, late, 2, NULL, NULL, &result);
	assert_int_equal(result.first_bad_ms, (int64_t)(START_S + 400) * 1000);
	assert_in_range(result.revert_ms - result.first_bad_ms, 130000, 142000);
	play_sets(&early, late, 2, NULL, NULL, &result);
	assert_string_equal(sim_outcome(&result), "promoted");
}

static void exposure_is_the_integral_of_the_candidates_percent(void **state)
{
	/* Traffic moves 0 s after a write: 10 % for 130 s, then 50 % until the
	 * second breach of those that begin at 200 s. */
	struct policy *policy = policy_with(NULL, 0);
	struct recording *recording = record(
		(struct change[]){{0, 0.001}, {200, 0.02}, {-1, 0}}, 900, "");
	struct sim_options options = {.shift_ms = 0};
	struct sim_result result;
	double until_s;

	sim_run(policy, recording, &options, NULL, NULL, &result);
	until_s = (double)(result.revert_ms - result.start_ms) / 1000;
	assert_float_equal(
		result.exposure_s, 0.1 * 130 + 0.5 * (until_s - 130), 1.5);
	recording_free(&recording);
	policy_free(&policy);
}

static void outages_in_the_recording_are_errors_not_breaches(void **state)
{
	struct policy *policy = policy_with(NULL, 0);
	struct recording *recording =
		record((struct change[]){{0, 0.001}, {-1, 0}}, 900,
			"\"errors\":[{\"from\":1767225660,\"to\":1767225780,"
			"\"type\":\"timeout\"}],");
	struct sim_options options = {.shift_ms = -1};
	struct sim_result result;

	sim_run(policy, recording, &options, NULL, NULL, &result);
	assert_string_equal(sim_outcome(&result), "promoted");
	/* 10 s of settle and 6 min of bake would be all without the outage. */
	assert_true(result.end_ms - result.start_ms > 430000);
	recording_free(&recording);
	policy_free(&policy);
}

static void incomplete_answers_decide_as_they_did_live(void **state)
{
	static const char *const accept[] = {"metrics.partial=accept"};
	struct sim_options options = {.shift_ms = -1};
	struct recording *recording =
		record((struct change[]){{0, 0.001}, {-1, 0}}, 900,
			"\"errors\":[{\"from\":1767225600,\"to\":1767226500,"
			"\"type\":\"partial\"}],");
	struct policy *policy = policy_with(NULL, 0);
	struct sim_result result;

	sim_run(policy, recording, &options, NULL, NULL, &result);
	assert_string_not_equal(sim_outcome(&result), "promoted");
	policy_free(&policy);
	policy = policy_with(accept, 1);
	sim_run(policy, recording, &options, NULL, NULL, &result);
	assert_string_equal(sim_outcome(&result), "promoted");
	recording_free(&recording);
	policy_free(&policy);
}

/* The times of checks that failed, after that of the first. */
struct waits {
	int64_t first_ms, ms[8];
	size_t n;
};

static void take_wait(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	struct waits *w = arg;

	if (note || event->type != EVENT_CHECK ||
		sim_judgement(sim)->outcome != OUTCOME_ERROR || w->n == 8)
		return;
	if (!w->n)
		w->first_ms = sim_now(sim);
	w->ms[w->n++] = sim_now(sim) - w->first_ms;
}

static struct waits waits_of(uint64_t seed, int64_t shift_ms)
{
	struct policy *policy = policy_with(NULL, 0);
	struct recording *recording =
		record((struct change[]){{0, 0.001}, {-1, 0}}, 900,
			"\"errors\":[{\"from\":1767225660,\"to\":1767225860,"
			"\"type\":\"error\"}],");
	struct sim_options options = {.shift_ms = shift_ms};
	struct sim_result result;
	struct waits waits = {0};

	recording->seed = seed;
	sim_run(policy, recording, &options, take_wait, &waits, &result);
	recording_free(&recording);
	policy_free(&policy);
	assert_int_equal(waits.n, 8);
	return waits;
}

/* However long traffic took before. */
static void checks_that_fail_wait_as_those_of_the_same_seed(void **state)
{
	struct waits live = waits_of(42, 0), again = waits_of(42, 1900),
		     other = waits_of(43, 0);

	assert_true(live.first_ms != again.first_ms);
	assert_memory_equal(live.ms, again.ms, sizeof(live.ms));
	assert_memory_not_equal(live.ms, other.ms, sizeof(live.ms));
}

/* Events at one virtual moment. */
struct moment {
	int64_t at_ms;
	int n;
};

static void count_at_moment(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	struct moment *moment = arg;

	moment->n = sim_now(sim) == moment->at_ms ? moment->n + 1 : 1;
	moment->at_ms = sim_now(sim);
	if (moment->n > 100)
		fail_msg("time stands still at %lld ms",
			(long long)(moment->at_ms - START_S * INT64_C(1000)));
}

/* The gate opens after 132 s and is approved 90 s later; between the two a breach
 * becomes the SLO's latest outcome. */
static void time_moves_at_a_gate_that_is_approved_during_a_breach(void **state)
{
	static const double after[] = {NAN, 0.001};
	struct scenario s = {.set = "steps.2.approval={approvers: [alice, bob],"
				    " minimum: 2, timeout: 4m}",
		.len_s = 1800,
		.approve = SIM_APPROVE_AFTER};
	struct sim_result result;
	struct moment moment;

	for (int i = 0; i < 2 * 12; i++) {
		int from_s = 120 + i / 2 * 10;

		s.changes[0] = (struct change){0, 0.001};
		s.changes[1] = (struct change){from_s, 0.02};
		s.changes[2] = (struct change){from_s + 10, after[i % 2]};
		s.changes[3] = (struct change){-1, 0};
		moment = (struct moment){0};
		play(&s, count_at_moment, &moment, &result);
		assert_true(phase_is_end(result.phase));
	}
}

static void a_missing_series_is_named(void **state)
{
	static const char *const sets[] = {
		"slos.errors.requests={query: r, min: 5}"};
	struct policy *policy = policy_with(sets, 1);
	struct recording *recording =
		record((struct change[]){{0, 0.001}, {-1, 0}}, 900, "");
	struct err err;

	assert_int_equal(sim_check(policy, recording, &err), -1);
	assert_int_equal(err_exit_status(err.code), 3);
	assert_non_null(strstr(err.text, "\"errors/requests\""));
	recording_free(&recording);
	policy_free(&policy);
}

/* What a listener hears, as one number. */
static void listen(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	uint64_t *hash = arg;
	uint64_t parts[] = {(uint64_t)sim_now(sim), (uint64_t)event->type,
		note ? (uint64_t)note->type + 1 : 0,
		(uint64_t)sim_percent(sim)};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		*hash = (*hash ^ parts[i]) * UINT64_C(1099511628211);
}

static void the_same_inputs_give_the_same_events_a_thousand_times(void **state)
{
	uint64_t first = 0, hash;
	struct sim_result result;
	int i;

	for (i = 0; i < 1000; i++) {
		hash = UINT64_C(14695981039346656037);
		play(&scenarios[1], listen, &hash, &result);
		if (i == 0)
			first = hash;
		assert_int_equal(hash, first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rollouts_end_as_they_should),
		cmocka_unit_test(
			the_first_bad_sample_and_what_it_cost_are_counted),
		cmocka_unit_test(late_samples_are_seen_late),
		cmocka_unit_test(
			exposure_is_the_integral_of_the_candidates_percent),
		cmocka_unit_test(
			outages_in_the_recording_are_errors_not_breaches),
		cmocka_unit_test(incomplete_answers_decide_as_they_did_live),
		cmocka_unit_test(
			checks_that_fail_wait_as_those_of_the_same_seed),
		cmocka_unit_test(
			time_moves_at_a_gate_that_is_approved_during_a_breach),
		cmocka_unit_test(a_missing_series_is_named),
		cmocka_unit_test(
			the_same_inputs_give_the_same_events_a_thousand_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
