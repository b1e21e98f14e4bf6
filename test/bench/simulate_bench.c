/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast recordings are read and rollouts are simulated, on one core:
 *   simulate_bench [ROLLOUTS [thresholds|evidence]]     the second: only those
 * Prints MB/s of JSON and one-hour rollouts (4 SLOs at 30 s; 4 of kind evidence
 * at 15 s, two of them latencies) per CPU second, of the second kind also with
 * what the run before has read, as a sweep has it; and how fast the counters of
 * many instances are read.
 * Values are read as people write them and with the 17 digits of Prometheus;
 * beside them what a parser takes that builds a tree of everything first.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../sim/recorded_world.h"
#include "base/buf.h"
#include "sim/sim.h"

#define START_S    1767225600L
#define STEP_S     30
#define POINTS     121 /* one hour and its end */
#define SLOS       4
#define READ_BYTES (64 * 1024 * 1024)

static double cpu_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

enum values { SHORT, LONG }; /* 0.0012345, 0.06666666666666667 */

static void add_point(struct buf *out, enum values values, long i)
{
	buf_addf(out, "%s[%ld,", i ? "," : "", START_S + i * STEP_S);
	if (values == SHORT)
		buf_addf(out, "\"0.00%ld%ld\"]", i % 7 + 1, i * 7919 % 100000);
	else
		buf_addf(out, "\"%.16g\"]",
			(double)(i * 7919 % 99991 + 1) / 99991 / 15);
}

static void add_series(
	struct buf *out, int slo, long points, enum values values)
{
	long i;

	buf_addf(out,
		"%s\"slo-%d\":{\"query\":\"q\",\"data\":{\"resultType\":"
		"\"matrix\",\"result\":[{\"metric\":{},\"values\":[",
		slo ? "," : "", slo);
	for (i = 0; i < points; i++)
		add_point(out, values, i);
	buf_adds(out, "]}]}}");
}

static void make_recording(struct buf *out, long points, enum values values)
{
	int slo;

	buf_clear(out);
	buf_addf(out,
		"{\"version\":1,\"start\":%ld,\"end\":%ld,\"interval\":%d,"
		"\"series\":{",
		START_S, START_S + (points - 1) * STEP_S + 30, STEP_S);
	for (slo = 0; slo < SLOS; slo++)
		add_series(out, slo, points, values);
	buf_adds(out, "}}");
}

static struct recording *read_it(const struct buf *json)
{
	struct recording *recording;
	struct err err;

	recording = recording_parse("bench", json->data, json->len, &err);
	if (!recording) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	return recording;
}

static void bench_reading(struct buf *json, enum values values)
{
	struct recording *recording;
	double start, took;

	make_recording(
		json, READ_BYTES / SLOS / (values == SHORT ? 24 : 34), values);
	start = cpu_s();
	recording = read_it(json);
	took = cpu_s() - start;
	printf("read        %6.1f MB in %6.3f s: %6.0f MB/s (%zu points of %s "
	       "values)\n",
		(double)json->len / 1e6, took, (double)json->len / 1e6 / took,
		recording->n_points, values == SHORT ? "short" : "17-digit");
	recording_free(&recording);
}

/* As many bytes as there are, for comparison. */
static void bench_tree(const struct buf *json)
{
	double start = cpu_s(), took;
	json_t *root = json_loadb(json->data, json->len, 0, NULL);

	took = cpu_s() - start;
	printf("%-11s %6.1f MB in %6.3f s: %6.0f MB/s (a tree of values)\n",
		root ? "jansson" : "failed", (double)json->len / 1e6, took,
		(double)json->len / 1e6 / took);
	json_decref(root);
}

static void make_policy(
	struct policy *policy, struct step *steps, struct slo *slos)
{
	static const char *const names[] = {"slo-0", "slo-1", "slo-2", "slo-3"};
	int i;

	for (i = 0; i < SLOS; i++)
		slos[i] = (struct slo){.name = names[i],
			.query = "q",
			.has_max = true,
			.max = 1,
			.interval_ms = 30000,
			.window_ms = 120000,
			.fail_breaches = 2,
			.fail_of = 3,
			.min_passes = 3};
	steps[0] = (struct step){.percent = 10, .bake_ms = 600000};
	steps[1] = (struct step){.percent = 50, .bake_ms = 600000};
	steps[2] = (struct step){.percent = 100, .bake_ms = 2280000};
	*policy = (struct policy){.steps = steps,
		.n_steps = 3,
		.slos = slos,
		.n_slos = SLOS,
		.settle_ms = 30000,
		.hold_timeout_ms = 1800000,
		.revert_timeout_ms = 600000};
}

static void bench_rollouts(struct buf *json, long n)
{
	struct sim_options options = {.shift_ms = -1};
	struct recording *recording;
	struct sim_result result = {0};
	struct policy policy;
	struct step steps[3];
	struct slo slos[SLOS];
	double start, took;
	long i, checks = 0;

	make_policy(&policy, steps, slos);
	make_recording(json, POINTS, LONG);
	recording = read_it(json);
	start = cpu_s();
	for (i = 0; i < n; i++) {
		sim_run(&policy, recording, &options, NULL, NULL, &result);
		checks += result.checks;
	}
	took = cpu_s() - start;
	printf("simulate    %6ld rollouts in %6.3f s: %6.0f /s "
	       "(%ld checks each, ended %s after %lld s)\n",
		n, took, (double)n / took, checks / n, phase_name(result.phase),
		(long long)(result.end_ms - result.start_ms) / 1000);
	recording_free(&recording);
}

