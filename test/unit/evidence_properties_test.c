/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds of evidence whatever the counts are: a good release is seldom
 * taken back in any kind of noise, numbers stay numbers, and nothing depends on
 * the order of SLOs.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "evidence_noise.h"
#include "evidence_play.h"
#include "sample.h"

#define GOOD       30 /* releases in each kind of noise; bench has more */
#define GOOD_RATE  50
#define FALSE_MOST 0.01 /* of all of them; alpha is 0.05 of each kind */
#define HOSTILE    300 /* rollouts of hostile counts */
#define LATE       60 /* rollouts whose numbers nobody looks at */
#define CHECKS     200

static struct step steps[PLAY_STEPS];
static struct slo slos[WORLD_SLOS];
static struct policy policy;
static struct evidence_memory *memory;

static void begin(size_t step)
{
	const struct play_rules rules = {.pace = PACE_EVIDENCE};

	play_policy(&policy, &rules, steps, slos);
	memory = evidence_memory_new(&policy, NULL, 0);
	assert_non_null(memory);
	evidence_memory_begin_step(memory, &policy, step);
}

static void end(void)
{
	free(memory);
	memory = NULL;
}

static void take(int slo, const struct check_counts *counts)
{
	struct evidence_slo *s = evidence_find(memory, slo);

	assert_true(evidence_counts_fit(s, counts));
	evidence_memory_take(memory, &policy, s, counts, 15000);
	evidence_memory_tell(memory);
}

static struct check_counts counts_of(int slo)
{
	struct check_counts counts = {.bins = 2};
	int i;

	counts.candidate.known = counts.stable.known = true;
	if (slo == WORLD_LATENCY) {
		counts.bins = WORLD_BUCKETS;
		for (i = 0; i + 1 < WORLD_BUCKETS; i++)
			counts.bounds[i] = (i + 1) / 10.0;
	}
	return counts;
}

/* ---- what an SLO has shown is that of its step ---- */

static void step_back(void)
{
	struct check_counts bad = counts_of(WORLD_ERRORS);
	enum evidence_decision decision = EVIDENCE_CONTINUE;
	int i;

	bad.candidate.bin[0] = bad.candidate.bin[1] = 500;
	for (i = 0; i < 20 && decision != EVIDENCE_STEP_BACK; i++) {
		take(WORLD_ERRORS, &bad);
		decision = evidence_memory_decide(memory);
	}
	assert_int_equal(decision, EVIDENCE_STEP_BACK);
	evidence_memory_climb_again(memory);
	evidence_memory_begin_step(memory, &policy, 0);
}

static void a_step_back_leaves_no_evidence_behind(void **state)
{
	struct check_counts none = counts_of(WORLD_LATENCY);

	(void)state;
	begin(2);
	step_back();
	assert_int_equal(evidence_memory_decide(memory), EVIDENCE_CONTINUE);
	take(WORLD_LATENCY, &none);
	assert_int_equal(evidence_memory_decide(memory), EVIDENCE_CONTINUE);
	end();
}

static void a_silent_slo_passes_no_step_by_what_it_showed_before(void **state)
{
	struct check_counts good[WORLD_SLOS] = {
		counts_of(WORLD_ERRORS), counts_of(WORLD_LATENCY)};
	int i;

	(void)state;
	begin(0);
	for (i = 0; i < WORLD_SLOS; i++)
		good[i].candidate.bin[0] = good[i].stable.bin[0] = 5000;
	for (i = 0; i < 40; i++) {
		take(WORLD_ERRORS, &good[WORLD_ERRORS]);
		take(WORLD_LATENCY, &good[WORLD_LATENCY]);
	}
	assert_int_equal(evidence_memory_decide(memory), EVIDENCE_PASS);
	evidence_memory_begin_step(memory, &policy, 1);
	for (i = 0; i < 40; i++)
		take(WORLD_ERRORS, &good[WORLD_ERRORS]);
	assert_int_equal(evidence_memory_decide(memory), EVIDENCE_CONTINUE);
	take(WORLD_LATENCY, &good[WORLD_LATENCY]);
	end();
}

/* ---- noise ---- */

static void good_releases_stay_in_any_kind_of_noise(void **state)
{
	const struct play_rules rules = {.pace = PACE_FIXED};
	int good = GOOD / sample_every();
	struct play_end ended;
	struct world world;
	int i, reverted, all = 0;
	size_t k;

	(void)state;
	for (k = 0; k < n_noise_kinds; k++) {
		if (noise_kinds[k].lasting)
			continue;
		world = noise_world(&noise_kinds[k], GOOD_RATE);
		for (i = reverted = 0; i < good; i++) {
			play(&world, &rules, (uint64_t)i, &ended);
			reverted += ended.reverted;
		}
		/* Three standard deviations above alpha. */
		if (reverted > good * 0.05 + 3 * sqrt(good * 0.05))
			fail_msg("%s: %d of %d good releases taken back",
				noise_kinds[k].name, reverted, good);
		all += reverted;
	}
	assert_true(all <= FALSE_MOST * good * (double)n_noise_kinds);
}

