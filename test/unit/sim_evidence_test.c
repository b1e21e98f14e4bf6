/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SLOs of kind evidence on recordings: counters of several instances, stable's
 * past before the start, and where a recording has no more to say.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/recorded_world.h"
#include "policy_fixture.h"
#include "sim/recorder.h"
#include "sim/sim.h"

#define BYTES_MAX (16 * 1024 * 1024)

static const char source[] =
	"version: 1\n"
	"name: sim\n"
	"metrics: {url: 'https://metrics.example'}\n"
	"steps:\n"
	"  - {percent: 10, bake: 10m}\n"
	"  - {percent: 50, bake: 10m}\n"
	"  - {percent: 100, bake: 10m}\n"
	"slos:\n"
	"  - {name: errors, kind: evidence, objective: 1%,\n"
	"     total: 'requests_total{revision=\"{{revision}}\"}',\n"
	"     bad: 'requests_total{revision=\"{{revision}}\",code=\"500\"}'}\n"
	"  - {name: latency, kind: evidence, objective: 5%, bound: 500ms,\n"
	"     buckets: 'seconds_bucket{revision=\"{{revision}}\"}'}\n"
	"settle: 0s\n";

/* Whose metrics say what they grew by in each minute. */
static const char by_the_minute[] =
	"version: 1\n"
	"name: sim\n"
	"metrics: {url: 'https://metrics.example'}\n"
	"steps:\n"
	"  - {percent: 10, bake: 10m}\n"
	"  - {percent: 100, bake: 10m}\n"
	"slos:\n"
	"  - {name: errors, kind: evidence, objective: 1%,\n"
	"     total: 'run_googleapis_com:request_count{r=\"{{revision}}\"}',\n"
	"     bad: 'run_googleapis_com:request_count{r=\"{{revision}}\",\n"
	"       response_code_class=\"5xx\"}'}\n"
	"settle: 0s\n";

static struct policy *policy;
static struct sim_result result;
static struct slo_history history[2]; /* as the rollout began with */
static size_t n_histories;
static double candidate, stable; /* requests that were counted: errors */
static double failed; /* … those of the candidate among them that were bad */
static int errors; /* checks that failed */

static int setup(void **state)
{
	(void)state;
	policy = policy_given(NULL, "%s", source);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	policy_free(&policy);
	return 0;
}

static double requests_of(const struct evidence_counts *arm)
{
	return arm->known ? arm->bin[0] + arm->bin[1] : 0;
}

static void listen(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	size_t i;

	(void)sim;
	(void)arg;
	if (note)
		return;
	if (event->type == EVENT_PREFLIGHT) {
		n_histories = event->n_histories;
		for (i = 0; i < n_histories && i < 2; i++)
			history[i] = event->histories[i];
	}
	if (event->type != EVENT_CHECK || event->slo != 0)
		return;
	errors += !event->answers.counts;
	if (!event->answers.counts)
		return;
	candidate += requests_of(&event->answers.counts->candidate);
	failed += event->answers.counts->candidate.bin[1];
	stable += requests_of(&event->answers.counts->stable);
}

static struct recording *parse(const char *json, size_t len)
{
	struct err err;
	struct recording *recording = recording_parse("r", json, len, &err);

	if (!recording)
		fail_msg("%d:%d: %s", err.pos.line, err.pos.col, err.text);
	return recording;
}

static void play(const struct recording *recording, const char *fault)
{
	struct fault parsed;
	struct sim_options options = {
		.shift_ms = -1, .faults = &parsed, .n_faults = fault != NULL};
	struct err err;

	candidate = stable = failed = errors = 0;
	if (fault)
		assert_int_equal(fault_parse(fault, &parsed, &err), 0);
	assert_int_equal(sim_check(policy, recording, &err), 0);
	sim_run(policy, recording, &options, listen, NULL, &result);
}

static void print_world(struct recorded_world world, struct buf *json)
{
	world.latency = true;
	buf_init(json, BYTES_MAX);
	recorded_world_print(&world, json);
	assert_false(json->overflow);
}

static void play_world(struct recorded_world world, const char *fault)
{
	struct recording *recording;
	struct buf json;

	print_world(world, &json);
	recording = parse(json.data, json.len);
	play(recording, fault);
	recording_free(&recording);
	buf_fini(&json);
}

static void expect(const char *outcome, const char *reason)
{
	if (strcmp(sim_outcome(&result), outcome) != 0 ||
		!strstr(result.reason, reason))
		fail_msg("%s: %s", sim_outcome(&result), result.reason);
}