/* ---- kind evidence ---- */

#define WORLD_NAMES 6 /* series of a world */

/* Ten minutes at 10 and at 50 %, forty at 100 %. */
static void make_world(struct buf *json, int instances, int history_s)
{
	struct recorded_world world = recorded_good;

	world.length_s = 3600;
	world.history_s = history_s;
	world.instances = instances;
	world.latency = true;
	buf_clear(json);
	recorded_world_print(&world, json);
}

static void make_evidence_policy(
	struct policy *policy, struct step *steps, struct slo *slos)
{
	static const char *const names[] = {
		"errors", "latency", "errors-2", "latency-2"};
	int i;

	make_policy(policy, steps, slos);
	for (i = 0; i < SLOS; i++)
		slos[i] = (struct slo){.name = names[i],
			.kind = SLO_EVIDENCE,
			.total = i % 2 ? NULL : "t",
			.bad = i % 2 ? NULL : "b",
			.buckets = i % 2 ? "h" : NULL,
			.objective = i % 2 ? 0.05 : 0.01,
			.bound = 0.5,
			.bound_le = 0.5,
			.tolerance = -1,
			.floor = -1,
			.requests_needed = 100,
			.interval_ms = 15000,
			.timeout_ms = 5000};
	policy->settle_ms = 0;
	policy->evidence = (struct evidence_policy){
		.alpha = 0.05, .harm = 10, .history_ms = 10800000};
}

/* The same counters once more, for the other two SLOs. */
static void name_again(struct recording *recording,
	struct recording_series series[2 * WORLD_NAMES])
{
	static const char *const names[] = {"errors-2/total",
		"errors-2/baseline-total", "errors-2/bad",
		"errors-2/baseline-bad", "latency-2/buckets",
		"latency-2/baseline-buckets"};
	size_t i;

	for (i = 0; i < WORLD_NAMES; i++) {
		series[i] = series[WORLD_NAMES + i] = recording->series[i];
		series[WORLD_NAMES + i].name = names[i];
	}
	recording->series = series;
	recording->n_series = 2 * WORLD_NAMES;
}

static void run_evidence(const char *what, const struct policy *policy,
	const struct recording *recording, const struct sim_options *options,
	long n)
{
	struct sim_result result = {0};
	double start = cpu_s(), took;
	long i, checks = 0;

	for (i = 0; i < n; i++) {
		sim_run(policy, recording, options, NULL, NULL, &result);
		checks += result.checks;
	}
	took = cpu_s() - start;
	printf("%-11s %6ld rollouts in %6.3f s: %6.0f /s "
	       "(%ld checks each, ended %s after %lld s)\n",
		what, n, took, (double)n / took, checks / n,
		phase_name(result.phase),
		(long long)(result.end_ms - result.start_ms) / 1000);
}

static void bench_evidence(struct buf *json, long n)
{
	struct recording_series series[2 * WORLD_NAMES];
	struct sim_options options = {.shift_ms = -1};
	struct recording *recording;
	struct sim_past *past;
	struct policy policy;
	struct step steps[3];
	struct slo slos[SLOS];
	double start;

	make_evidence_policy(&policy, steps, slos);
	make_world(json, 2, 10800);
	recording = read_it(json);
	name_again(recording, series);
	start = cpu_s();
	options.past = past = sim_past_new(&policy, recording);
	printf("past        stable's in %.1f ms\n", (cpu_s() - start) * 1000);
	run_evidence("evidence", &policy, recording, &options, n);
	options.looks = sim_looks_new();
	run_evidence("in a sweep", &policy, recording, &options, n);
	sim_looks_free(&options.looks);
	free(past);
	recording_free(&recording);
}

/* Of as many instances as a world may have, each with all buckets. */
static void bench_counters(struct buf *json)
{
	struct recording *recording;
	double start, took;

	make_world(json, 16, 86400);
	start = cpu_s();
	recording = read_it(json);
	took = cpu_s() - start;
	printf("counters    %6.1f MB in %6.3f s: %6.0f MB/s (%zu points)\n",
		(double)json->len / 1e6, took, (double)json->len / 1e6 / took,
		recording->n_points);
	recording_free(&recording);
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 20000;
	const char *only = argc > 2 ? argv[2] : NULL;
	struct buf json;

	buf_init(&json, 2UL * READ_BYTES);
	if (!only) {
		bench_reading(&json, SHORT);
		bench_reading(&json, LONG);
		bench_tree(&json);
		bench_counters(&json);
	}
	if (!only || strcmp(only, "thresholds") == 0)
		bench_rollouts(&json, n);
	if (!only || strcmp(only, "evidence") == 0)
		bench_evidence(&json, n / 4);
	buf_fini(&json);
	return 0;
}
