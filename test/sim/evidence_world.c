/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded worlds of requests; see evidence_world.h. */
#include "evidence_world.h"

#include <math.h>
#include <string.h>

#define HISTORY_ROWS  360
#define HISTORY_ROW_S 30
#define MEDIAN_S      0.1
#define SPREAD        0.7 /* of the logarithm of latency */
#define CLUSTER_MOST  200 /* times the smallest of a tail */
#define TWO_PI        6.283185307179586
#define BROKEN_SHARE  0.3

static const double bounds[WORLD_BUCKETS - 1] = {
	.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};

const struct world world_good = {.rate = 50,
	.base = 0.001,
	.errors = 0.001,
	.slower = 1,
	.slow_part = 1};

/* ---- chance ---- */

static bool happens(struct rng *rng, double chance)
{
	return chance > 0 && rng_unit(rng) < chance;
}

/* ---- requests ---- */

/* Share of requests that take longer than the bucket's bound. */
static double above(size_t bucket, double slower)
{
	if (bucket + 1 == WORLD_BUCKETS)
		return 0;
	return 0.5 * erfc(log(bounds[bucket] / (MEDIAN_S * slower)) /
			     (SPREAD * sqrt(2)));
}

static const double *buckets_of(struct world_run *run, double slower)
{
	double over = 1, next, *shares;
	size_t b, i;

	for (i = 0; i < 2; i++) {
		if (run->bucket_slower[i] == slower)
			return run->in_bucket[i];
	}
	i = run->bucket_next;
	run->bucket_next = !i;
	run->bucket_slower[i] = slower;
	shares = run->in_bucket[i];
	for (b = 0; b < WORLD_BUCKETS; b++) {
		next = above(b, slower);
		shares[b] = over - next;
		over = next;
	}
	return shares;
}

/* Errors among requests that make `mean` of them likely. */
static double errors_of(struct world_run *run, double mean)
{
	const struct noise *noise = &run->world->noise;
	double size = noise->cluster, clusters, sum = 0;

	if (size <= 1)
		return rng_poisson(&run->rng, mean);
	if (!noise->cluster_tail)
		return size * rng_poisson(&run->rng, mean / size);
	/* Pareto with exponent 1.5: its mean is three times the smallest. */
	clusters = rng_poisson(&run->rng, mean / (3 * size));
	while (clusters-- > 0)
		sum += floor(fmin(CLUSTER_MOST * size,
			size * pow(1 - rng_unit(&run->rng), -1 / 1.5)));
	return sum;
}

/* What one instance is like at the moment. */
struct mood {
	double bad; /* share of errors */
	double slower, slow_part;
};

/* Adds `mean` requests of an instance to the bins of both objectives. */
static void draw(struct world_run *run, double mean, const struct mood *mood,
	struct evidence_counts *errors, struct evidence_counts *latency)
{
	double slow[WORLD_BUCKETS], n = 0, bad, k;
	const double *usual = slow;
	size_t b;

	memcpy(slow, buckets_of(run, mood->slower), sizeof(slow));
	if (mood->slow_part < 1)
		usual = buckets_of(run, 1);
	for (b = 0; b < WORLD_BUCKETS; b++) {
		k = rng_poisson(&run->rng,
			mean * (mood->slow_part * slow[b] +
				       (1 - mood->slow_part) * usual[b]));
		latency->bin[b] += k;
		n += k;
	}
	bad = fmin(n, errors_of(run, n * mood->bad));
	errors->bin[0] += n - bad;
	errors->bin[1] += bad;
}

/* ---- what goes on ---- */

static void wander(struct world_run *run, double *value,
	const struct noise_wander *by, double s)
{
	double kept;

	if (by->by <= 0)
		return;
	kept = exp(-s / by->over_s);
	*value = *value * kept +
		 by->by * sqrt(1 - kept * kept) * rng_normal(&run->rng);
}

static void be_born(struct world_run *run, struct instance *instance)
{
	const struct noise *noise = &run->world->noise;

	*instance = (struct instance){.burst_left_s = 0};
	if (noise->errors_differ > 0)
		instance->errors = noise->errors_differ * rng_normal(&run->rng);
	if (noise->latency_differs > 0)
		instance->latency =
			noise->latency_differs * rng_normal(&run->rng);
	if (noise->errors.by > 0)
		instance->errors_now = noise->errors.by * rng_normal(&run->rng);
	if (noise->latency.by > 0)
		instance->latency_now =
			noise->latency.by * rng_normal(&run->rng);
}

static void live_on(struct world_run *run, struct instance *instance, double s)
{
	const struct noise *noise = &run->world->noise;

	if (noise->replaced_s > 0 && happens(&run->rng, s / noise->replaced_s))
		be_born(run, instance);
	wander(run, &instance->errors_now, &noise->errors, s);
	wander(run, &instance->latency_now, &noise->latency, s);
	instance->burst_left_s = fmax(0, instance->burst_left_s - s);
	if (happens(&run->rng, noise->burst.per_hour * s / 3600))
		instance->burst_left_s = noise->burst.for_s;
}

