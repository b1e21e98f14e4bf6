/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy would catch; see forecast.h. */
#include "engine/forecast.h"

#include <math.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/evidence_plan.h"
#include "engine/forecast_threshold.h"

#define WORLDS            200 /* of each case of kind threshold */
#define WORLDS_SEED       UINT64_C(0x666f726563617374)
#define HORIZON_S         7200 /* longer than that is never, … */
#define HORIZON_MOST      1000 /* … or than so many checks, but for the step */
#define HALVINGS          10
#define LARGEST           1000 /* times stable's share, at most all requests */
#define USUALLY_SLOW      0.2 /* of the share that may be */
#define OUTAGE            0.3
#define OUTAGE_CHECKS     3
#define OBJECTIVE_MAX     0.5 /* of a policy, … */
#define OBJECTIVE_USUAL   0.01 /* … and what most have */
#define INTERVAL_USUAL_MS 15000
#define SHARE_MIN         0.01
#define SHARE_MAX         0.5

const double forecast_sizes[FORECAST_SIZES] = {2, 5, 10};

static const char not_known[] =
	"the service's rate, or its share of bad requests, is not known";

/* ---- what is known of the service ---- */

static const struct slo_history *history_of(
	const struct forecast_load *load, size_t slo)
{
	size_t i;

	for (i = 0; i < load->n_histories; i++) {
		if (load->histories[i].slo == (int)slo &&
			load->histories[i].seconds > 0 &&
			load->histories[i].past.n > 0)
			return &load->histories[i];
	}
	return NULL;
}

/* Stable without a single bad request may have almost one; NAN: its share is
 * not known. */
static double base_of(const struct slo_history *history)
{
	double bad = history->past.x;

	return isnan(bad) ? NAN : fmax(bad, 0.5) / history->past.n;
}

/* A service is usually well within what may be slow. */
static double slow_of(const struct forecast_load *load, double limit)
{
	return isnan(load->slow) ? limit * USUALLY_SLOW : load->slow;
}

/* As a history would be, of a calm service. */
static struct slo_history assumed(const struct policy *policy, size_t slo,
	const struct forecast_load *load)
{
	double seconds = (double)policy->evidence.history_ms / 1000;
	double objective = policy->slos[slo].objective;
	bool latency = policy->slos[slo].buckets != NULL;
	struct slo_history h = {.slo = (int)slo, .seconds = seconds};

	h.past.n = load->rate * seconds;
	h.past.x = h.past.n * (latency ? slow_of(load, objective) : load->bad);
	h.dispersion = (struct dispersion){
		FORECAST_CALM, FORECAST_CALM, FORECAST_CALM};
	return h;
}

/* The first of its kind that was measured, for SLOs that have no counters. */
static void fill_load(const struct policy *policy, struct forecast_load *load)
{
	const struct slo_history *h;
	size_t i;
	double *share;

	for (i = 0; i < policy->n_slos; i++) {
		h = history_of(load, i);
		if (!h)
			continue;
		share = policy->slos[i].buckets ? &load->slow : &load->bad;
		if (isnan(*share))
			*share = base_of(h);
		if (isnan(load->rate))
			load->rate = h->past.n / h->seconds;
	}
}

/* ---- kind evidence ---- */

static struct plan_step plan_step_of(const struct policy *policy,
	const struct evidence_memory *memory, const struct slo_history *history,
	double share)
{
	int64_t sample_ms = policy->metrics.resolution_ms;

	return (struct plan_step){.rate = history->past.n / history->seconds,
		.base = base_of(history),
		.share = share,
		.objectives = memory->n,
		.scrape_s = sample_ms ? (double)sample_ms / 1000
				      : memory->rules.check_s,
		.late_s = (double)policy->metrics.delay_ms / 1000,
		.history = history->past};
}

static void count_case(
	struct forecast_case *c, const struct forecast_slo *f, double rate)
{
	c->requests = rate * c->median_s;
	c->bad = c->requests * fmin(c->size * f->base, 1);
}

static void forecast_evidence(const struct policy *policy, size_t slo,
	struct evidence_memory *memory, const struct slo_history *history,
	struct forecast_slo *f)
{
	const struct evidence_spec *spec =
		&evidence_find(memory, (int)slo)->spec;
	struct plan_times times;
	struct plan_step step;
	size_t i, k;

	f->by = FORECAST_EVIDENCE;
	f->slow = spec->latency;
	f->phi = spec->phi;
	for (i = 0; i < policy->n_steps; i++) {
		struct forecast_step *s = &f->step[i];

		step = plan_step_of(policy, memory, history,
			policy->steps[i].percent / 100.0);
		s->requests = step.rate * step.share;
		for (k = 0; k < FORECAST_SIZES; k++) {
			s->sizes[k].size = forecast_sizes[k];
			plan_find(&step, &memory->rules, spec,
				forecast_sizes[k], &times);
			s->sizes[k].median_s = times.median_s;
			s->sizes[k].most_s = times.most_s;
			count_case(&s->sizes[k], f, s->requests);
		}
		s->smallest = plan_smallest(&step, &memory->rules, spec,
			(double)policy->steps[i].bake_ms / 1000);
		/* More than all requests cannot be bad. */
		if (s->smallest * f->base > 1)
			s->smallest = INFINITY;
	}
}

