/* Seeded worlds of requests; see evidence_world.h. */
#include "evidence_world.h"

#include <math.h>
#include <string.h>

#include "engine/evidence_dispersion.h"

#define HISTORY_ROWS   360
#define HISTORY_ROW_S  30
#define MEDIAN_S       0.1
#define SPREAD         0.7 /* of the logarithm of latency */
#define INCIDENT_FOR_S 300
#define POISSON_SMALL  40
#define TWO_PI         6.283185307179586

static const double bounds[WORLD_BUCKETS - 1] = {
	.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
static const double shares[WORLD_STEPS] = {0.1, 0.5, 1};

const struct world world_good = {.rate = 50,
	.base = 0.001,
	.cluster = 1,
	.errors = 0.001,
	.slower = 1,
	.slow_part = 1};

struct play {
	const struct world *world;
	struct rng rng;
	struct evidence_rules rules;
	struct bet_rules bets;
	struct evidence_state state;
	struct evidence_spec spec[WORLD_SLOS]; /* errors, latency */
	struct evidence_objective objective[WORLD_SLOS];
};

static double poisson(struct rng *rng, double mean)
{
	double limit = exp(-mean), product = 1, k = -1, normal;

	if (mean <= 0)
		return 0;
	if (mean < POISSON_SMALL) {
		do {
			product *= rng_unit(rng);
			k++;
		} while (product > limit);
		return k;
	}
	normal =
		sqrt(-2 * log(1 - rng_unit(rng))) * cos(TWO_PI * rng_unit(rng));
	return fmax(0, floor(mean + sqrt(mean) * normal + 0.5));
}

/* Share of requests that take longer than the bucket's bound. */
static double above(size_t bucket, double slower)
{
	if (bucket + 1 == WORLD_BUCKETS)
		return 0;
	return 0.5 * erfc(log(bounds[bucket] / (MEDIAN_S * slower)) /
			     (SPREAD * sqrt(2)));
}

static double in_bucket(size_t bucket, double slower)
{
	return (bucket ? above(bucket - 1, slower) : 1) - above(bucket, slower);
}

/* Requests of one revision in `s` seconds, in the bins of both objectives. */
static void draw(struct play *p, double rate, double s, double bad,
	double slower, double slow_part, struct evidence_counts *counts_r)
{
	double n = 0, errors, share;
	size_t b;

	memset(counts_r, 0, WORLD_SLOS * sizeof(*counts_r));
	counts_r[0].known = counts_r[1].known = true;
	for (b = 0; b < WORLD_BUCKETS; b++) {
		share = slow_part * in_bucket(b, slower) +
			(1 - slow_part) * in_bucket(b, 1);
		counts_r[1].bin[b] = poisson(&p->rng, rate * s * share);
		n += counts_r[1].bin[b];
	}
	errors = p->world->cluster *
		 poisson(&p->rng, n * bad / p->world->cluster);
	errors = fmin(errors, n);
	counts_r[0].bin[0] = n - errors;
	counts_r[0].bin[1] = errors;
}

static void specify(struct play *p)
{
	p->spec[0] = (struct evidence_spec){
		.objective = 0.01, .tolerance = 1.1, .floor = 0.001, .bins = 2};
	p->spec[1] = (struct evidence_spec){.objective = 0.05,
		.tolerance = 1.25,
		.floor = 0.005,
		.latency = true,
		.bins = WORLD_BUCKETS,
		.bound = 6};
}

/* Stable's past: what is normal, and how much it disperses. */
static void live_through_history(struct play *p)
{
	static struct history_row rows[WORLD_SLOS][HISTORY_ROWS];
	struct evidence_counts counts[WORLD_SLOS];
	struct request_sum past[WORLD_SLOS] = {{0, 0}};
	double histogram[EVIDENCE_BINS_MAX] = {0};
	struct dispersion dispersion;
	size_t i, half, k, b;

	for (i = 0; i < HISTORY_ROWS; i++) {
		for (half = 0; half < 2; half++) {
			draw(p, p->world->rate / 2, HISTORY_ROW_S,
				p->world->base, 1, 1, counts);
			for (k = 0; k < WORLD_SLOS; k++) {
				memcpy(rows[k][i].bin[half], counts[k].bin,
					sizeof(counts[k].bin));
				for (b = 0; b < p->spec[k].bins; b++) {
					past[k].n += counts[k].bin[b];
					if (b > p->spec[k].bound)
						past[k].x += counts[k].bin[b];
				}
			}
			for (b = 0; b < WORLD_BUCKETS; b++)
				histogram[b] += counts[1].bin[b];
		}
	}
	for (k = 0; k < WORLD_SLOS; k++) {
		dispersion_estimate(
			rows[k], HISTORY_ROWS, &p->spec[k], &dispersion);
		dispersion_apply(&dispersion, &p->spec[k]);
		objective_init(&p->objective[k], &p->spec[k], past[k],
			k ? histogram : NULL);
	}
}

static void begin(struct play *p, double share, bool final)
{
	size_t k;

	evidence_begin_step(&p->state, &p->rules, share, final);
	for (k = 0; k < WORLD_SLOS; k++)
		objective_begin_step(&p->objective[k], &p->rules, &p->spec[k],
			share, 0, final);
}

static double candidate_errors(const struct world *w, double s)
{
	double grown = w->ramp_s > 0 ? (s - w->from_s) / w->ramp_s : 1;

	if (s <= w->from_s)
		return w->base;
	return w->base + (w->errors - w->base) * fmin(1, grown);
}

/* The check at `s` seconds, of what came since the one before. */
static enum evidence_decision check(struct play *p, double share, double s)
{
	const struct world *w = p->world;
	struct evidence_counts c[WORLD_SLOS], st[WORLD_SLOS];
	struct evidence_numbers numbers[WORLD_SLOS];
	struct evidence_result result;
	double bad = candidate_errors(w, s), normal = w->base;
	bool worse = s > w->from_s;
	size_t k;

	if (w->incident > 0 && s > w->incident_s &&
		s <= w->incident_s + INCIDENT_FOR_S)
		bad = normal = w->incident;
	draw(p, w->rate * share, WORLD_CHECK_S, bad, worse ? w->slower : 1,
		w->slow_part, c);
	draw(p, w->rate * (1 - share), WORLD_CHECK_S, normal, 1, 1, st);
	for (k = 0; k < WORLD_SLOS; k++) {
		objective_check(&p->objective[k], &p->rules, &p->spec[k],
			&p->bets, &c[k], &st[k]);
		objective_numbers(
			&p->objective[k], &p->rules, &p->spec[k], &numbers[k]);
	}
	p->state.checks++;
	evidence_decide(&p->state, &p->rules, numbers, WORLD_SLOS, &result);
	return result.decision;
}

static void step_back(struct play *p)
{
	size_t k;

	for (k = 0; k < WORLD_SLOS; k++)
		objective_climb_again(&p->objective[k]);
	begin(p, shares[0], false);
}

void world_play(
	const struct world *world, uint64_t seed, struct world_end *end_r)
{
	struct play p = {.world = world, .rules = evidence_defaults};
	double s = 0, left_s = WORLD_STEP_S;
	enum evidence_decision decision;
	int step = 0;

	*end_r = (struct world_end){.failed = false};
	rng_init(&p.rng, seed);
	specify(&p);
	live_through_history(&p);
	evidence_bet_rules(&p.rules, WORLD_SLOS, &p.bets);
	begin(&p, shares[0], false);
	while (s < WORLD_STEPS * WORLD_STEP_S) {
		s += WORLD_CHECK_S;
		left_s -= WORLD_CHECK_S;
		decision = check(&p, shares[step], s);
		if (decision >= EVIDENCE_STEP_BACK && !end_r->crossed) {
			end_r->crossed = true;
			end_r->crossed_s = s - world->from_s;
		}
		if (decision == EVIDENCE_FAIL) {
			end_r->failed = true;
			return;
		}
		if (decision == EVIDENCE_STEP_BACK) {
			step_back(&p);
			step = 0;
			left_s = WORLD_STEP_S;
		} else if (left_s <= 0 && step + 1 < WORLD_STEPS) {
			step++;
			left_s = WORLD_STEP_S;
			begin(&p, shares[step], step > 0);
		}
	}
}