static double minutes(void)
{
	return (double)(result.end_ms - result.start_ms) / 60000;
}

static void a_good_release_is_promoted(void **state)
{
	(void)state;
	play_world(recorded_good, NULL);
	expect("promoted", "every step");
	/* 10, 50 and 100 % of 50 requests per second, ten minutes each. */
	assert_true(fabs(candidate / (50 * 600 * 1.6) - 1) < 0.02);
	assert_true(fabs(stable / (50 * 600 * 1.4) - 1) < 0.02);
}

static void more_errors_than_stable_take_it_back(void **state)
{
	struct recorded_world world = recorded_good;

	(void)state;
	world.errors = 0.01;
	play_world(world, NULL);
	expect("rolled-back", "errors: candidate 1");
	assert_int_equal(result.exit_status, 5);
	assert_true(minutes() < 6);
	assert_true(result.checks_to_revert > 1);
	assert_true(result.first_bad_ms >= result.start_ms);
	assert_true(result.first_bad_ms < result.revert_ms);
}

static void slower_requests_take_it_back(void **state)
{
	struct recorded_world world = recorded_good;

	(void)state;
	world.slower = 2;
	play_world(world, NULL);
	expect("rolled-back", "latency: slower: ");
	assert_true(minutes() < 4);
}

static void what_stable_suffers_too_takes_nothing_back(void **state)
{
	struct recorded_world world = recorded_good;

	(void)state;
	world.incident = 0.05;
	world.incident_from_s = 300;
	world.incident_to_s = 600;
	play_world(world, NULL);
	expect("promoted", "every step");
}

/* What comes after a step back was not recorded. */
static void a_step_back_is_the_end_of_what_is_known(void **state)
{
	struct recorded_world world = recorded_good;

	(void)state;
	world.incident = 0.2;
	world.incident_from_s = 1500;
	world.incident_to_s = 1800;
	play_world(world, NULL);
	expect("waiting", "it steps back to 10 % to ask stable");
	assert_int_equal(result.exit_status, 8);
	assert_true(result.stepped_back);
	assert_true(minutes() > 25 && minutes() < 27);
}

static void stables_past_is_what_came_before_the_start(void **state)
{
	struct recorded_world world = recorded_good;

	(void)state;
	play_world(world, NULL);
	assert_int_equal(n_histories, 2);
	assert_true(history[0].seconds == 3600);
	assert_true(fabs(history[0].past.n / (50 * 3600) - 1) < 0.02);
	assert_true(fabs(history[0].past.x / (0.001 * 50 * 3600) - 1) < 0.25);
	assert_true(history[0].dispersion.phi < 2);
	assert_int_equal(history[1].bins, 6);
	assert_true(history[1].past.n == history[0].past.n);
	world.history_s = 0;
	world.errors = 0.01;
	play_world(world, NULL);
	assert_int_equal(n_histories, 0);
	expect("rolled-back", "errors: candidate");
}

/* As a rollout's journal says it: better than what can be asked later. */
static void a_past_that_is_said_is_taken_as_it_is(void **state)
{
	static const char said[] =
		"{\"history\":[{\"slo\":\"latency\",\"seconds\":60,"
		"\"requests\":106,\"bad\":0,\"le\":[0.25,0.5],"
		"\"buckets\":[90,10,6],\"phi\":1.5,\"phi_level\":2.5,"
		"\"phi_shape\":3.5}],";
	struct recording *recording;
	struct buf json, all;

	(void)state;
	print_world(recorded_good, &json);
	buf_init(&all, BYTES_MAX);
	buf_adds(&all, said);
	buf_add(&all, json.data + 1, json.len - 1);
	recording = parse(all.data, all.len);
	play(recording, NULL);
	assert_int_equal(n_histories, 2);
	assert_true(history[0].seconds == 3600);
	assert_int_equal(history[1].slo, 1);
	assert_true(history[1].seconds == 60 && history[1].past.n == 106);
	/* Slower than the policy's bound. */
	assert_true(history[1].past.x == 6);
	assert_true(history[1].dispersion.phi == 1.5);
	assert_true(history[1].dispersion.phi_level == 2.5);
	assert_true(history[1].dispersion.phi_shape == 3.5);
	recording_free(&recording);
	buf_fini(&json);
	buf_fini(&all);
}

static double counted_per_second(void)
{
	return (candidate + stable) * 1000 /
	       (double)(result.end_ms - result.start_ms);
}