static void all_live_on(struct world_run *run, double s)
{
	size_t i;

	run->s += s;
	if (!run->world->noise.instances) {
		live_on(run, &run->service, s);
		return;
	}
	for (i = 0; i < WORLD_INSTANCES; i++) {
		live_on(run, &run->instance[WORLD_CANDIDATE][i], s);
		live_on(run, &run->instance[WORLD_STABLE][i], s);
	}
}

void world_begin(
	struct world_run *run, const struct world *world, uint64_t seed)
{
	size_t i;

	memset(run, 0, sizeof(*run));
	run->world = world;
	rng_init(&run->rng, seed);
	run->wave_from = rng_unit(&run->rng);
	be_born(run, &run->service);
	for (i = 0; world->noise.instances && i < WORLD_INSTANCES; i++) {
		be_born(run, &run->instance[WORLD_CANDIDATE][i]);
		be_born(run, &run->instance[WORLD_STABLE][i]);
	}
}

static bool is_incident(const struct world_run *run)
{
	const struct noise *noise = &run->world->noise;

	return noise->incident_for_s > 0 && run->s > noise->incident_s &&
	       run->s <= noise->incident_s + noise->incident_for_s;
}

/* The candidate's own share of errors, without noise. */
static double candidate_errors(const struct world_run *run)
{
	const struct world *w = run->world;
	double grown = w->ramp_s > 0 ? (run->s - w->from_s) / w->ramp_s : 1;

	if (run->s <= w->from_s)
		return w->base;
	return w->base + (w->errors - w->base) * fmin(1, grown);
}

static void mood_of(const struct world_run *run, int arm,
	const struct instance *instance, double in_step_s, struct mood *mood_r)
{
	const struct world *w = run->world;
	const struct noise *noise = &w->noise;
	bool worse = arm == WORLD_CANDIDATE && run->s > w->from_s;
	struct mood *m = mood_r;

	m->bad = arm == WORLD_CANDIDATE ? candidate_errors(run) : w->base;
	m->slow_part = worse ? w->slow_part : 1;
	m->slower = worse ? w->slower : 1;
	m->bad *= exp(instance->errors + instance->errors_now);
	if (noise->drift > 0)
		m->bad *= pow(noise->drift, run->s / 3600);
	if (instance->latency != 0 || instance->latency_now != 0)
		m->slower *= exp(instance->latency + instance->latency_now);
	if (instance->burst_left_s > 0) {
		m->bad = fmax(m->bad, noise->burst.errors);
		m->slower *= noise->burst.slower > 0 ? noise->burst.slower : 1;
	}
	if (is_incident(run)) {
		m->bad = fmax(m->bad, noise->incident);
		m->slower *=
			noise->incident_slower > 0 ? noise->incident_slower : 1;
	}
	if (arm == WORLD_CANDIDATE && in_step_s <= noise->cold_s)
		m->slower *= noise->cold_slower;
	m->bad = fmin(m->bad, 1);
}

/* Requests per second of the whole service, at the moment. */
static double traffic(struct world_run *run)
{
	const struct noise *noise = &run->world->noise;
	double rate = run->world->rate;

	if (noise->wave > 0)
		rate *= 1 +
			noise->wave *
				sin(TWO_PI * (run->wave_from +
						     run->s / noise->wave_s));
	if (noise->traffic > 0)
		rate *= exp(noise->traffic * rng_normal(&run->rng) -
			    noise->traffic * noise->traffic / 2);
	return rate;
}

/* `n` instances of an arm share its `mean` requests. */
static void draw_arm(struct world_run *run, int arm, size_t from, size_t n,
	double mean, double in_step_s, struct evidence_counts *errors,
	struct evidence_counts *latency)
{
	const struct instance *instance = &run->service;
	struct mood mood;
	size_t i;

	if (!run->world->noise.instances)
		n = 1;
	for (i = 0; i < n && mean > 0; i++) {
		if (run->world->noise.instances)
			instance = &run->instance[arm][from + i];
		mood_of(run, arm, instance, in_step_s, &mood);
		draw(run, mean / (double)n, &mood, errors, latency);
	}
}

/* ---- history ---- */

static void history_add(struct slo_history *h, const struct history_row *row,
	size_t bins, size_t bound)
{
	size_t half, b;

	for (half = 0; half < 2; half++) {
		for (b = 0; b < bins; b++) {
			h->past.n += row->bin[half][b];
			if (b > bound)
				h->past.x += row->bin[half][b];
			h->histogram[b] += row->bin[half][b];
		}
	}
}

static void history_row(struct world_run *run, struct history_row *errors,
	struct history_row *latency)
{
	double mean = traffic(run) * HISTORY_ROW_S / 2;
	struct evidence_counts e, l;
	size_t half;