/* ---- kind threshold ---- */

static int later(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double step_s(const struct policy *policy, size_t step)
{
	const struct step *s = &policy->steps[step];

	return (double)(policy->settle_ms + policy_load_ms(policy, s) +
			s->bake_ms) /
	       1000;
}

static double horizon_s(const struct threshold_world *world, size_t step)
{
	double checks_s = HORIZON_MOST * (double)world->slo->interval_ms / 1000;

	return fmax(step_s(world->policy, step), fmin(HORIZON_S, checks_s));
}

static void play_case(const struct threshold_world *world, size_t step,
	struct forecast_case *c)
{
	double found[WORLDS], limit_s = horizon_s(world, step);
	struct rng rng;
	size_t i;

	rng_init(&rng, WORLDS_SEED);
	for (i = 0; i < WORLDS; i++)
		found[i] = threshold_play(world, step, c->size, limit_s, &rng);
	qsort(found, WORLDS, sizeof(found[0]), later);
	c->median_s = found[WORLDS / 2 - 1];
	c->most_s = found[WORLDS * 9 / 10 - 1];
}

static bool is_found_within(const struct threshold_world *world, size_t step,
	double size, double within_s)
{
	size_t i, missed = 0;
	struct rng rng;

	rng_init(&rng, WORLDS_SEED);
	for (i = 0; i < WORLDS && missed <= WORLDS / 10; i++)
		missed += !isfinite(
			threshold_play(world, step, size, within_s, &rng));
	return missed <= WORLDS / 10;
}

static double smallest_found(
	const struct threshold_world *world, size_t step, double within_s)
{
	double low = 1, high = fmin(LARGEST, 1 / world->base), middle;
	int i;

	if (!is_found_within(world, step, high, within_s))
		return INFINITY;
	for (i = 0; i < HALVINGS; i++) {
		middle = sqrt(low * high);
		if (is_found_within(world, step, middle, within_s))
			high = middle;
		else
			low = middle;
	}
	return high;
}

static double false_share(const struct threshold_world *world)
{
	size_t i, failed = 0;
	struct rng rng;

	rng_init(&rng, WORLDS_SEED);
	for (i = 0; i < WORLDS; i++)
		failed += threshold_play_good(world, &rng);
	return (double)failed / WORLDS;
}

static void play_steps(const struct policy *policy,
	const struct threshold_world *world, struct forecast_slo *f)
{
	size_t i, k;

	for (i = 0; i < policy->n_steps; i++) {
		struct forecast_step *s = &f->step[i];

		s->requests = f->rate * policy->steps[i].percent / 100.0;
		for (k = 0; k < FORECAST_SIZES; k++) {
			s->sizes[k].size = forecast_sizes[k];
			play_case(world, i, &s->sizes[k]);
			count_case(&s->sizes[k], f, s->requests);
		}
		s->smallest = smallest_found(world, i, step_s(policy, i));
	}
}

/* Its objective is the limit, where that is a share that may be one. */
static struct slo counted_instead(
	const struct slo *slo, const struct threshold_query *query)
{
	double limit = query->is_share ? slo->max / query->scale : query->tail;

	if (!slo->has_max || !(limit > 0) || limit > OBJECTIVE_MAX)
		limit = OBJECTIVE_USUAL;
	return (struct slo){.name = slo->name,
		.kind = SLO_EVIDENCE,
		.objective = limit,
		.buckets = query->is_share ? NULL : "",
		.tolerance = -1,
		.floor = -1,
		.interval_ms = INTERVAL_USUAL_MS};
}

/* What the same requests say when they are counted. */
static void forecast_instead(const struct policy *policy,
	const struct threshold_world *world, struct forecast_slo *f)
{
	struct slo slo = counted_instead(world->slo, &world->query);
	const struct forecast_load load = {
		.rate = world->rate, .bad = world->base, .slow = world->base};
	struct policy counted = *policy;
	struct evidence_memory *memory;
	struct slo_history history;

	counted.slos = &slo;
	counted.n_slos = 1;
	f->rate = world->rate;
	f->base = world->base;
	history = assumed(&counted, 0, &load);
	memory = evidence_memory_new(&counted, &history, 1);
	forecast_evidence(&counted, 0, memory, &history, f);
	free(memory);
}

static void forecast_threshold(const struct policy *policy, size_t slo,
	const struct forecast_load *load, struct forecast *forecast)
{
	struct forecast_slo *f = &forecast->slo[slo];
	struct threshold_world world = {.policy = policy,
		.slo = &policy->slos[slo],
		.rate = load->rate,
		.cluster = FORECAST_CALM};

	if (!threshold_query_look(world.slo, &world.query, &f->why))
		return;
	world.base = world.query.is_share ? load->bad
					  : slow_of(load, world.query.tail);
	f->rate = load->rate;
	f->slow = !world.query.is_share;
	f->base = world.base;
	f->phi = FORECAST_CALM;
	if (!(f->rate > 0) || !(f->base > 0)) {
		f->why = not_known;
		return;
	}
	f->by = FORECAST_WORLDS;
	play_steps(policy, &world, f);
	f->false_share = false_share(&world);
	forecast_instead(policy, &world, &forecast->instead[slo]);
}

/* ---- advice ---- */

/* So small a share that an outage costs what may be, and so long that ten times
 * stable's share is found by every SLO. */
static void advise(const struct policy *policy, struct evidence_memory *memory,
	const struct slo_history *histories, struct forecast *forecast)
{
	struct forecast_advice *advice = &forecast->advice;
	double outage_s = OUTAGE_CHECKS * memory->rules.check_s +
			  (double)policy->metrics.delay_ms / 1000;
	double size = forecast_sizes[FORECAST_SIZES - 1], cost;
	struct plan_times times;
	struct plan_step step;
	double rate = 0;
	size_t i;

	for (i = 0; i < memory->n; i++)
		rate = fmax(rate, memory->slo[i].rate);
	advice->known = true;
	advice->share = fmin(SHARE_MAX,
		fmax(SHARE_MIN, forecast->hurt / (OUTAGE * rate * outage_s)));
	advice->bake_s = memory->rules.dwell_s;
	for (i = 0; i < memory->n; i++) {
		step = plan_step_of(
			policy, memory, &histories[i], advice->share);
		plan_find(&step, &memory->rules, &memory->slo[i].spec, size,
			&times);
		cost = step.rate * step.share * fmin(1, size * step.base) *
		       times.median_s;
		if (isfinite(times.most_s)) {
			advice->bake_s = fmax(advice->bake_s, times.most_s);
			advice->bad = fmax(advice->bad, cost);
		}
	}
	forecast->holdback = rate * 0.1 < FORECAST_HOLDBACK_RATE
				     ? HOLDBACK_TOO_LITTLE
				     : HOLDBACK_WORTHWHILE;
}

/* ---- together ---- */

static void forecast_counted(const struct policy *policy,
	const struct forecast_load *load, struct forecast *forecast)
{
	struct slo_history histories[POLICY_SLOS_MAX];
	struct evidence_memory *memory;
	size_t i, n = 0;

	for (i = 0; i < policy->n_slos; i++) {
		const struct slo_history *h = history_of(load, i);
		struct forecast_slo *f = &forecast->slo[i];

		if (policy->slos[i].kind != SLO_EVIDENCE)
			continue;
		f->measured = h != NULL;
		histories[n] = h ? *h : assumed(policy, i, load);
		f->rate = histories[n].past.n / histories[n].seconds;
		f->base = base_of(&histories[n]);
		f->why = not_known;
		n += 1;
	}
	memory = evidence_memory_new(policy, histories, n);
	if (!memory)
		return;
	for (i = 0, n = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind != SLO_EVIDENCE)
			continue;
		if (forecast->slo[i].rate > 0 && forecast->slo[i].base > 0)
			forecast_evidence(policy, i, memory, &histories[n],
				&forecast->slo[i]);
		n++;
	}
	if (forecast->slo[memory->slo[0].slo].by == FORECAST_EVIDENCE)
		advise(policy, memory, histories, forecast);
	free(memory);
}