/* Nobody asked for a while: what came then is counted when they are asked
 * again; what came while the process was dead is not. */
static void what_comes_in_an_outage_is_counted_after_it(void **state)
{
	(void)state;
	play_world(recorded_good, "metrics-down@3m+1m");
	expect("promoted", "every step");
	assert_true(errors >= 4);
	assert_true(fabs(counted_per_second() / 50 - 1) < 0.01);
	play_world(recorded_good, "crash@3m+2m");
	expect("promoted", "every step");
	assert_true(counted_per_second() / 50 < 0.96);
}

/* ---- recorded again ---- */

#define CHECKS_MAX 1024

/* What a rollout's journal has of its checks. */
struct journaled {
	struct {
		int slo;
		int64_t asked_ms;
		struct check_counts counts;
		double log_e;
	} check[CHECKS_MAX];
	size_t n;
	struct slo_history history[2];
};

static void keep(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	struct journaled *j = arg;
	const struct evidence_memory *evidence = sim_rollout(sim)->evidence;

	if (!note && event->type == EVENT_PREFLIGHT)
		memcpy(j->history, event->histories, sizeof(j->history));
	if (note || event->type != EVENT_CHECK || !event->answers.counts)
		return;
	assert_true(j->n < CHECKS_MAX);
	j->check[j->n].slo = event->slo;
	j->check[j->n].asked_ms = sim_now(sim);
	j->check[j->n].counts = *event->answers.counts;
	j->check[j->n++].log_e = evidence->slo[event->slo].numbers.log_e;
}

/* ---- several runs of one recording ---- */

static void run(const struct recording *recording, const char *fault,
	struct sim_looks *looks, struct journaled *j)
{
	struct fault parsed;
	struct sim_options options = {.shift_ms = -1,
		.faults = &parsed,
		.n_faults = fault != NULL,
		.looks = looks};
	struct err err;

	memset(j, 0, sizeof(*j));
	if (fault)
		assert_int_equal(fault_parse(fault, &parsed, &err), 0);
	sim_run(policy, recording, &options, keep, j, &result);
}

static void expect_the_same_arm(const struct evidence_counts *a,
	const struct evidence_counts *b, size_t bins)
{
	assert_int_equal(a->known, b->known);
	assert_memory_equal(a->bin, b->bin, bins * sizeof(a->bin[0]));
}

static void expect_the_same(
	const struct journaled *a, const struct journaled *b)
{
	const struct check_counts *x, *y;
	size_t i;

	assert_int_equal(a->n, b->n);
	for (i = 0; i < a->n; i++) {
		x = &a->check[i].counts;
		y = &b->check[i].counts;
		assert_int_equal(a->check[i].slo, b->check[i].slo);
		assert_int_equal(a->check[i].asked_ms, b->check[i].asked_ms);
		assert_true(a->check[i].log_e == b->check[i].log_e);
		assert_int_equal(x->bins, y->bins);
		expect_the_same_arm(&x->candidate, &y->candidate, x->bins);
		expect_the_same_arm(&x->stable, &y->stable, x->bins);
		if (x->bins > 2)
			assert_memory_equal(x->bounds, y->bounds,
				(x->bins - 1) * sizeof(x->bounds[0]));
	}
}

/* Checks come at other times after a crash, and earlier in a step that is left
 * on evidence: then the run before is no help. */
static void what_the_run_before_has_read_changes_nothing(void **state)
{
	static const struct {
		double alpha;
		enum step_pace pace;
		const char *fault;
	} runs[] = {{0.05}, {0.05}, {0.0001}, {0.05, PACE_EVIDENCE}, {0.05},
		{0.05, .fault = "crash@3m+100s"}, {0.0001},
		{0.05, .fault = "metrics-down@3m+1m"}, {0.0001, PACE_EVIDENCE}};
	static struct journaled alone, after;
	struct sim_looks *looks = sim_looks_new();
	struct recorded_world world = recorded_good;
	struct recording *recording;
	struct sim_result before;
	double alpha = policy->evidence.alpha;
	struct buf json;
	size_t i;

	(void)state;
	world.errors = 0.006;
	print_world(world, &json);
	recording = parse(json.data, json.len);
	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		policy->evidence.alpha = runs[i].alpha;
		policy->pace = runs[i].pace;
		run(recording, runs[i].fault, NULL, &alone);
		before = result;
		run(recording, runs[i].fault, looks, &after);
		expect_the_same(&alone, &after);
		assert_int_equal(before.end_ms, result.end_ms);
		assert_string_equal(before.reason, result.reason);
	}
	assert_true(sim_looks_count(looks, 0) > 10);
	policy->evidence.alpha = alpha;
	policy->pace = PACE_FIXED;
	sim_looks_free(&looks);
	recording_free(&recording);
	buf_fini(&json);
}

