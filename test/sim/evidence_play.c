/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts in seeded worlds; see evidence_play.h. */
#include "evidence_play.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/check.h"
#include "engine/turn.h"

#define MOST_S   10800 /* a rollout that waits for so long is left alone */
#define WINDOW   20 /* checks that a threshold's query looks back on */
#define EVERY    2 /* checks from one question of a threshold to the next */
#define SETTLE_S 60 /* of thresholds */
#define QUANTILE 0.95

static const int percents[PLAY_STEPS] = {10, 50, 100};

struct play {
	const struct play_rules *rules;
	struct world_run run;
	struct play_end *end;
	int step;
	double in_step_s;
};

static double share_of(const struct play *p)
{
	return percents[p->step] / 100.0;
}

static void next_step(struct play *p)
{
	p->in_step_s = 0;
	if (p->step + 1 == PLAY_STEPS) {
		p->end->promoted = true;
		return;
	}
	p->step++;
	if (share_of(p) >= 1 && isnan(p->end->full_s))
		p->end->full_s = p->run.s;
}

static void crossed(struct play *p)
{
	if (isnan(p->end->crossed_s))
		p->end->crossed_s = p->run.s - p->run.world->from_s;
}

static void check(struct play *p, struct check_counts counts[WORLD_SLOS])
{
	p->in_step_s += WORLD_CHECK_S;
	world_check(&p->run, share_of(p), p->in_step_s, counts);
	if (isnan(p->end->crossed_s))
		p->end->hurt +=
			p->run.bad.x - p->run.bad.n * p->run.world->base;
}

static bool goes_on(const struct play *p)
{
	return !p->end->reverted && !p->end->promoted && p->run.s < MOST_S;
}

/* ---- by evidence ---- */

void play_policy(struct policy *policy, const struct play_rules *rules,
	struct step steps[PLAY_STEPS], struct slo slos[WORLD_SLOS])
{
	const struct slo usual = {.kind = SLO_EVIDENCE,
		.tolerance = -1,
		.floor = -1,
		.requests_needed = 100,
		.interval_ms = WORLD_CHECK_S * 1000};
	size_t i;

	for (i = 0; i < PLAY_STEPS; i++)
		steps[i] = (struct step){
			.percent = percents[i], .bake_ms = PLAY_BAKE_S * 1000};
	slos[WORLD_ERRORS] = slos[WORLD_LATENCY] = usual;
	slos[WORLD_ERRORS].name = "errors";
	slos[WORLD_ERRORS].total = "total";
	slos[WORLD_ERRORS].bad = "bad";
	slos[WORLD_ERRORS].objective = 0.01;
	slos[WORLD_LATENCY].name = "latency";
	slos[WORLD_LATENCY].buckets = "buckets";
	slos[WORLD_LATENCY].objective = 0.05;
	slos[WORLD_LATENCY].bound = slos[WORLD_LATENCY].bound_le = 0.5;
	*policy = (struct policy){.steps = steps,
		.n_steps = PLAY_STEPS,
		.slos = slos,
		.n_slos = WORLD_SLOS,
		.pace = rules->pace,
		.evidence = {.alpha = 0.05,
			.harm = 10,
			.without_control = rules->without_control}};
}

static enum evidence_decision decide(struct evidence_memory *memory,
	const struct policy *policy, const struct check_counts *counts,
	double now_s)
{
	int i;

	for (i = 0; i < WORLD_SLOS; i++)
		evidence_memory_take(memory, policy, evidence_find(memory, i),
			&counts[i], (int64_t)(now_s * 1000));
	return evidence_memory_decide(memory);
}

