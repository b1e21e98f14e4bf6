/* SPDX-License-Identifier: Apache-2.0 */
/* Each sentence about evidence, of numbers that are written down here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/evidence_text.h"
#include "evidence_fixture.h"

static struct evidence_fixture fixture;
static struct evidence_memory *memory;
static struct evidence_slo *errors, *latency;
static char text[ROLLOUT_TEXT_MAX];

/* The first of two steps, 10 % and 100 %; stable had 540 errors in 540,000
 * requests before it. */
static int setup(void **state)
{
	struct policy *policy = &fixture.test.policy;

	(void)state;
	evidence_fixture_init(&fixture, 3);
	fixture.test.steps[1].percent = 100;
	policy->n_steps = 2;
	fixture.histories[0].dispersion = (struct dispersion){1.1, 1.1, 1.1};
	memory = evidence_memory_new(policy, fixture.histories, 2);
	evidence_memory_begin_step(memory, policy, 0);
	errors = &memory->slo[0];
	latency = &memory->slo[1];
	errors->numbers = latency->numbers =
		(struct evidence_numbers){.calm = true};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	evidence_fixture_fini(&fixture);
	free(memory);
	return 0;
}

static struct request_sum sum(double x, double n)
{
	return (struct request_sum){n, x};
}

static void show(struct evidence_slo *slo, struct request_sum candidate,
	struct request_sum stable)
{
	slo->recent[0] = (struct evidence_arms){candidate, stable};
}

static void expect_state(const char *wanted)
{
	assert_string_equal(evidence_print_state(memory, errors, text), wanted);
}

/* ---- numbers ---- */

static void shares_have_two_digits_and_counts_their_commas(void **state)
{
	(void)state;
	show(errors, sum(36, 3004), sum(0, 999));
	expect_state("candidate 1.2 % (36 of 3,004), stable 0 % (0 of 999); "
		     "against 0.0 of 3.7, for 0.0 of 3.0");
	show(errors, sum(9940, 100000), sum(9950, 100000));
	expect_state("candidate 9.9 % (9,940 of 100,000), stable 10 % (9,950 "
		     "of 100,000); against 0.0 of 3.7, for 0.0 of 3.0");
	show(errors, sum(1, 2000000), sum(2, 1000000));
	expect_state("candidate 0.00005 % (1 of 2,000,000), stable 0.0002 % (2 "
		     "of 1,000,000); against 0.0 of 3.7, for 0.0 of 3.0");
	/* Few of late: those of the step. */
	show(errors, sum(1, 99), sum(0, 10));
	errors->step = (struct evidence_arms){sum(2, 500), sum(0, 0)};
	expect_state("candidate 0.4 % (2 of 500), stable has no requests; "
		     "against 0.0 of 3.7, for 0.0 of 3.0");
	/* ln(2 / 0.05) and -ln(0.05) make a meter full. */
	errors->numbers.log_e = 2.449;
	errors->numbers.log_pass = 1.551;
	assert_string_equal(evidence_print_doubt(memory, errors, text),
		"some evidence against the candidate: candidate 0.4 % (2 of "
		"500), stable has no requests; against 2.4 of 3.7, for 1.6 of "
		"3.0");
}

/* ---- a breach ---- */

static void expect_breach(enum evidence_decision decision, const char *wanted)
{
	assert_string_equal(evidence_print_breach(&fixture.test.policy, memory,
				    errors, decision, text),
		wanted);
}

static void a_breach_beside_stable_has_both_and_the_odds(void **state)
{
	(void)state;
	errors->numbers.ratio = 5;
	memory->result.log_e = log(310);
	show(errors, sum(30, 1000), sum(40, 9000));
	expect_breach(EVIDENCE_FAIL,
		"errors: candidate 3 % (30 of 1,000), stable 0.44 % (40 of "
		"9,000), 6.8 times as many; a candidate as good as stable "
		"shows this in 1 of 310 rollouts (limit: 1 of 20)");
	/* A million is the most that is claimed. */
	memory->result.log_e = log(1e6);
	show(errors, sum(30, 1000), sum(0, 9000));
	expect_breach(EVIDENCE_FAIL,
		"errors: candidate 3 % (30 of 1,000), stable 0 % (0 of 9,000); "
		"a candidate as good as stable shows this in 1 of 1,000,000 "
		"rollouts (limit: 1 of 20)");
	memory->result.log_e = log(1.01e6);
	memory->rules.alpha = 0.01;
	show(errors, sum(30, 1000), sum(0, 0));
	expect_breach(EVIDENCE_FAIL,
		"errors: candidate 3 % (30 of 1,000), stable has no requests "
		"to compare with; a candidate as good as stable shows this in "
		"less than 1 of 1,000,000 rollouts (limit: 1 of 100)");
}