/* Good and bad worlds, that end in each way. */
static void whoever_listens_changes_nothing(void **state)
{
	static const struct {
		double errors, slower;
		enum step_pace pace;
		const char *fault;
	} runs[] = {{0.001, 1, PACE_EVIDENCE}, {0.004, 1}, {0.02, 1},
		{0.001, 1.5}, {0.001, 1, .fault = "crash@3m+100s"},
		{0.001, 1, .fault = "metrics-down@9m+2m"}};
	struct recorded_world world = recorded_good;
	struct sim_options options = {.shift_ms = -1};
	struct recording *recording;
	struct sim_result alone;
	struct buf json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		struct fault fault;
		struct err err;

		world.errors = runs[i].errors;
		world.slower = runs[i].slower;
		world.seed = i + 1;
		policy->pace = runs[i].pace;
		options.faults = &fault;
		options.n_faults = runs[i].fault != NULL;
		if (runs[i].fault)
			assert_int_equal(
				fault_parse(runs[i].fault, &fault, &err), 0);
		print_world(world, &json);
		recording = parse(json.data, json.len);
		sim_run(policy, recording, &options, listen, NULL, &result);
		sim_run(policy, recording, &options, NULL, NULL, &alone);
		assert_int_equal(alone.phase, result.phase);
		assert_int_equal(alone.end_ms, result.end_ms);
		assert_int_equal(alone.first_bad_ms, result.first_bad_ms);
		assert_int_equal(
			alone.checks_to_revert, result.checks_to_revert);
		assert_string_equal(alone.reason, result.reason);
		recording_free(&recording);
		buf_fini(&json);
	}
	policy->pace = PACE_FIXED;
}

static struct recording *record_again(const struct journaled *j, int64_t to_ms)
{
	struct recorder_plan plan = {.policy = policy,
		.counted = {true, true},
		.histories = j->history,
		.n_histories = policy->n_slos,
		.context = {.candidate = "new", .stable = "old"},
		.from_ms = (int64_t)RECORDED_START_S * 1000,
		.to_ms = to_ms + 60000,
		.step_ms = policy->slos[0].interval_ms,
		.shift_ms = -1,
		.from = "a",
		.to = "b"};
	struct recording *recording;
	struct recorder *recorder;
	struct err err;
	struct buf json;
	size_t i;

	recorder = recorder_new(&plan, NULL, NULL, &err);
	if (!recorder)
		fail_msg("%s", err.text);
	for (i = 0; i < j->n; i++)
		recorder_add_counts(recorder, (size_t)j->check[i].slo,
			j->check[i].asked_ms, &j->check[i].counts);
	buf_init(&json, BYTES_MAX);
	recorder_print(recorder, &json);
	recording = parse(json.data, json.len);
	buf_fini(&json);
	recorder_free(&recorder);
	return recording;
}

static void play_json_twice(const struct buf *json)
{
	static struct journaled before, after;
	struct sim_options options = {.shift_ms = -1};
	struct sim_result first;
	struct recording *recording;
	size_t i;

	before.n = after.n = 0;
	recording = parse(json->data, json->len);
	sim_run(policy, recording, &options, keep, &before, &first);
	recording_free(&recording);
	recording = record_again(&before, first.end_ms);
	sim_run(policy, recording, &options, keep, &after, &result);
	recording_free(&recording);
	assert_string_equal(sim_outcome(&result), sim_outcome(&first));
	assert_string_equal(result.reason, first.reason);
	assert_true(result.end_ms == first.end_ms);
	assert_int_equal(after.n, before.n);
	for (i = 0; i < after.n; i++) {
		assert_int_equal(after.check[i].slo, before.check[i].slo);
		if (after.check[i].log_e != before.check[i].log_e)
			fail_msg("check %zu: ln E is %.17g instead of %.17g", i,
				after.check[i].log_e, before.check[i].log_e);
	}
}

static void play_twice(struct recorded_world world)
{
	struct buf json;

	print_world(world, &json);
	play_json_twice(&json);
	buf_fini(&json);
}

/* What a rollout's checks counted is enough to decide the same at the same
 * check, to the last bit. */