/* ---- hostile counts ---- */

static double hostile(struct rng *rng)
{
	static const double values[] = {0, -0.0, 1, -1, 0.5, 1e-300, 1e15,
		-1e15, 1e300, -1e300, NAN, INFINITY, -INFINITY};
	size_t n = sizeof(values) / sizeof(values[0]);

	if (rng_below(rng, 3))
		return (double)rng_below(rng, 1000);
	return values[rng_below(rng, n)];
}

static void fill(struct rng *rng, struct evidence_counts *arm, size_t bins)
{
	bool tame = rng_below(rng, 2);
	size_t i;

	arm->known = rng_below(rng, 5);
	for (i = 0; i < bins; i++)
		arm->bin[i] = tame ? (double)rng_below(rng, 100) : hostile(rng);
}

static void expect_number(double value, const char *what, int seed)
{
	if (isnan(value) || value == INFINITY || value == -INFINITY)
		fail_msg("%s is %g with seed %d", what, value, seed);
}

static void expect_numbers(int seed)
{
	const struct evidence_numbers *n;
	size_t i;

	for (i = 0; i < memory->n; i++) {
		n = &memory->slo[i].numbers;
		expect_number(n->log_e, "ln E", seed);
		expect_number(n->ratio, "the ratio's", seed);
		expect_number(n->level, "the level's", seed);
		expect_number(n->shape, "the shape's", seed);
		expect_number(n->log_pass, "the step's", seed);
	}
	expect_number(memory->result.log_e, "ln E of all", seed);
	expect_number(memory->result.log_pass, "the step's of all", seed);
}

static void numbers_stay_numbers_whatever_is_counted(void **state)
{
	struct check_counts counts;
	struct rng rng;
	int seed, i, slo;

	(void)state;
	for (seed = 0; seed < HOSTILE; seed++) {
		rng_init(&rng, (uint64_t)seed);
		begin(rng_below(&rng, PLAY_STEPS));
		for (i = 0; i < CHECKS; i++) {
			slo = (int)rng_below(&rng, WORLD_SLOS);
			counts = counts_of(slo);
			fill(&rng, &counts.candidate, counts.bins);
			fill(&rng, &counts.stable, counts.bins);
			take(slo, &counts);
			expect_numbers(seed);
			if (!rng_below(&rng, 50))
				evidence_memory_begin_step(memory, &policy,
					rng_below(&rng, PLAY_STEPS));
			if (!rng_below(&rng, 100))
				evidence_memory_climb_again(memory);
		}
		end();
	}
}

static void what_cannot_be_counts_is_none(void **state)
{
	struct check_counts odd = counts_of(WORLD_ERRORS), none = odd;
	struct evidence_numbers numbers;

	(void)state;
	begin(0);
	odd.candidate.bin[0] = -5;
	odd.candidate.bin[1] = NAN;
	odd.stable.bin[0] = -INFINITY;
	odd.stable.bin[1] = -1;
	take(WORLD_ERRORS, &odd);
	numbers = evidence_find(memory, WORLD_ERRORS)->numbers;
	end();
	begin(0);
	take(WORLD_ERRORS, &none);
	assert_memory_equal(&numbers,
		&evidence_find(memory, WORLD_ERRORS)->numbers, sizeof(numbers));
	end();
}

/* ---- when numbers are worked out ---- */

/* Good, bad and in between, of both arms. */
static void draw(struct rng *rng, int slo, struct check_counts *counts_r)
{
	static const double shares[] = {0, 0.001, 0.004, 0.02};
	double n = 300 + (double)rng_below(rng, 400);
	size_t last;

	*counts_r = counts_of(slo);
	last = counts_r->bins - 1;
	counts_r->stable.bin[0] = n;
	counts_r->stable.bin[last] = (double)rng_below(rng, 2);
	counts_r->candidate.bin[0] = n;
	counts_r->candidate.bin[last] = floor(
		n * shares[rng_below(rng, 4)] * rng_unit(rng) + rng_unit(rng));
}

static enum evidence_decision take_all(
	struct evidence_memory *m, const struct check_counts *counts, bool told)
{
	int i;

	for (i = 0; i < WORLD_SLOS; i++) {
		evidence_memory_take(
			m, &policy, evidence_find(m, i), &counts[i], 15000);
		if (told)
			evidence_memory_tell(m);
	}
	return evidence_memory_decide(m);
}

static void begin_again(struct evidence_memory *m)
{
	evidence_memory_climb_again(m);
	evidence_memory_begin_step(m, &policy, 0);
}