static void act(struct play *p, struct evidence_memory *memory,
	const struct policy *policy, enum evidence_decision decision)
{
	const struct rollout rollout = {.evidence = memory};
	bool over = p->in_step_s >= PLAY_BAKE_S &&
		    !evidence_misses(policy, &rollout);
	int step = p->step;

	if (decision == EVIDENCE_FAIL) {
		crossed(p);
		p->end->reverted = true;
		return;
	}
	if (decision == EVIDENCE_STEP_BACK) {
		crossed(p);
		evidence_memory_climb_again(memory);
		p->step = 0;
		p->in_step_s = 0;
		evidence_memory_begin_step(memory, policy, 0);
		return;
	}
	if (over ||
		(policy->pace == PACE_EVIDENCE && decision == EVIDENCE_PASS))
		next_step(p);
	if (p->step != step)
		evidence_memory_begin_step(memory, policy, (size_t)p->step);
}

static void play_evidence(struct play *p)
{
	struct check_counts counts[WORLD_SLOS];
	struct slo_history histories[WORLD_SLOS];
	struct evidence_memory *memory;
	struct step steps[PLAY_STEPS];
	struct slo slos[WORLD_SLOS];
	struct policy policy;

	play_policy(&policy, p->rules, steps, slos);
	world_live_through_history(&p->run, histories);
	memory = evidence_memory_new(&policy, histories, WORLD_SLOS);
	evidence_memory_begin_step(memory, &policy, 0);
	while (goes_on(p)) {
		check(p, counts);
		act(p, memory, &policy,
			decide(memory, &policy, counts, p->run.s));
	}
	free(memory);
}

/* What a plan says that knows stable's past. */
static void plan(const struct play *p, const struct evidence_memory *memory,
	const struct slo_history *history, struct plan_times *said_r)
{
	const struct world *w = p->run.world;
	const struct plan_step step = {.rate = w->rate,
		.base = w->base,
		.share = share_of(p),
		.objectives = WORLD_SLOS,
		.history = history->past};

	plan_find(&step, &memory->rules, &memory->slo[WORLD_ERRORS].spec,
		w->errors / w->base, said_r);
}

void play_step(const struct world *world, uint64_t seed, int step,
	struct play_found *found_r)
{
	const struct play_rules rules = {.pace = PACE_FIXED};
	struct play_end end = {.crossed_s = NAN};
	struct play p = {.rules = &rules, .end = &end, .step = step};
	struct check_counts counts[WORLD_SLOS];
	struct slo_history histories[WORLD_SLOS];
	struct evidence_memory *memory;
	struct step steps[PLAY_STEPS];
	struct slo slos[WORLD_SLOS];
	struct policy policy;

	play_policy(&policy, &rules, steps, slos);
	world_begin(&p.run, world, seed);
	world_live_through_history(&p.run, histories);
	memory = evidence_memory_new(&policy, histories, WORLD_SLOS);
	evidence_memory_begin_step(memory, &policy, (size_t)step);
	plan(&p, memory, &histories[WORLD_ERRORS], &found_r->said);
	found_r->found_s = INFINITY;
	while (p.run.s < 4 * found_r->said.most_s && p.run.s < MOST_S * 8) {
		check(&p, counts);
		if (decide(memory, &policy, counts, p.run.s) >=
			EVIDENCE_STEP_BACK) {
			found_r->found_s = p.run.s;
			break;
		}
	}
	free(memory);
}

/* ---- by thresholds ---- */

/* What the queries of a threshold look back on. */
struct window {
	struct check_counts counts[WINDOW][WORLD_SLOS];
	size_t n;
};

static void window_sum(const struct window *window, int slo, int arm,
	double sum_r[WORLD_BUCKETS], double *n_r)
{
	const struct check_counts *counts;
	const double *bin;
	size_t i, b;

	memset(sum_r, 0, WORLD_BUCKETS * sizeof(sum_r[0]));
	*n_r = 0;
	for (i = 0; i < WINDOW && i < window->n; i++) {
		counts = &window->counts[i][slo];
		bin = arm == WORLD_CANDIDATE ? counts->candidate.bin
					     : counts->stable.bin;
		for (b = 0; b < counts->bins; b++) {
			sum_r[b] += bin[b];
			*n_r += bin[b];
		}
	}
}

