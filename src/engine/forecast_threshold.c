/* SPDX-License-Identifier: Apache-2.0 */
/* Worlds for SLOs of kind threshold; see forecast_threshold.h. */
#include "engine/forecast_threshold.h"

#include <math.h>
#include <string.h>

#include "policy/promql.h"

enum { CANDIDATE, STABLE, ARMS };

/* ---- what its query says ---- */

static bool look_at_query(const struct slo *slo, struct threshold_query *query)
{
	struct promql_look look;

	promql_look(slo->query, &look);
	*query = (struct threshold_query){.scale = look.is_percent ? 100 : 1};
	query->is_share = look.is_share || look.is_percent;
	query->upside_down = slo->has_min && !slo->has_max;
	query->tail = 1 - look.quantile;
	return query->is_share || (look.quantile > 0 && look.quantile < 1);
}

bool threshold_query_look(const struct slo *slo,
	struct threshold_query *query_r, const char **why_r)
{
	bool compares = slo->compare_stable || slo->baseline;

	*why_r = NULL;
	if (slo->json)
		*why_r = "what a JSON API says cannot be simulated";
	else if (!look_at_query(slo, query_r))
		*why_r = "its query is neither a share of failures nor a "
			 "quantile of latencies";
	else if (!query_r->is_share && (compares || !slo->has_max))
		*why_r = "a quantile can be simulated against max only, and "
			 "without a comparison";
	else if (slo->window_ms / slo->interval_ms > THRESHOLD_SLICES_MAX)
		*why_r = "its window has too many intervals";
	return !*why_r;
}

/* ---- in closed form ---- */

static double bad_of(const struct threshold_query *query, double limit)
{
	double share = limit / query->scale;

	return query->upside_down ? 1 - share : share;
}

double threshold_share(
	const struct threshold_query *query, const struct slo *slo)
{
	if (!query->is_share || !(slo->has_max || slo->has_min))
		return NAN;
	return bad_of(query, slo->has_max ? slo->max : slo->min);
}

/* The window is above `limit` after that part of it; then so many checks. */
static double breaches_within(const struct policy *policy,
	const struct slo *slo, double limit, double share, int breaches)
{
	double ms = (double)slo->window_ms * limit / share;

	if (!(share > limit))
		return INFINITY;
	ms += (double)(slo->interval_ms * breaches + policy->metrics.delay_ms);
	return ms / 1000;
}

double threshold_within(const struct policy *policy, const struct slo *slo,
	const struct threshold_query *query, double share)
{
	double within = breaches_within(policy, slo,
		threshold_share(query, slo), share, slo->fail_breaches);

	if (slo->has_critical)
		within = fmin(within,
			breaches_within(policy, slo,
				bad_of(query, slo->critical), share, 1));
	return within;
}

/* ---- requests ---- */

struct sums {
	double n, x;
};

struct play {
	const struct threshold_world *world;
	struct rng *rng;
	struct sums slice[ARMS][THRESHOLD_SLICES_MAX], window[ARMS];
	size_t slices, at;
	struct check_state state;
};

static struct sums draw(struct play *p, double requests, double bad)
{
	double cluster = p->world->cluster;
	struct sums s = {rng_poisson(p->rng, requests), 0};

	s.x = cluster * rng_poisson(p->rng, s.n * fmin(bad, 1) / cluster);
	s.x = fmin(s.x, s.n);
	return s;
}

static void add_slice(struct play *p, int arm, struct sums s)
{
	struct sums *old = &p->slice[arm][p->at];

	p->window[arm].n += s.n - old->n;
	p->window[arm].x += s.x - old->x;
	*old = s;
}

/* What comes in one interval. */
static void pass_interval(struct play *p, double share, double bad)
{
	const struct threshold_world *w = p->world;
	double requests = w->rate * (double)w->slo->interval_ms / 1000;

	p->at = (p->at + 1) % p->slices;
	add_slice(p, CANDIDATE, draw(p, requests * share, bad));
	add_slice(p, STABLE, draw(p, requests * (1 - share), w->base));
}

