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

static struct step steps[PLAY_STEPS];
static struct slo slos[WORLD_SLOS];
static struct policy policy;
static struct evidence_memory *memory;

static void begin(void)
{
	const struct play_rules rules = {.pace = PACE_EVIDENCE};

	play_policy(&policy, &rules, steps, slos);
	memory = evidence_memory_new(&policy, NULL, 0);
	assert_non_null(memory);
}

static void end(void)
{
	free(memory);
	memory = NULL;
}

static enum evidence_decision take(int slo, const struct check_counts *counts)
{
	return evidence_memory_take(
		memory, &policy, evidence_find(memory, slo), counts);
}

/* Of the candidate's requests at 100 %. */
static struct check_counts errors(double good, double bad)
{
	struct check_counts counts = {.bins = 2};

	counts.candidate = (struct evidence_counts){true, {good, bad}};
	counts.stable = (struct evidence_counts){true, {0, 0}};
	return counts;
}

static void one_slo_is_not_judged_by_what_another_showed_before_a_step_back(
	void **state)
{
	struct check_counts bad = errors(500, 500);
	enum evidence_decision decision = EVIDENCE_CONTINUE;
	int i;

	(void)state;
	begin();
	evidence_memory_begin_step(memory, &policy, 2);
	for (i = 0; i < 20 && decision != EVIDENCE_STEP_BACK; i++)
		decision = take(WORLD_ERRORS, &bad);
	assert_int_equal(decision, EVIDENCE_STEP_BACK);
	evidence_memory_climb_again(memory);
	evidence_memory_begin_step(memory, &policy, 0);
	bad = (struct check_counts){.bins = WORLD_BUCKETS};
	for (i = 0; i + 1 < WORLD_BUCKETS; i++)
		bad.bounds[i] = i + 1;
	assert_int_equal(take(WORLD_LATENCY, &bad), EVIDENCE_CONTINUE);
	end();
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(one_slo_is_not_judged_by_what_another_showed_before_a_step_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