/* As histogram_quantile of Prometheus does it. */
static double quantile(const double *bins, double n, const double *bounds)
{
	double rank = QUANTILE * n, below = 0, from;
	size_t b = 0;

	while (b + 1 < WORLD_BUCKETS && below + bins[b] < rank)
		below += bins[b++];
	if (b + 1 == WORLD_BUCKETS)
		return bounds[b - 1];
	from = b ? bounds[b - 1] : 0;
	return from + (bounds[b] - from) * (rank - below) / bins[b];
}

static struct answer value_of(
	const struct window *window, int slo, int arm, double *n_r)
{
	double bins[WORLD_BUCKETS], n;

	window_sum(window, slo, arm, bins, &n);
	*n_r = n;
	if (n <= 0)
		return (struct answer){.kind = ANSWER_NO_DATA};
	if (slo == WORLD_ERRORS)
		return (struct answer){ANSWER_VALUE, bins[1] / n, false};
	return (struct answer){ANSWER_VALUE,
		quantile(bins, n, window->counts[0][slo].bounds), false};
}

static bool ask(struct play *p, const struct window *window,
	struct check_state state[WORLD_SLOS])
{
	const struct policy *policy = p->rules->thresholds;
	bool settling = p->in_step_s < SETTLE_S, failed = false;
	struct judgement judgement;
	struct answers answers;
	double requests, ignored;
	int i;

	for (i = 0; i < WORLD_SLOS; i++) {
		memset(&answers, 0, sizeof(answers));
		answers.item[QUERY_VALUE] =
			value_of(window, i, WORLD_CANDIDATE, &requests);
		answers.item[QUERY_BASELINE] =
			value_of(window, i, WORLD_STABLE, &ignored);
		answers.item[QUERY_REQUESTS] =
			(struct answer){ANSWER_VALUE, requests, false};
		check_judge(&policy->slos[i], &state[i], &answers, &judgement);
		failed |= check_apply(&policy->slos[i], &state[i], &judgement,
				  settling) == VERDICT_FAIL;
	}
	return failed;
}

static bool settle_failed(
	const struct policy *policy, struct check_state state[WORLD_SLOS])
{
	bool failed = false;
	int i;

	for (i = 0; i < WORLD_SLOS; i++) {
		failed |= check_end_settle(&policy->slos[i], &state[i]) ==
			  VERDICT_FAIL;
		check_begin_step(&policy->slos[i], &state[i]);
	}
	return failed;
}

static bool all_satisfied(
	const struct policy *policy, const struct check_state *state)
{
	int i;

	for (i = 0; i < WORLD_SLOS; i++) {
		if (!check_is_satisfied(&policy->slos[i], &state[i]))
			return false;
	}
	return true;
}

static void play_thresholds(struct play *p)
{
	const struct policy *policy = p->rules->thresholds;
	struct check_state state[WORLD_SLOS];
	struct window window = {.n = 0};
	bool failed;
	int i;

	memset(state, 0, sizeof(state));
	while (goes_on(p)) {
		check(p, window.counts[window.n++ % WINDOW]);
		for (i = 0; p->in_step_s == WORLD_CHECK_S && i < WORLD_SLOS;
			i++)
			check_begin_settle(&policy->slos[i], &state[i]);
		failed = p->in_step_s == SETTLE_S &&
			 settle_failed(policy, state);
		if (window.n % EVERY == 0)
			failed |= ask(p, &window, state);
		if (failed) {
			crossed(p);
			p->end->reverted = true;
		} else if (p->in_step_s >= SETTLE_S + PLAY_BAKE_S &&
			   all_satisfied(policy, state)) {
			next_step(p);
		}
	}
}

void play(const struct world *world, const struct play_rules *rules,
	uint64_t seed, struct play_end *end_r)
{
	struct play p = {.rules = rules, .end = end_r};

	*end_r = (struct play_end){.crossed_s = NAN, .full_s = NAN};
	world_begin(&p.run, world, seed);
	if (rules->thresholds)
		play_thresholds(&p);
	else
		play_evidence(&p);
}
