/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of evidence, and what policies would catch, is computed for
 * seeded policies and pinned, all of it: see told.h. Who changes a number on
 * purpose writes both anew and says why.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/evidence_text.h"
#include "engine/forecast.h"
#include "evidence_fixture.h"
#include "policy_fixture.h"
#include "told.h"

#define MEMORIES    300
#define FORECASTS   240
#define PLAYED      12 /* one of so many: worlds take a while */
#define OPERATIONS  25
#define TEXT_MAX    65536
#define NEARLY_ZERO 1e-12

#define LENGTH(a)           (sizeof(a) / sizeof((a)[0]))
#define ONE_OF(rng, values) ((values)[rng_below(rng, LENGTH(values))])

/* The last bits of a libm do not matter. */
static void put(struct buf *told, const char *name, double value)
{
	buf_addf(told, " %s %.6g", name, fabs(value) < NEARLY_ZERO ? 0 : value);
}

static void put_sum(
	struct buf *told, const char *name, const struct request_sum *sum)
{
	put(told, name, sum->n);
	put(told, "bad", sum->x);
}

static void put_arms(struct buf *told, const struct evidence_arms *arms)
{
	put_sum(told, "candidate", &arms->candidate);
	put_sum(told, "stable", &arms->stable);
}

/* ---- memory ---- */

static void random_slo(struct rng *rng, struct slo *slo)
{
	static const double objectives[] = {0.001, 0.01, 0.05},
			    tolerances[] = {-1, -1, 0, 1, 2},
			    floors[] = {-1, -1, 0, 0.002},
			    bounds[] = {0.1, 0.3, 0.5, 2};
	static const int64_t intervals[] = {5000, 10000, 15000, 30000, 90000};

	slo->objective = ONE_OF(rng, objectives);
	slo->tolerance = ONE_OF(rng, tolerances);
	slo->floor = ONE_OF(rng, floors);
	slo->bound_le = ONE_OF(rng, bounds);
	slo->interval_ms = ONE_OF(rng, intervals);
	if (rng_below(rng, 5) == 0)
		slo->kind = SLO_THRESHOLD;
}

static void random_policy(struct rng *rng, struct evidence_fixture *f)
{
	static const int first[] = {2, 10, 97, 98, 99};
	static const int64_t delays[] = {0, 0, 7000, 60000};
	static const double alphas[] = {0.01, 0.05}, harms[] = {1, 10, 100};

	f->test.policy.steps = f->test.steps;
	f->test.steps[0].percent = ONE_OF(rng, first);
	f->test.steps[1].percent = f->test.steps[0].percent + 1;
	f->test.policy.metrics.delay_ms = ONE_OF(rng, delays);
	f->test.policy.evidence.alpha = ONE_OF(rng, alphas);
	f->test.policy.evidence.harm = ONE_OF(rng, harms);
	f->test.policy.evidence.without_control =
		(enum without_control)rng_below(rng, 3);
	random_slo(rng, &f->test.slos[0]);
	random_slo(rng, &f->test.slos[1]);
}

static void random_history(struct rng *rng, struct slo_history *history)
{
	switch (rng_below(rng, 5)) {
	case 0:
		history->seconds = 0;
		break;
	case 1:
		history->bins = 0;
		break;
	case 2:
		history->dispersion = (struct dispersion){3, 4, 2};
		break;
	case 3:
		history->past.n *= 20;
		break;
	default:
		break;
	}
}

/* `less`: bits of requests, from one bin to the next. */
static void random_counts(
	struct rng *rng, bool latency, size_t less, struct check_counts *counts)
{
	static const double bounds[] = {0.05, 0.1, 0.25, 0.5, 1};
	static const uint64_t sizes[] = {40, 40, 4000, 100000};
	uint64_t most = ONE_OF(rng, sizes);
	size_t i;