	all_live_on(run, HISTORY_ROW_S);
	for (half = 0; half < 2; half++) {
		memset(&e, 0, sizeof(e));
		memset(&l, 0, sizeof(l));
		draw_arm(run, WORLD_STABLE, half * WORLD_INSTANCES / 2,
			WORLD_INSTANCES / 2, mean, 0, &e, &l);
		memcpy(errors->bin[half], e.bin, sizeof(e.bin));
		memcpy(latency->bin[half], l.bin, sizeof(l.bin));
	}
}

void world_live_through_history(
	struct world_run *run, struct slo_history histories_r[WORLD_SLOS])
{
	static struct history_row rows[WORLD_SLOS][HISTORY_ROWS];
	const struct evidence_spec spec[WORLD_SLOS] = {{.bins = 2},
		{.latency = true, .bins = WORLD_BUCKETS, .bound = WORLD_BOUND}};
	struct slo_history *h = histories_r;
	size_t i, k;

	for (k = 0; k < WORLD_SLOS; k++) {
		h[k] = (struct slo_history){.slo = (int)k,
			.seconds = HISTORY_ROWS * HISTORY_ROW_S,
			.bins = spec[k].bins};
		memcpy(h[k].bounds, bounds, sizeof(bounds));
	}
	run->s = -HISTORY_ROWS * HISTORY_ROW_S;
	for (i = 0; i < HISTORY_ROWS; i++) {
		history_row(
			run, &rows[WORLD_ERRORS][i], &rows[WORLD_LATENCY][i]);
		for (k = 0; k < WORLD_SLOS; k++)
			history_add(&h[k], &rows[k][i], spec[k].bins,
				spec[k].bound);
	}
	for (k = 0; k < WORLD_SLOS; k++)
		dispersion_estimate(
			rows[k], HISTORY_ROWS, &spec[k], &h[k].dispersion);
	run->s = 0;
}

/* ---- the rollout ---- */

/* Seconds that an arm's sample covers; 0: there is none. */
static double sampled_s(struct world_run *run, int arm)
{
	const struct noise *noise = &run->world->noise;
	double s = WORLD_CHECK_S + run->missed_s[arm], before;

	if (happens(&run->rng, noise->missing)) {
		run->missed_s[arm] = s;
		return 0;
	}
	run->missed_s[arm] = 0;
	if (noise->window_s > 0) {
		before = run->offset_s[arm];
		run->offset_s[arm] = noise->window_s * rng_unit(&run->rng);
		s += run->offset_s[arm] - before;
	}
	if (happens(&run->rng, noise->reset))
		s *= rng_unit(&run->rng);
	return s;
}

static void break_once(struct world_run *run, struct evidence_counts *errors)
{
	double n = errors->bin[0] + errors->bin[1];

	if (run->world->noise.broken_s <= 0 || run->was_broken ||
		run->s < run->world->noise.broken_s)
		return;
	run->was_broken = true;
	errors->bin[1] = fmax(errors->bin[1], floor(BROKEN_SHARE * n));
	errors->bin[0] = n - errors->bin[1];
}

static size_t instances_of(double share)
{
	double n = floor(share * WORLD_INSTANCES + 0.5);

	return n < 1 ? 1 : (size_t)n;
}

void world_check(struct world_run *run, double share, double in_step_s,
	struct check_counts counts_r[WORLD_SLOS])
{
	const struct noise *noise = &run->world->noise;
	struct check_counts *errors = &counts_r[WORLD_ERRORS];
	struct check_counts *latency = &counts_r[WORLD_LATENCY];
	double s[2], rate;

	memset(counts_r, 0, WORLD_SLOS * sizeof(counts_r[0]));
	errors->bins = 2;
	latency->bins = WORLD_BUCKETS;
	memcpy(latency->bounds, bounds, sizeof(bounds));
	all_live_on(run, WORLD_CHECK_S);
	rate = traffic(run);
	s[WORLD_CANDIDATE] = sampled_s(run, WORLD_CANDIDATE);
	s[WORLD_STABLE] = sampled_s(run, WORLD_STABLE);
	if (noise->uneven > 0 && share < 1)
		share *= noise->uneven;
	draw_arm(run, WORLD_CANDIDATE, 0, instances_of(share),
		rate * share * s[WORLD_CANDIDATE], in_step_s,
		&errors->candidate, &latency->candidate);
	draw_arm(run, WORLD_STABLE, 0, instances_of(1 - share),
		rate * (1 - share) * s[WORLD_STABLE], in_step_s,
		&errors->stable, &latency->stable);
	errors->candidate.known = latency->candidate.known =
		s[WORLD_CANDIDATE] > 0;
	errors->stable.known = latency->stable.known = s[WORLD_STABLE] > 0;
	break_once(run, &errors->candidate);
	run->bad = (struct request_sum){
		.n = errors->candidate.bin[0] + errors->candidate.bin[1],
		.x = errors->candidate.bin[1]};
}