struct forecast *forecast_new(const struct policy *policy,
	const struct forecast_load *load, double hurt)
{
	struct forecast *forecast = xcalloc(
		1, sizeof(*forecast) +
			   2 * policy->n_slos * sizeof(forecast->slo[0]));
	struct forecast_load whole = *load;
	size_t i;

	forecast->hurt = hurt;
	forecast->n = policy->n_slos;
	forecast->instead = &forecast->slo[policy->n_slos];
	fill_load(policy, &whole);
	forecast_counted(policy, &whole, forecast);
	for (i = 0; i < policy->n_slos; i++) {
		if (policy->slos[i].kind != SLO_THRESHOLD)
			continue;
		if (load->counted_only)
			forecast->slo[i].why = "no worlds were played";
		else
			forecast_threshold(policy, i, &whole, forecast);
	}
	return forecast;
}

double forecast_requests(const struct policy *policy, size_t slo, size_t step,
	double base, double share)
{
	/* So slow that the length of a check does not matter. */
	const struct forecast_load load = {
		.rate = 1e-3, .bad = base, .slow = base};
	struct slo_history history = assumed(policy, slo, &load);
	struct evidence_memory *memory;
	struct plan_times times;
	struct plan_step plan;

	memory = evidence_memory_new(policy, &history, 1);
	plan = plan_step_of(
		policy, memory, &history, policy->steps[step].percent / 100.0);
	plan.base = base;
	plan_find(&plan, &memory->rules, &evidence_find(memory, (int)slo)->spec,
		share / base, &times);
	free(memory);
	return times.median_s * plan.rate * plan.share;
}