	*counts = (struct check_counts){.bins = latency ? 6 : 2};
	memcpy(counts->bounds, bounds, sizeof(bounds));
	counts->candidate.known = rng_below(rng, 5) > 0;
	counts->stable.known = rng_below(rng, 5) > 0;
	for (i = 0; i < counts->bins; i++) {
		if (counts->candidate.known)
			counts->candidate.bin[i] =
				(double)rng_below(rng, most >> i * less | 1);
		if (counts->stable.known)
			counts->stable.bin[i] =
				(double)rng_below(rng, most >> i * less | 1);
	}
}

static void tell_objective(struct buf *told, const struct evidence_slo *s)
{
	const struct evidence_objective *o = &s->objective;
	size_t i, bins = s->spec.latency ? 2 * s->spec.bins : s->spec.bins;

	put_sum(told, "learned", &o->learned);
	put_sum(told, "candidate", &o->candidate);
	put_sum(told, "stable", &o->stable);
	put_sum(told, "floor", &o->floor);
	put_sum(told, "normal", &o->normal);
	put(told, "limit", o->limit_level);
	put(told, "low", o->limit_low);
	buf_addf(told, " share %.3f %d%d%d%d of %u bins", o->share, o->none,
		o->full, o->candidate_waits, o->stable_waits, o->checks);
	for (i = 0; i < bins; i++)
		put(told, "", o->bins[i]);
	for (i = 0; s->spec.latency && i + 1 < s->spec.bins; i++)
		put(told, "le", evidence_bounds(s)[i]);
	buf_addc(told, '\n');
}

static void tell_slo(struct buf *told, const struct evidence_slo *s)
{
	const struct evidence_spec *spec = &s->spec;
	const struct evidence_numbers *n = &s->numbers;
	struct evidence_arms recent = evidence_recent(s);
	size_t i;

	buf_addf(told, "slo %d %d %zu %zu", s->slo, spec->latency, spec->bins,
		spec->bound);
	put(told, "objective", spec->objective);
	put(told, "tolerance", spec->tolerance);
	put(told, "floor", spec->floor);
	put(told, "phi", spec->phi);
	put(told, "level", spec->phi_level);
	put(told, "shape", spec->phi_shape);
	put(told, "rate", s->rate);
	put(told, "limit", s->limit);
	put(told, "e", n->log_e);
	put(told, "ratio", n->ratio);
	put(told, "level", n->level);
	put(told, "shape", n->shape);
	put(told, "pass", n->log_pass);
	buf_addf(told, " %d checks %u at %lld", n->calm, s->checks,
		(long long)s->counted_ms);
	put_arms(told, &s->step);
	put_arms(told, &recent);
	put(told, "share", evidence_share(s));
	for (i = 0; i < EVIDENCE_RECENT; i++) {
		buf_addf(told, " %u:", s->recent_cs[i]);
		put_arms(told, &s->recent[i]);
	}
	buf_addc(told, '\n');
	tell_objective(told, s);
}

static void tell_texts(struct buf *told, const struct policy *policy,
	const struct evidence_memory *m, const struct evidence_slo *s)
{
	char text[ROLLOUT_TEXT_MAX], check[CHECK_TEXT_MAX];
	const char *missing = evidence_print_missing(m, s, text);

	buf_addf(told, "missing %s\n", missing ? missing : "nothing");
	buf_addf(told, "doubt %s\n", evidence_print_doubt(m, s, text));
	buf_addf(told, "uneasy %s\n", evidence_print_uneasy(m, s, text));
	buf_addf(told, "few %s\n",
		evidence_print_few(&policy->slos[s->slo], s, text));
	buf_addf(told, "%s\n", evidence_print_state(m, s, check));
	buf_addf(told, "%s\n", evidence_print_check(m, s, &s->numbers, check));
	for (int i = EVIDENCE_STEP_BACK; i <= EVIDENCE_FAIL; i++)
		buf_addf(told, "breach %s\n",
			evidence_print_breach(
				policy, m, s, (enum evidence_decision)i, text));
}

