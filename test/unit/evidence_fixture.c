/* SPDX-License-Identifier: Apache-2.0 */
/* Worlds with SLOs of kind evidence; see evidence_fixture.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_fixture.h"

#define MINUTE    60000
#define CHECK_MS  15000
#define HISTORY_S 10800

/* Of requests that take as long as usual. */
static const double bounds[EVIDENCE_BUCKETS - 1] = {0.05, 0.1, 0.25, 0.5, 1};

static struct evidence_fixture *of_world(struct world *w)
{
	return (struct evidence_fixture *)((char *)w -
					   offsetof(struct evidence_fixture,
						   world));
}

/* The share of requests that take longer; 3 % of 500 ms. */
static double survival(double seconds, double slower)
{
	return seconds <= 0 ? 1 : pow(0.03, seconds / (0.5 * slower));
}

/* A whole number whose mean is `mean`. */
static double around(struct rng *rng, double mean)
{
	return floor(mean) + (rng_unit(rng) < mean - floor(mean));
}

static void count_errors(struct rng *rng, struct evidence_counts *arm,
	const struct shown *shown, double requests)
{
	double n = around(rng, requests);

	arm->bin[1] = fmin(n, around(rng, n * shown->errors));
	arm->bin[0] = n - arm->bin[1];
}

static void count_latency(struct rng *rng, struct evidence_counts *arm,
	const struct shown *shown, double requests)
{
	double before = 1, after;
	size_t i;

	for (i = 0; i < EVIDENCE_BUCKETS; i++, before = after) {
		after = i + 1 < EVIDENCE_BUCKETS
				? survival(bounds[i], shown->slower)
				: 0;
		arm->bin[i] = around(rng, requests * (before - after));
	}
}

static struct answers counters(struct world *w, int slo)
{
	struct evidence_fixture *f = of_world(w);
	struct check_counts *c = &f->ring[f->next++ % WORLD_QUEUE_MAX];
	double s = (double)(w->now_ms - f->counted_ms[slo]) / 1000;
	double candidate = w->serving.candidate / 100.0 * f->rate;
	void (*count)(struct rng *, struct evidence_counts *,
		const struct shown *, double) =
		slo == 0 ? count_errors : count_latency;

	if (!f->counted_ms[slo])
		s = 0;
	f->counted_ms[slo] = w->now_ms;
	*c = (struct check_counts){.bins = slo == 0 ? 2 : EVIDENCE_BUCKETS};
	if (slo == 1)
		memcpy(c->bounds, bounds, sizeof(bounds));
	c->candidate.known = !f->candidate.silent;
	c->stable.known = !f->stable.silent;
	if (c->candidate.known)
		count(&f->rng, &c->candidate, &f->candidate, candidate * s);
	if (c->stable.known)
		count(&f->rng, &c->stable, &f->stable,
			(f->rate - candidate) * s);
	return (struct answers){
		.item[QUERY_TOTAL] = {ANSWER_VALUE, NAN}, .counts = c};
}

static void set_history(struct evidence_fixture *f, int slo)
{
	static const struct shown usual = {0.001, 1, false};
	struct slo_history *history = &f->histories[slo];
	struct evidence_counts counts;
	double n = 50.0 * HISTORY_S;
	size_t i;

	*history = (struct slo_history){.slo = slo,
		.seconds = HISTORY_S,
		.dispersion = {1.2, 1.5, 1.1}};
	history->past.n = n;
	history->past.x = 0.001 * n;
	if (slo == 0)
		return;
	count_latency(&f->rng, &counts, &usual, n);
	history->bins = EVIDENCE_BUCKETS;
	memcpy(history->bounds, bounds, sizeof(bounds));
	history->past = (struct request_sum){0, 0};
	for (i = 0; i < EVIDENCE_BUCKETS; i++) {
		history->histogram[i] = counts.bin[i];
		history->past.n += counts.bin[i];
		history->past.x += i > 3 ? counts.bin[i] : 0;
	}
}

static struct slo slo_of(const char *name)
{
	return (struct slo){.name = name,
		.kind = SLO_EVIDENCE,
		.objective = 0.01,
		.tolerance = -1,
		.floor = -1,
		.requests_needed = 100,
		.interval_ms = CHECK_MS,
		.timeout_ms = 5000};
}

void evidence_fixture_init(struct evidence_fixture *f, uint64_t seed)
{
	size_t i;

	memset(f, 0, sizeof(*f));
	test_policy_init(&f->test);
	rng_init(&f->rng, seed);
	f->test.policy.pace = PACE_EVIDENCE;
	f->test.policy.evidence =
		(struct evidence_policy){.alpha = 0.05, .harm = 10};
	f->test.slos[0] = slo_of("errors");
	f->test.slos[0].total = "total";
	f->test.slos[0].bad = "bad";
	f->test.slos[1] = slo_of("latency");
	f->test.slos[1].buckets = "buckets";
	f->test.slos[1].bound = f->test.slos[1].bound_le = 0.5;
	f->test.slos[1].objective = 0.05;
	f->test.policy.n_slos = 2;
	for (i = 0; i < f->test.policy.n_steps; i++)
		f->test.steps[i].bake_ms = 10 * MINUTE;
	world_init(&f->world, &f->test.policy);
	f->world.answer = counters;
	set_history(f, 0);
	set_history(f, 1);
	f->world.histories = f->histories;
	f->world.n_histories = 2;
	f->rate = 50;
	f->candidate = f->stable = (struct shown){0.001, 1, false};
}

void evidence_fixture_fini(struct evidence_fixture *f)
{
	rollout_clear(&f->world.rollout);
}

void evidence_fixture_one_slo(struct evidence_fixture *f)
{
	f->test.policy.n_slos = 1;
	f->world.n_histories = 1;
}

void evidence_fixture_begin(struct evidence_fixture *f)
{
	world_start(&f->world);
}

void evidence_fixture_run_s(struct evidence_fixture *f, double seconds)
{
	world_run(&f->world, (int64_t)(seconds * 1000));
}

void evidence_fixture_reach(struct evidence_fixture *f, int percent)
{
	int64_t until_ms = f->world.now_ms + 120 * MINUTE;

	while (f->world.serving.candidate != percent) {
		assert_true(f->world.now_ms < until_ms);
		world_run(&f->world, 1000);
	}
}
