/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How policies judge releases whose quality is known: rollouts in seeded
 * worlds, where requests and failures come at random.
 *   policy_bench [-n ROLLOUTS] POLICY…
 * Good candidates fail as often as stable does; what is taken back of them is
 * lost. Bad ones fail more often; what is promoted of them hurts.
 *
 * SLOs are told apart by their query: a histogram_quantile is a latency, all
 * else the share of requests that fail.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "policy/placeholder_env.h"
#include "sim/sim.h"

#define ROLES        (QUERY_REQUESTS + 1) /* those of thresholds */
#define ROLLOUTS     400
#define SECONDS      (5 * 3600) /* of one world, with all holds */
#define EVERY_S      10 /* from one sample to the next */
#define START_MS     INT64_C(1767225600000)
#define BEFORE_S     3600 /* stable has served before the rollout */
#define ALL_S        (BEFORE_S + SECONDS)
#define LOOKS_MAX    6 /* until the traffic is where the rollout puts it */
#define FAILS        0.001 /* of all requests, in every world */
#define CLUSTER      4 /* failures at once, on average */
#define INCIDENT_S   180
#define LATENCY_P95  0.2
#define PROBLEMS_MAX 65536

enum arm { CANDIDATE, STABLE, ARMS };

static const struct world {
	const char *name;
	double rate; /* requests a second, of the whole service */
	bool clusters; /* failures come together */
	double incident; /* share that fails for a while, of both revisions */
	double bad; /* share that fails more of the candidate's; 0: it is good */
} worlds[] = {
	{"good, 5/s", 5, false, 0, 0},
	{"good, 50/s", 50, false, 0, 0},
	{"good, 5/s, failures in clusters", 5, true, 0, 0},
	{"good, 50/s, failures in clusters", 50, true, 0, 0},
	{"good, 50/s, 3 % fail of both for 3m", 50, false, 0.03, 0},
	{"good, 50/s, 15 % fail of both for 3m", 50, false, 0.15, 0},
	{"bad by 2 %, 50/s", 50, false, 0, 0.02},
	{"bad by 5 %, 5/s", 5, false, 0, 0.05},
	{"bad by 5 %, 50/s", 50, false, 0, 0.05},
	{"bad by 30 %, 50/s", 50, false, 0, 0.30},
};

/* What happened until each second, of one revision. */
struct past {
	double requests[ALL_S + 1], failures[ALL_S + 1];
};

/* One rollout's world. */
struct scene {
	const struct policy *policy;
	const struct world *world;
	uint64_t seed;
	int percent[SECONDS]; /* of the candidate, in each second */
	struct past past[ARMS];
	struct recording recording;
	struct recording_point *point; /* all of them */
	size_t n_points;
};

/* ---- chance ---- */

static double failures(struct rng *rng, const struct world *world,
	double requests, double share)
{
	double n = 0;
	int clusters;

	if (!world->clusters)
		return fmin(requests, rng_poisson(rng, requests * share));
	clusters = (int)rng_poisson(rng, requests * share / CLUSTER);
	while (clusters--)
		n += 1 + rng_poisson(rng, CLUSTER - 1);
	/* They go on for longer than the second: none of them is lost. */
	return n;
}

/* The same chances for each second, however the traffic is split. */
static void live_second(struct scene *scene, int s, int percent)
{
	const struct world *world = scene->world;
	int incident = (int)(scene->seed * 7919 % 2400);
	double share, requests, failed;
	struct rng rng;

	for (enum arm arm = 0; arm < ARMS; arm++) {
		struct past *past = &scene->past[arm];

		rng_init(&rng, scene->seed << 32 ^ (uint64_t)s << 2 ^ arm);
		(void)rng_next(&rng);
		share = FAILS + (arm == CANDIDATE ? world->bad : 0);
		if (s - BEFORE_S >= incident &&
			s - BEFORE_S < incident + INCIDENT_S)
			share += world->incident;
		requests = rng_poisson(&rng,
			world->rate / 100 *
				(arm == CANDIDATE ? percent : 100 - percent));
		failed = failures(&rng, world, requests, share);
		past->requests[s + 1] = past->requests[s] + requests;
		past->failures[s + 1] = past->failures[s] + failed;
	}
}

/* ---- what the metrics say of it ---- */

static bool is_latency(const struct slo *slo)
{
	return strstr(slo->query, "histogram_quantile") != NULL;
}

/* NAN: no value. */
static double value_at(const struct scene *scene, const struct slo *slo,
	enum query_role role, int s)
{
	enum arm arm = role == QUERY_BASELINE ? STABLE : CANDIDATE;
	const struct past *past = &scene->past[arm];
	int from, to = BEFORE_S + s;
	double requests, failed;
	struct rng rng;

	to -= (int)(scene->policy->metrics.delay_ms / 1000);
	from = to - (int)(slo->window_ms / 1000);
	requests = past->requests[to] - past->requests[from];
	failed = past->failures[to] - past->failures[from];
	if (role == QUERY_REQUESTS)
		return requests;
	if (requests == 0)
		return NAN;
	if (!is_latency(slo))
		return fmin(1, failed / requests);
	rng_init(&rng, scene->seed * 31 + (uint64_t)s * 2 + arm);
	return LATENCY_P95 * exp((rng_unit(&rng) - 0.5) * 3 / sqrt(requests));
}

static void record(struct scene *scene, const struct slo *slo,
	enum query_role role, struct recording_series *series)
{
	struct recording_result *result = series->result;
	double value;