static void tell_memory(struct buf *told, const struct policy *policy,
	struct evidence_memory *m)
{
	evidence_memory_tell(m);
	buf_addf(told, "climb %u state %d%d%d%d checks %u decision %d calm %d",
		m->climbs, m->state.failed, m->state.stepped_back,
		m->state.final, m->state.none, m->state.checks,
		(int)m->result.decision, m->result.calm);
	put(told, "every", m->rules.check_s);
	put(told, "cap", m->bets.cap);
	put(told, "e", m->result.log_e);
	put(told, "pass", m->result.log_pass);
	buf_addf(told, " back %d heaviest %d\n", m->rules.step_back,
		evidence_heaviest(m)->slo);
	for (size_t i = 0; i < m->n; i++) {
		tell_slo(told, &m->slo[i]);
		tell_texts(told, policy, m, &m->slo[i]);
	}
}

static void take(struct rng *rng, struct evidence_memory *m,
	const struct policy *policy, size_t less, int64_t at_ms)
{
	struct evidence_slo *slo = &m->slo[rng_below(rng, m->n)];
	struct check_counts counts;

	random_counts(rng, slo->spec.latency, less, &counts);
	if (evidence_counts_fit(slo, &counts))
		evidence_memory_take(m, policy, slo, &counts, at_ms);
}

static void memory_of_a_seed(uint64_t seed, struct buf *told)
{
	struct evidence_fixture f;
	struct evidence_memory *m;
	struct rng rng;
	int64_t now_ms = 1000;
	size_t less;

	rng_init(&rng, seed);
	less = 1 + (size_t)rng_below(&rng, 4) * 3;
	evidence_fixture_init(&f, seed);
	random_policy(&rng, &f);
	random_history(&rng, &f.histories[0]);
	random_history(&rng, &f.histories[1]);
	m = evidence_memory_new(
		&f.test.policy, f.histories, (size_t)rng_below(&rng, 3));
	for (int i = 0; m && i < OPERATIONS; i++) {
		if (i == 1 || rng_below(&rng, 8) == 0)
			evidence_memory_begin_step(
				m, &f.test.policy, (size_t)rng_below(&rng, 3));
		else if (rng_below(&rng, 12) == 0)
			evidence_memory_climb_again(m);
		else
			take(&rng, m, &f.test.policy, less, now_ms);
		if (rng_below(&rng, 2))
			buf_addf(told, "decides %d\n",
				(int)evidence_memory_decide(m));
		/* Every other seed decides mostly without its numbers. */
		if (seed % 2 || rng_below(&rng, 8) == 0)
			tell_memory(told, &f.test.policy, m);
		now_ms += (int64_t)rng_below(&rng, 40) * 1000;
	}
	free(m);
	evidence_fixture_fini(&f);
}

static void memories_are_told_as_ever(void **state)
{
	(void)state;
	assert_true(told_compare("memory", MEMORIES, memory_of_a_seed));
}

/* ---- forecasts ---- */

static const char *const steps[] = {
	"{percent: 10, bake: 10m}, {percent: 100, bake: 10m}",
	"{percent: 1, bake: 5m}, {percent: 25, bake: 20m}, "
	"{percent: 50, bake: 10m}, {percent: 100, bake: 1h}",
	"{percent: 5, bake: 30m}, {percent: 98, bake: 10m}, "
	"{percent: 100, bake: 5m}",
};
static const char *const counted[] = {
	"",
	"- {use: http/error-rate, kind: evidence}\n",
	"- {use: http/error-rate, kind: evidence}\n"
	"- {use: http/latency-p95, kind: evidence, max: 500ms}\n",
	"- {use: http/latency-p95, kind: evidence, max: 1s}\n"
	"- {use: http/error-rate, kind: evidence, objective: 0.1%}\n",
};
static const char *const limits[] = {
	"- {use: http/error-rate, name: limits, max: 1%}\n",
	"- {use: http/error-rate, name: limits, max: 2%, fail_after: 1, "
	"window: 2m, requests: {min: 20}}\n",
	"- {use: http/latency-p95, name: limits, max: 500ms}\n",
	"- {use: http/error-rate, name: limits, max: 5%, critical: 20%, "
	"window: 5m, interval: 30s, fail_after: {breaches: 3, of: 4}}\n",
};

