/*
 * How fast recordings are read and rollouts are simulated, on one core:
 *   simulate_bench [ROLLOUTS]
 * Prints MB/s of JSON and one-hour rollouts (4 SLOs at 30 s) per CPU second.
 * Values are read as people write them and with the 17 digits of Prometheus;
 * beside them what a parser takes that builds a tree of everything first.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

int main(int argc, char **argv)
{
	struct buf json;

	buf_init(&json, 2UL * READ_BYTES);
	bench_reading(&json, SHORT);
	bench_reading(&json, LONG);
	bench_tree(&json);
	bench_rollouts(&json, argc > 1 ? atol(argv[1]) : 20000);
	buf_fini(&json);
	return 0;
}