static double share_before(const struct threshold_world *world, size_t step)
{
	return step ? world->policy->steps[step - 1].percent / 100.0 : 0;
}

static void play_begin(struct play *p, const struct threshold_world *world,
	size_t step, struct rng *rng)
{
	size_t i;

	memset(p, 0, sizeof(*p));
	p->world = world;
	p->rng = rng;
	p->slices = (size_t)(world->slo->window_ms / world->slo->interval_ms);
	if (!p->slices)
		p->slices = 1;
	for (i = 0; i < p->slices; i++)
		pass_interval(p, share_before(world, step), world->base);
}

/* ---- checks ---- */

static struct answer value_of(const struct play *p, const struct sums *s)
{
	const struct threshold_query *query = &p->world->query;
	const struct slo *slo = p->world->slo;
	double share = fmax(0, s->x) / s->n, value;

	if (!(s->n > 0))
		return (struct answer){.kind = ANSWER_NO_DATA};
	value = query->scale * (query->upside_down ? 1 - share : share);
	/* How far beyond max a quantile is, more bad requests do not say. */
	if (!query->is_share)
		value = share > query->tail ? slo->max * (1 + 1e-9) : slo->max;
	return (struct answer){.kind = ANSWER_VALUE, .value = value};
}

static enum verdict check(struct play *p, bool settling)
{
	const struct slo *slo = p->world->slo;
	struct answers answers = {.counts = NULL};
	struct judgement judgement;

	answers.item[QUERY_VALUE] = value_of(p, &p->window[CANDIDATE]);
	if (slo->compare_stable || slo->baseline)
		answers.item[QUERY_BASELINE] = value_of(p, &p->window[STABLE]);
	if (slo->requests)
		answers.item[QUERY_REQUESTS] = (struct answer){
			.kind = ANSWER_VALUE, .value = p->window[CANDIDATE].n};
	check_judge(slo, &p->state, &answers, &judgement);
	return check_apply(slo, &p->state, &judgement, settling);
}

/* In this step until it fails: seconds from its beginning, or INFINITY. Samples
 * that are late show what was before. */
static double play_step(struct play *p, size_t step, double bad, double limit_s)
{
	const struct policy *policy = p->world->policy;
	double share = policy->steps[step].percent / 100.0;
	double interval_s = (double)p->world->slo->interval_ms / 1000;
	double late_s = (double)policy->metrics.delay_ms / 1000;
	double settle_s = (double)policy->settle_ms / 1000, s;
	bool settling = true, was;

	check_begin_settle(p->world->slo, &p->state);
	for (s = interval_s; s <= limit_s; s += interval_s) {
		if (s <= late_s)
			pass_interval(p, share_before(p->world, step),
				p->world->base);
		else
			pass_interval(p, share, bad);
		was = settling;
		settling = s <= settle_s;
		if (was && !settling &&
			check_end_settle(p->world->slo, &p->state) ==
				VERDICT_FAIL)
			return s;
		if (check(p, settling) == VERDICT_FAIL)
			return s;
	}
	return INFINITY;
}

double threshold_play(const struct threshold_world *world, size_t step,
	double size, double limit_s, struct rng *rng)
{
	struct play p;

	play_begin(&p, world, step, rng);
	return play_step(&p, step, size * world->base, limit_s);
}

bool threshold_play_good(const struct threshold_world *world, struct rng *rng)
{
	const struct policy *policy = world->policy;
	struct play p;
	int64_t ms;
	size_t i;

	play_begin(&p, world, 0, rng);
	for (i = 0; i < policy->n_steps; i++) {
		ms = policy->settle_ms + policy->steps[i].bake_ms +
		     policy_load_ms(policy, &policy->steps[i]);
		if (isfinite(play_step(&p, i, world->base, (double)ms / 1000)))
			return true;
	}
	return false;
}