static struct policy *forecast_policy(struct rng *rng)
{
	static const int64_t resolutions[] = {0, 15000, 60000},
			     delays[] = {0, 0, 60000};
	struct policy *policy = policy_given(NULL,
		"version: 1\nname: test\nmetrics: {url: "
		"\"https://m.example\"}\n"
		"steps: [%s]\nslos:\n%s%s",
		ONE_OF(rng, steps), ONE_OF(rng, counted), ONE_OF(rng, limits));

	policy->metrics.resolution_ms = ONE_OF(rng, resolutions);
	policy->metrics.delay_ms = ONE_OF(rng, delays);
	return policy;
}

static void tell_forecast_slo(struct buf *told, const struct policy *policy,
	const struct forecast_slo *f)
{
	buf_addf(told, "by %d slow %d measured %d %s", (int)f->by, f->slow,
		f->measured, f->why ? f->why : "-");
	put(told, "rate", f->rate);
	put(told, "base", f->base);
	put(told, "phi", f->phi);
	put(told, "false", f->false_share);
	buf_addc(told, '\n');
	for (size_t i = 0; i < policy->n_steps; i++) {
		put(told, "requests", f->step[i].requests);
		put(told, "smallest", f->step[i].smallest);
		for (size_t k = 0; k < FORECAST_SIZES; k++) {
			const struct forecast_case *c = &f->step[i].sizes[k];

			put(told, "size", c->size);
			put(told, "half", c->median_s);
			put(told, "most", c->most_s);
			put(told, "of", c->requests);
			put(told, "bad", c->bad);
		}
		buf_addc(told, '\n');
	}
}

static void tell_forecast(
	struct buf *told, const struct policy *policy, const struct forecast *f)
{
	buf_addf(told, "advice %d holdback %d", f->advice.known,
		(int)f->holdback);
	put(told, "share", f->advice.share);
	put(told, "bake", f->advice.bake_s);
	put(told, "bad", f->advice.bad);
	buf_addc(told, '\n');
	for (size_t i = 0; i < f->n; i++) {
		tell_forecast_slo(told, policy, &f->slo[i]);
		if (f->slo[i].by == FORECAST_WORLDS)
			tell_forecast_slo(told, policy, &f->instead[i]);
	}
}

static void forecast_of_a_seed(uint64_t seed, struct buf *told)
{
	static const double rates[] = {0.3, 5, 50, 500, NAN},
			    shares[] = {0.0001, 0.001, 0.02, 0.3},
			    slow[] = {NAN, NAN, 0.004, 0.03};
	const struct slo_history histories[] = {
		{.slo = 0,
			.seconds = 10800,
			.past = {324000, 162},
			.dispersion = {2, 3, 1.5}},
		{.slo = 1,
			.seconds = 3600,
			.past = {36000, 0},
			.dispersion = {1, 1, 1}},
	};
	struct forecast_load load = {.histories = histories};
	struct forecast *forecast;
	struct policy *policy;
	struct rng rng;

	rng_init(&rng, seed);
	policy = forecast_policy(&rng);
	load.rate = ONE_OF(&rng, rates);
	load.bad = ONE_OF(&rng, shares);
	load.slow = ONE_OF(&rng, slow);
	load.n_histories = (size_t)rng_below(&rng, 3);
	load.counted_only = seed % PLAYED != 0;
	forecast = forecast_new(policy, &load, (double)(seed % 3 + 1) * 10);
	tell_forecast(told, policy, forecast);
	free(forecast);
	if (policy->slos[0].kind == SLO_EVIDENCE)
		put(told, "told apart after",
			forecast_requests(policy, 0, 0, 0.001, 0.004));
	policy_free(&policy);
}

static void forecasts_are_told_as_ever(void **state)
{
	(void)state;
	assert_true(told_compare("forecasts", FORECASTS, forecast_of_a_seed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memories_are_told_as_ever),
		cmocka_unit_test(forecasts_are_told_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