	result->point = scene->point + scene->n_points;
	result->n = 0;
	for (int s = 0; s < SECONDS; s += EVERY_S) {
		value = value_at(scene, slo, role, s);
		if (isnan(value))
			continue;
		scene->point[scene->n_points++] = (struct recording_point){
			START_MS + s * INT64_C(1000), value};
		result->n++;
	}
}

static void record_all(struct scene *scene)
{
	struct recording *rec = &scene->recording;
	const struct policy *policy = scene->policy;

	for (int s = 0; s < ALL_S; s++)
		live_second(scene, s,
			s < BEFORE_S ? 0 : scene->percent[s - BEFORE_S]);
	scene->n_points = 0;
	for (size_t i = 0; i < rec->n_series; i++)
		record(scene, &policy->slos[i / ROLES],
			(enum query_role)(i % ROLES), &rec->series[i]);
}

static void scene_init(struct scene *scene, const struct policy *policy)
{
	static const char *const kinds[ROLES] = {"", "/baseline", "/requests"};
	struct recording *rec = &scene->recording;

	*scene = (struct scene){.policy = policy};
	arena_init(&rec->arena);
	rec->path = "a seeded world";
	rec->service = rec->candidate = rec->stable = "";
	rec->start_ms = START_MS;
	rec->end_ms = START_MS + SECONDS * INT64_C(1000);
	rec->interval_ms = EVERY_S * INT64_C(1000);
	rec->shift_ms = -1;
	rec->n_series = policy->n_slos * ROLES;
	rec->series =
		arena_alloc(&rec->arena, rec->n_series * sizeof(*rec->series));
	for (size_t i = 0; i < rec->n_series; i++)
		rec->series[i] = (struct recording_series){
			.name = arena_printf(&rec->arena, "%s%s",
				policy->slos[i / ROLES].name, kinds[i % ROLES]),
			.n_results = 1,
			.result = arena_alloc(
				&rec->arena, sizeof(struct recording_result))};
	scene->point = xcalloc(
		rec->n_series * (SECONDS / EVERY_S), sizeof(*scene->point));
}

static void scene_fini(struct scene *scene)
{
	arena_fini(&scene->recording.arena);
	free(scene->point);
}

/* ---- rollouts ---- */

struct trace {
	int percent[SECONDS];
	int second, now; /* up to where it is known; what serves then */
};

static void trace_until(struct trace *trace, int64_t now_ms)
{
	int s = (int)((now_ms - START_MS) / 1000);

	for (; trace->second < s && trace->second < SECONDS; trace->second++)
		trace->percent[trace->second] = trace->now;
}

static void heard(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	struct trace *trace = arg;

	trace_until(trace, sim_now(sim));
	trace->now = sim_percent(sim);
}

/* Until the traffic of the recording is that of the rollout. */
static void roll_out(struct scene *scene, struct sim_result *result)
{
	static struct trace trace;
	struct sim_options options = {.shift_ms = -1};

	memset(scene->percent, 0, sizeof(scene->percent));
	for (int i = 0; i < LOOKS_MAX; i++) {
		record_all(scene);
		memset(&trace, 0, sizeof(trace));
		scene->recording.seed = scene->seed;
		sim_run(scene->policy, &scene->recording, &options, heard,
			&trace, result);
		trace_until(&trace, scene->recording.end_ms);
		if (!memcmp(trace.percent, scene->percent,
			    sizeof(trace.percent)))
			break;
		memcpy(scene->percent, trace.percent, sizeof(trace.percent));
	}
}

static void judge(struct scene *scene, const struct world *world, int n)
{
	int back = 0, promoted = 0, other = 0;
	double minutes = 0, exposure = 0;
	struct sim_result result;

	scene->world = world;
	for (int i = 1; i <= n; i++) {
		scene->seed = (uint64_t)i;
		roll_out(scene, &result);
		promoted += result.phase == PHASE_PROMOTED;
		back += result.phase == PHASE_ROLLED_BACK;
		other += result.phase != PHASE_PROMOTED &&
			 result.phase != PHASE_ROLLED_BACK;
		minutes += (double)(result.end_ms - result.start_ms) / 60000;
		exposure += result.exposure_s / 60;
	}
	printf("  %-38s %8.1f %% %8.1f %% %6.1f %% %7.0f m %7.1f m\n",
		world->name, 100.0 * back / n, 100.0 * promoted / n,
		100.0 * other / n, minutes / n, exposure / n);
}

static struct policy *load(const char *path)
{
	struct policy *policy;
	struct buf problems;
	struct err err;

	buf_init(&problems, PROBLEMS_MAX);
	policy = policy_env_real.read_file(path, &problems, &err, NULL) < 0
			 ? NULL
			 : policy_parse(path, problems.data, problems.len,
				   &placeholder_env, &(struct buf){0}, &err);
	if (!policy) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	buf_fini(&problems);
	return policy;
}

int main(int argc, char **argv)
{
	static struct scene scene;
	struct policy *policy;
	int n = ROLLOUTS, i = 1;

	if (argc > 2 && !strcmp(argv[1], "-n")) {
		n = atoi(argv[2]);
		i = 3;
	}
	for (; i < argc; i++) {
		policy = load(argv[i]);
		scene_init(&scene, policy);
		printf("%s, %d rollouts each\n  %-38s %10s %10s %8s %9s %9s\n",
			argv[i], n, "world", "taken back", "promoted",
			"neither", "took", "exposure");
		for (size_t w = 0; w < sizeof(worlds) / sizeof(*worlds); w++)
			judge(&scene, &worlds[w], n);
		scene_fini(&scene);
		policy_free(&policy);
	}
	return 0;
}