/* What is normal: 540 errors of 540,000, with chance and a margin at most
 * 1.5 * (541 + 2 * sqrt(541)) of them, 0.163 %. */
static void a_breach_of_a_level_has_what_is_normal(void **state)
{
	(void)state;
	errors->numbers.level = 5;
	memory->result.log_e = log(40);
	show(errors, sum(30, 1000), sum(9, 9000));
	expect_breach(EVIDENCE_FAIL,
		"errors: candidate 3 % (30 of 1,000), stable 0.1 % (9 of "
		"9,000), more than is normal (0.16 %); a candidate as good as "
		"stable shows this in 1 of 40 rollouts (limit: 1 of 20)");
	show(errors, sum(30, 1000), sum(0, 0));
	expect_breach(EVIDENCE_FAIL,
		"errors: candidate 3 % (30 of 1,000), more than is normal "
		"(0.16 %); a candidate as good as stable shows this in 1 of 40 "
		"rollouts (limit: 1 of 20)");
	/* What little stable has is no control. */
	memory->state.none = true;
	show(errors, sum(30, 1000), sum(9, 9000));
	expect_breach(EVIDENCE_STEP_BACK,
		"errors: candidate 3 % (30 of 1,000), more than is normal "
		"(0.16 %); there is nothing to compare with: back to 10 % to "
		"ask stable; if stable has it too, the rollout goes on by "
		"itself");
}

/* ---- aims ---- */

static void an_aim_is_what_the_next_step_makes_needed(void **state)
{
	struct rollout *r = &fixture.world.rollout;
	const struct policy *policy = &fixture.test.policy;

	(void)state;
	r->evidence = memory;
	r->step = 0;
	errors->objective.none = latency->objective.none = false;
	errors->objective.full = true;
	errors->objective.limit_level = 0.01;
	latency->objective.full = false;
	latency->objective.limit_level = 0.2;
	assert_string_equal(evidence_print_aim(policy, r, text),
		"errors is to be below 1 %, and not twice stable's; latency is "
		"to be below 20 %: more would cost at most 50 slow requests at "
		"100 %");
	latency->objective.none = true;
	memory->result.decision = EVIDENCE_PASS;
	r->bake_from_ms = 1000000;
	assert_string_equal(
		evidence_print_passed(policy, r, 1000000 + 135999, text),
		"after 2m15s: errors is below 1 %, and not twice stable's; "
		"latency is below 20 % (95 % sure)");
	memory->result.decision = EVIDENCE_CONTINUE;
	assert_string_equal(
		evidence_print_passed(policy, r, 1000000 + 600000, text),
		"after 10m: its time is over, and there is no evidence against "
		"the candidate");
	r->evidence = NULL;
}

/* ---- what is missing ---- */

static void too_few_requests_are_counted(void **state)
{
	const struct slo *slo = &fixture.test.slos[0];

	(void)state;
	errors->step.candidate = sum(0, 64);
	assert_string_equal(evidence_print_few(slo, errors, text),
		"the candidate had 64 requests in this step, 100 are needed to "
		"tell (min_requests)");
	errors->step.candidate = sum(0, 1);
	assert_string_equal(evidence_print_few(slo, errors, text),
		"the candidate had 1 request in this step, 100 are needed to "
		"tell (min_requests)");
}

static void expect_missing(const struct evidence_slo *slo, const char *wanted)
{
	const char *is = evidence_print_missing(memory, slo, text);

	if (!wanted)
		assert_null(is);
	else
		assert_string_equal(is, wanted);
}

static void what_is_missing_is_the_gravest(void **state)
{
	const char *uneasy =
		"waiting: stable has errors itself (2 %, normal 0.16 %); no "
		"step to a share without a control before it is calm";

	(void)state;
	/* As sure as it is to be: 20 to 1. */
	errors->numbers.log_pass = -log(0.05);
	expect_missing(errors, NULL);
	errors->numbers.calm = false;
	errors->objective.stable = sum(20, 1000);
	memory->state.final = true;
	expect_missing(errors, uneasy);
	assert_string_equal(
		evidence_print_uneasy(memory, errors, text), uneasy);
	memory->state.final = false; /* a control will be there */
	expect_missing(errors, NULL);
	memory->state.final = memory->state.none = true; /* there is none now */
	expect_missing(errors, NULL);
	memory->state.none = false;
	errors->numbers.log_e = 0.99;
	expect_missing(errors, uneasy);
	errors->numbers.log_e = 1;
	expect_missing(errors, "some evidence against the candidate: against "
			       "1.0 of 3.7, for 3.0 of 3.0");
	errors->numbers.log_e = -2;
	memory->state.failed = true;
	expect_missing(errors, "some evidence against the candidate: against "
			       "0.0 of 3.7, for 3.0 of 3.0");
	memory->result.decision = EVIDENCE_PASS;
	expect_missing(errors, NULL);
}