/* The same, whether somebody looks after each check or nobody ever does. */
static void play_late(
	uint64_t seed, struct evidence_memory *late, bool decided[])
{
	struct check_counts counts[WORLD_SLOS];
	enum evidence_decision decision = EVIDENCE_CONTINUE;
	struct evidence_slo *s, *told;
	struct rng rng;
	int i, k;

	rng_init(&rng, seed);
	for (i = 0; i < CHECKS && decision != EVIDENCE_FAIL; i++) {
		for (k = 0; k < WORLD_SLOS; k++)
			draw(&rng, k, &counts[k]);
		decision = take_all(memory, counts, true);
		assert_int_equal(take_all(late, counts, false), decision);
		decided[decision] = true;
		for (k = 0; k < WORLD_SLOS; k++)
			assert_int_equal(evidence_is_against(
						 late, evidence_find(late, k)),
				evidence_find(memory, k)->numbers.log_e > 0);
		if (decision == EVIDENCE_STEP_BACK) {
			begin_again(memory);
			begin_again(late);
		}
	}
	evidence_memory_tell(late);
	assert_true(late->result.log_e == memory->result.log_e);
	assert_true(late->result.log_pass == memory->result.log_pass);
	assert_int_equal(late->result.calm, memory->result.calm);
	assert_int_equal(late->result.decision, memory->result.decision);
	for (k = 0; k < WORLD_SLOS; k++) {
		s = evidence_find(late, k);
		told = evidence_find(memory, k);
		assert_true(s->numbers.log_e == told->numbers.log_e);
		assert_true(s->numbers.log_pass == told->numbers.log_pass);
	}
}

static void what_nobody_looks_at_is_decided_alike(void **state)
{
	bool decided[EVIDENCE_FAIL + 1] = {false};
	struct evidence_memory *late;
	uint64_t seed;
	int i;

	(void)state;
	for (seed = 1; seed <= LATE; seed++) {
		begin(seed % PLAY_STEPS);
		late = memory;
		begin(seed % PLAY_STEPS);
		play_late(seed, late, decided);
		free(late);
		end();
	}
	for (i = EVIDENCE_CONTINUE; i <= EVIDENCE_FAIL; i++)
		assert_true(decided[i]);
}

/* ---- order ---- */

/* Decisions of a world, its SLOs taken in one order or the other. */
static int decide_all(const struct world *world, uint64_t seed, bool backwards,
	enum evidence_decision *decisions_r)
{
	struct check_counts counts[WORLD_SLOS];
	struct slo_history histories[WORLD_SLOS];
	static struct world_run run;
	int i, k;

	world_begin(&run, world, seed);
	world_live_through_history(&run, histories);
	end();
	memory = evidence_memory_new(&policy, histories, WORLD_SLOS);
	assert_int_equal(memory->slo[WORLD_LATENCY].spec.bound, WORLD_BOUND);
	evidence_memory_begin_step(memory, &policy, 1);
	for (i = 0; i < CHECKS; i++) {
		world_check(&run, 0.5, i * WORLD_CHECK_S, counts);
		for (k = 0; k < WORLD_SLOS; k++) {
			int slo = backwards ? WORLD_SLOS - 1 - k : k;

			take(slo, &counts[slo]);
		}
		decisions_r[i] = evidence_memory_decide(memory);
		if (decisions_r[i] == EVIDENCE_FAIL)
			return i + 1;
	}
	return CHECKS;
}

static void the_order_of_slos_decides_nothing(void **state)
{
	enum evidence_decision one[CHECKS], other[CHECKS];
	struct world world = world_good;
	uint64_t seed;
	int n;

	(void)state;
	begin(0);
	world.errors = 0.004;
	world.slower = 1.15;
	for (seed = 0; seed < 50; seed++) {
		n = decide_all(&world, seed, false, one);
		assert_int_equal(n, decide_all(&world, seed, true, other));
		assert_memory_equal(one, other, (size_t)n * sizeof(one[0]));
	}
	end();
}

static void the_same_counts_give_the_same_bits(void **state)
{
	const struct play_rules rules = {.pace = PACE_EVIDENCE};
	struct world world = world_good;
	struct play_end one, other;

	(void)state;
	world.errors = 0.01;
	world.noise.cluster = 5;
	play(&world, &rules, 7, &one);
	play(&world, &rules, 7, &other);
	assert_true(one.reverted);
	assert_memory_equal(&one.crossed_s, &other.crossed_s, sizeof(double));
	assert_memory_equal(&one.hurt, &other.hurt, sizeof(double));
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(a_step_back_leaves_no_evidence_behind),
		T(a_silent_slo_passes_no_step_by_what_it_showed_before),
		T(good_releases_stay_in_any_kind_of_noise),
		T(numbers_stay_numbers_whatever_is_counted),
		T(what_cannot_be_counts_is_none),
		T(what_nobody_looks_at_is_decided_alike),
		T(the_order_of_slos_decides_nothing),
		T(the_same_counts_give_the_same_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