static void a_recording_of_a_journal_decides_the_same(void **state)
{
	struct recorded_world world = recorded_good;

	(void)state;
	play_twice(world);
	world.errors = 0.01;
	play_twice(world);
	world = recorded_good;
	world.slower = 1.5;
	play_twice(world);
	world = recorded_good;
	world.incident = 0.2;
	world.incident_from_s = 1500;
	world.incident_to_s = 1800;
	play_twice(world);
}

/* ---- metrics that say what they grew by ---- */

#define PAST_S   3600
#define LENGTH_S 1500

/* Samples of so many in each minute, more or less; one of `each` minutes has
 * one where there are few. */
static void print_minutes(struct buf *out, const char *name, int from_s,
	int step_s, int n, int each)
{
	const char *comma = "";
	int t, minute;

	buf_addf(out,
		"%s\"errors/%s\":{\"data\":{\"resultType\":\"matrix\","
		"\"result\":[{\"metric\":{},\"values\":[",
		strcmp(name, "total") != 0 ? ",\n" : "", name);
	for (t = from_s; t <= LENGTH_S; t += t < 0 ? step_s : 60) {
		minute = (t + PAST_S) / 60;
		if (minute % each != 0)
			continue;
		buf_addf(out, "%s[%d,\"%d\"]", comma, RECORDED_START_S + t,
			n + (n > 50 ? minute * 37 % 11 : 0));
		comma = ",";
	}
	buf_adds(out, "]}]}}");
}

static void print_by_the_minute(struct buf *json, int bad)
{
	buf_init(json, BYTES_MAX);
	buf_addf(json,
		"{\"version\":1,\"start\":%d,\"end\":%d,\"interval\":60,"
		"\"series\":{\n",
		RECORDED_START_S, RECORDED_START_S + LENGTH_S);
	print_minutes(json, "total", 0, 60, 200, 1);
	print_minutes(json, "bad", 0, 60, bad, 10);
	print_minutes(json, "baseline-total", -PAST_S, 30, 2000, 1);
	print_minutes(json, "baseline-bad", -PAST_S, 30, 4, 1);
	buf_adds(json, "}}");
}

/* A minute is counted once, also when the next one has no sample. */
static void what_metrics_say_they_grew_by_is_added_up(void **state)
{
	struct policy *usual = policy;
	struct recording *recording;
	struct buf json;

	(void)state;
	policy = policy_given(NULL, "%s", by_the_minute);
	print_by_the_minute(&json, 1);
	recording = parse(json.data, json.len);
	play(recording, NULL);
	expect("promoted", "every step");
	assert_int_equal(n_histories, 1);
	assert_true(history[0].seconds == PAST_S);
	assert_true(fabs(history[0].past.n / (PAST_S / 60 * 2005) - 1) < 0.02);
	assert_true(history[0].past.x == PAST_S / 60 * 4);
	assert_true(fabs(candidate / (minutes() * 205) - 1) < 0.1);
	/* One in ten minutes. */
	assert_true(failed == 2);
	recording_free(&recording);
	buf_fini(&json);
	policy_free(&policy);
	policy = usual;
}

static void a_recording_of_what_grew_decides_the_same(void **state)
{
	static const int bad[] = {1, 100};
	struct policy *usual = policy;
	struct buf json;
	size_t i;

	(void)state;
	policy = policy_given(NULL, "%s", by_the_minute);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		print_by_the_minute(&json, bad[i]);
		play_json_twice(&json);
		buf_fini(&json);
	}
	policy_free(&policy);
	policy = usual;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_release_is_promoted),
		cmocka_unit_test(more_errors_than_stable_take_it_back),
		cmocka_unit_test(slower_requests_take_it_back),
		cmocka_unit_test(what_stable_suffers_too_takes_nothing_back),
		cmocka_unit_test(a_step_back_is_the_end_of_what_is_known),
		cmocka_unit_test(stables_past_is_what_came_before_the_start),
		cmocka_unit_test(a_past_that_is_said_is_taken_as_it_is),
		cmocka_unit_test(what_comes_in_an_outage_is_counted_after_it),
		cmocka_unit_test(what_the_run_before_has_read_changes_nothing),
		cmocka_unit_test(whoever_listens_changes_nothing),
		cmocka_unit_test(a_recording_of_a_journal_decides_the_same),
		cmocka_unit_test(what_metrics_say_they_grew_by_is_added_up),
		cmocka_unit_test(a_recording_of_what_grew_decides_the_same),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