static void a_slow_stable_is_said_to_be_slow(void **state)
{
	(void)state;
	latency->numbers.calm = false;
	latency->objective.stable = sum(0, 0);
	evidence_print_uneasy(memory, latency, text);
	assert_int_equal(
		strncmp(text, "waiting: stable is slow itself (0 %, normal ",
			44),
		0);
}

/* A tenth of `rate` a second, in checks of 15 s. */
static void undecided(double rate, unsigned checks, const char *wanted)
{
	errors->checks = checks;
	errors->step.candidate = sum(3, rate / 10 * 15 * checks);
	expect_missing(errors, wanted);
}

/* Ten times 0.1 % is told nine of ten times within 2610 s at 5 requests/s, with
 * two objectives: about 2575 s of evidence and half a check, in whole checks, and
 * one more. At n times the rate there is an nth of the
 * evidence to wait for, two checks at least. */
static void what_it_takes_to_tell_is_rounded_as_little_is_known(void **state)
{
	(void)state;
	undecided(5, 173,
		"undecided: 1,298 requests and 3 errors; telling 1 % from 0.1 "
		"% takes about 8 more, 15 s at this rate");
	undecided(5, 174, "undecided: 1,305 requests and 3 errors");
	/* 105 s: 1,785 of 17/s, 255 are there. */
	undecided(170, 1,
		"undecided: 255 requests and 3 errors; telling 1 % from 0.1 % "
		"takes about 1,500 more, 2 min at this rate");
	/* 90 s: 1,782 of 19.8/s without 594. */
	undecided(198, 2,
		"undecided: 594 requests and 3 errors; telling 1 % from 0.1 % "
		"takes about 1,200 more, 60 s at this rate");
	/* 45 s: 9,900 of 220/s, without 3,300; from half of the next power of
	 * ten on one digit is enough. */
	undecided(2200, 1,
		"undecided: 3,300 requests and 3 errors; telling 1 % from 0.1 "
		"% takes about 7,000 more, 30 s at this rate");
	undecided(1800, 1,
		"undecided: 2,700 requests and 3 errors; telling 1 % from 0.1 "
		"% takes about 5,000 more, 30 s at this rate");
	undecided(1600, 1,
		"undecided: 2,400 requests and 3 errors; telling 1 % from 0.1 "
		"% takes about 4,800 more, 30 s at this rate");
}

static void what_cannot_be_told_is_not_said_to_take_so_long(void **state)
{
	const struct evidence_slo before = *errors;

	(void)state;
	undecided(0, 0, "undecided: 0 requests and 3 errors");
	undecided(0, 1, "undecided: 0 requests and 3 errors");
	errors->objective.share = 0;
	undecided(200, 1, "undecided: 300 requests and 3 errors");
	*errors = before;
	/* Stable has never been seen. */
	errors->objective.learned = sum(0, 0);
	undecided(200, 1, "undecided: 300 requests and 3 errors");
	*errors = before;
	/* As bad as that counts for nothing. */
	errors->spec.floor = 0.02;
	undecided(200, 1, "undecided: 300 requests and 3 errors");
	*errors = before;
	/* Not a single error of stable's: half of one, of 50,000. */
	errors->objective.learned = sum(0, 50000);
	errors->checks = 1;
	errors->step.candidate = sum(0, 300);
	assert_non_null(evidence_print_missing(memory, errors, text));
	assert_non_null(strstr(text, "telling 1 % from 0.001 % takes about"));
}

static void one_is_one(void **state)
{
	(void)state;
	errors->objective.learned = latency->objective.learned = sum(0, 0);
	errors->step.candidate = sum(1, 1);
	expect_missing(errors, "undecided: 1 request and 1 error");
	latency->step.candidate = sum(1, 2);
	expect_missing(latency, "undecided: 2 requests and 1 slow one");
	latency->step.candidate = sum(2, 2000);
	expect_missing(latency, "undecided: 2,000 requests and 2 slow ones");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(shares_have_two_digits_and_counts_their_commas),
		T(a_breach_beside_stable_has_both_and_the_odds),
		T(a_breach_of_a_level_has_what_is_normal),
		T(an_aim_is_what_the_next_step_makes_needed),
		T(too_few_requests_are_counted),
		T(what_is_missing_is_the_gravest),
		T(a_slow_stable_is_said_to_be_slow),
		T(what_it_takes_to_tell_is_rounded_as_little_is_known),
		T(what_cannot_be_told_is_not_said_to_take_so_long),
		T(one_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
