/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts with SLOs of kind evidence: what the counts lead to. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "engine_fixture.h"
#include "journal_fixture.h"
#include "store/fold.h"

#define MINUTE  60000
#define CHECK_S 15

static struct test_policy test;
static struct world world;
static struct rng rng;
static int64_t counted_ms[2];

/* Of the two revisions, as long as a test does not change them. */
static double candidate_share, stable_share, rate;
static bool silent; /* the candidate has no samples */

static int setup(void **state)
{
	struct slo *slo;

	(void)state;
	test_policy_init(&test);
	test.policy.pace = PACE_FIXED;
	test.policy.evidence =
		(struct evidence_policy){.alpha = 0.05, .harm = 10};
	slo = &test.slos[0];
	*slo = (struct slo){.name = "errors",
		.kind = SLO_EVIDENCE,
		.total = "total",
		.bad = "bad",
		.objective = 0.01,
		.tolerance = -1,
		.floor = -1,
		.requests_needed = 100,
		.interval_ms = CHECK_S * 1000,
		.timeout_ms = 5000};
	for (size_t i = 0; i < test.policy.n_steps; i++)
		test.steps[i].bake_ms = 10 * MINUTE;
	world_init(&world, &test.policy);
	rng_init(&rng, 1);
	memset(counted_ms, 0, sizeof(counted_ms));
	candidate_share = stable_share = 0.001;
	rate = 50;
	silent = false;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rollout_clear(&world.rollout);
	return 0;
}

/* A whole number whose mean is `mean`. */
static double around(double mean)
{
	return floor(mean) + (rng_unit(&rng) < mean - floor(mean));
}

static void count_arm(struct evidence_counts *arm, double requests, double bad)
{
	double failed = around(requests * bad);

	arm->known = true;
	arm->bin[1] = failed;
	arm->bin[0] = fmax(0, around(requests) - failed);
}

static struct answers counters(struct world *w, int slo)
{
	static struct check_counts ring[WORLD_QUEUE_MAX];
	static size_t next;
	struct check_counts *c = &ring[next++ % WORLD_QUEUE_MAX];
	double s = (double)(w->now_ms - counted_ms[slo]) / 1000;
	double candidate = w->serving.candidate / 100.0;
	double share = slo == 0 ? candidate_share : stable_share;

	if (!counted_ms[slo])
		s = 0;
	counted_ms[slo] = w->now_ms;
	*c = (struct check_counts){.bins = 2};
	count_arm(&c->candidate, rate * s * candidate, share);
	count_arm(&c->stable, rate * s * (1 - candidate), stable_share);
	if (silent)
		c->candidate = (struct evidence_counts){.known = false};
	return (struct answers){
		.item[QUERY_VALUE] = {ANSWER_VALUE, NAN}, .counts = c};
}

/* Ten requests of each revision in the first bucket, of so many buckets. */
static size_t n_buckets;

static struct answers histograms(struct world *w, int slo)
{
	static struct check_counts ring[WORLD_QUEUE_MAX];
	static size_t next;
	struct check_counts *c = &ring[next++ % WORLD_QUEUE_MAX];

	(void)w;
	(void)slo;
	*c = (struct check_counts){.bins = n_buckets,
		.candidate = {.known = true, .bin = {10}},
		.stable = {.known = true, .bin = {10}}};
	for (size_t i = 0; i + 1 < n_buckets; i++)
		c->bounds[i] = 0.1 * (double)(i + 1);
	return (struct answers){
		.item[QUERY_VALUE] = {ANSWER_VALUE, NAN}, .counts = c};
}

static void begin(void)
{
	world.answer = counters;
	world_start(&world);
}

/* Another one, of which both revisions show the same. */
static void add_slo(void)
{
	test.slos[1] = test.slos[0];
	test.slos[1].name = "timeouts";
	test.policy.n_slos = 2;
}

static void expect_reason(const char *text)
{
	if (!strstr(world.rollout.reason, text))
		print_error("%s\n", world.rollout.reason);
	assert_non_null(strstr(world.rollout.reason, text));
}

static void expect_phase(enum phase phase)
{
	assert_string_equal(phase_name(world.rollout.phase), phase_name(phase));
}

static double minutes(void)
{
	return (double)(world.now_ms - world.start_ms) / MINUTE;
}

static void one_counter_that_cannot_be_read_is_an_error_of_the_check(
	void **state)
{
	struct check_counts counts = {
		.bins = 2, .candidate.known = true, .stable.known = true};
	struct answers answers = {.counts = &counts};
	struct judgement judgement;

	(void)state;
	for (size_t role = QUERY_TOTAL; role < QUERY_ROLES; role++) {
		answers.item[role].kind = ANSWER_ERROR;
		check_judge(&test.slos[0], &world.rollout.check[0], &answers,
			&judgement);
		assert_int_equal(judgement.outcome, OUTCOME_ERROR);
		answers.item[role].kind = ANSWER_NO_DATA;
	}
	check_judge(
		&test.slos[0], &world.rollout.check[0], &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_PASS);
}

static void an_incomplete_answer_is_no_data_unless_it_is_accepted(void **state)
{
	struct check_counts counts = {
		.bins = 2, .candidate.known = true, .stable.known = true};
	struct answers answers = {.counts = &counts};
	struct judgement judgement;

	(void)state;
	answers.item[QUERY_BAD_STABLE].partial = true;
	check_judge(
		&test.slos[0], &world.rollout.check[0], &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_NO_DATA);
	assert_true(judgement.partial);
	test.slos[0].partial = PARTIAL_ACCEPT;
	check_judge(
		&test.slos[0], &world.rollout.check[0], &answers, &judgement);
	assert_int_equal(judgement.outcome, OUTCOME_PASS);
	check_apply(&test.slos[0], &world.rollout.check[0], &judgement, false);
	assert_true(world.rollout.check[0].partial);
	judgement.partial = false;
	check_apply(&test.slos[0], &world.rollout.check[0], &judgement, false);
	assert_false(world.rollout.check[0].partial);
}

static void a_good_release_is_promoted(void **state)
{
	(void)state;
	begin();
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_PROMOTED);
	assert_true(minutes() > 30);
}

static void good_steps_end_early_when_the_pace_is_the_evidence(void **state)
{
	(void)state;
	test.policy.pace = PACE_EVIDENCE;
	begin();
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_PROMOTED);
	assert_true(minutes() > 6 && minutes() < 25);
}

static void a_bad_release_goes_back_with_its_numbers(void **state)
{
	(void)state;
	candidate_share = 0.05;
	begin();
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_ROLLED_BACK);
	assert_int_equal(rollout_exit_status(&world.rollout), 5);
	assert_true(minutes() < 3);
	assert_non_null(strstr(world.rollout.reason, "errors: candidate "));
	assert_non_null(strstr(world.rollout.reason, " times as many"));
	assert_non_null(strstr(world.rollout.reason, "(limit: 1 of 20)"));
}

static void what_stable_suffers_too_takes_nothing_back(void **state)
{
	(void)state;
	candidate_share = stable_share = 0.05;
	begin();
	world_run(&world, 9 * MINUTE);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.serving.candidate, 10);
}

/* At 100 % an incident and a bad release look alike: stable is asked. */
static void without_a_control_the_first_cross_goes_one_step_back(void **state)
{
	(void)state;
	begin();
	world_run(&world, 22 * MINUTE);
	assert_int_equal(world.serving.candidate, 100);
	candidate_share = stable_share = 0.2;
	world_run(&world, 3 * MINUTE);
	assert_int_equal(world.serving.candidate, 10);
	assert_false(rollout_exit_status(&world.rollout) == 5);
	assert_non_null(
		strstr(world.rollout.reason, "back to 10 % to ask stable"));
	candidate_share = stable_share = 0.001;
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_PROMOTED);
}

static void bad_at_100_percent(void)
{
	begin();
	world_run(&world, 22 * MINUTE);
	assert_int_equal(world.serving.candidate, 100);
	candidate_share = 0.2;
	world_run(&world, 3 * MINUTE);
}

static void without_a_control_the_policy_may_want_a_revert(void **state)
{
	(void)state;
	test.policy.evidence.without_control = WITHOUT_REVERT;
	bad_at_100_percent();
	assert_int_equal(world.serving.candidate, 0);
	assert_int_equal(rollout_exit_status(&world.rollout), 5);
}

static void without_a_control_the_policy_may_want_a_person(void **state)
{
	(void)state;
	test.policy.evidence.without_control = WITHOUT_HOLD;
	bad_at_100_percent();
	expect_phase(PHASE_HELD);
	assert_int_equal(world.serving.candidate, 100);
}

/* There is no step to go back to where stable could be asked. */
static void when_no_step_has_a_control_the_first_cross_is_final(void **state)
{
	(void)state;
	test.policy.n_steps = 1;
	test.steps[0].percent = 100;
	begin();
	world_run(&world, 2 * MINUTE);
	assert_int_equal(world.serving.candidate, 100);
	candidate_share = 0.2;
	world_run(&world, 3 * MINUTE);
	assert_int_equal(world.serving.candidate, 0);
	assert_false(world.rollout.evidence->state.stepped_back);
	assert_int_equal(rollout_exit_status(&world.rollout), 5);
}

/* What decided is over with the climb: it does not decide once more when the
 * next SLO is asked. */
static void a_step_back_forgets_the_evidence_of_every_slo(void **state)
{
	(void)state;
	add_slo();
	begin();
	world_run(&world, 22 * MINUTE);
	assert_int_equal(world.serving.candidate, 100);
	candidate_share = 0.2;
	world_run(&world, MINUTE);
	candidate_share = 0.001;
	world_run(&world, MINUTE);
	expect_phase(PHASE_BAKING);
	assert_int_equal(world.serving.candidate, 10);
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_PROMOTED);
}

/* Each step is left on evidence of its own. */
static void what_a_step_has_shown_does_not_pass_the_next_one(void **state)
{
	(void)state;
	test.policy.pace = PACE_EVIDENCE;
	test.policy.settle_ms = 0;
	world.serve_delay_ms = 4000; /* between two checks */
	rate = 500;
	candidate_share = stable_share = 0.0001;
	begin();
	while (world.serving.candidate < 50)
		world_run(&world, MINUTE / 6);
	world_run(&world, MINUTE);
	assert_int_equal(world.serving.candidate, 50);
}

/* An instance with other buckets is all that is left. */
static void what_cannot_be_counted_is_no_pass(void **state)
{
	(void)state;
	test.slos[0].total = test.slos[0].bad = NULL;
	test.slos[0].buckets = "buckets";
	test.slos[0].bound = test.slos[0].bound_le = 0.2;
	test.slos[0].requests_needed = 0;
	world.answer = histograms;
	n_buckets = 4;
	world_start(&world);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_BAKING);
	n_buckets = 5;
	world_run(&world, 2 * MINUTE);
	assert_int_equal(world.rollout.check[0].outcome, OUTCOME_ERROR);
	expect_phase(PHASE_HELD);
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_ROLLED_BACK);
}

static void a_step_lasts_two_minutes_at_least(void **state)
{
	int64_t since_ms;

	(void)state;
	test.policy.pace = PACE_EVIDENCE;
	test.policy.settle_ms = 0;
	world.serve_delay_ms = 4000;
	rate = 500;
	candidate_share = stable_share = 0.0001;
	begin();
	while (world.serving.candidate < 50)
		world_run(&world, 1000);
	since_ms = world.now_ms;
	while (world.serving.candidate < 100)
		world_run(&world, 1000);
	assert_true(world.now_ms - since_ms >= POLICY_DWELL_MS);
	assert_true(world.now_ms - since_ms < 3 * MINUTE);
}

static void the_second_cross_is_final(void **state)
{
	(void)state;
	begin();
	world_run(&world, 22 * MINUTE);
	candidate_share = 0.2;
	world_run(&world, 10 * MINUTE);
	expect_phase(PHASE_ROLLED_BACK);
	assert_int_equal(rollout_exit_status(&world.rollout), 5);
}

static void too_few_requests_hold_the_step(void **state)
{
	(void)state;
	rate = 0.5;
	begin();
	world_run(&world, 15 * MINUTE);
	expect_phase(PHASE_BAKING);
	world_run(&world, 10 * MINUTE);
	expect_phase(PHASE_HELD);
	assert_int_equal(world.serving.candidate, 10);
	/* One in 20 s, for the 20 minutes of the step. */
	expect_reason("bake is over; errors: the candidate had 60 requests in "
		      "this step, 100 are needed to tell (min_requests); it "
		      "goes on by itself when that has changed");
}

/* More than stable, and not enough more to decide. */
static void some_evidence_holds_the_step_and_is_told(void **state)
{
	const struct evidence_memory *memory;
	int i;

	(void)state;
	test.slos[0].requests_needed = 1e6; /* it would have to wait anyway */
	begin();
	world_run(&world, 18 * MINUTE);
	memory = world.rollout.evidence;
	candidate_share = 0.022;
	for (i = 0; i < 60 && world.rollout.phase == PHASE_BAKING; i++) {
		if (memory->result.log_e >= 1)
			candidate_share = 0.001;
		world_run(&world, CHECK_S * 1000);
	}
	expect_phase(PHASE_HELD);
	/* The last two minutes, at 5 requests per second. */
	expect_reason("bake is over; errors: some evidence against the "
		      "candidate: candidate 1.7 % (10 of 600), stable ");
	expect_reason(" of 5,400); against 1.");
	expect_reason("; it goes on by itself when that has changed");
}

static void a_stable_in_trouble_holds_the_step_and_is_told(void **state)
{
	int i;

	(void)state;
	begin();
	while (world.serving.candidate < 50)
		world_run(&world, 1000);
	candidate_share = stable_share = 0.03;
	for (i = 0; i < 1500 && world.rollout.phase != PHASE_HELD; i++)
		world_run(&world, 1000);
	expect_phase(PHASE_HELD);
	expect_reason("bake is over; errors: waiting: stable has errors itself "
		      "(3 %, normal ");
	expect_reason("); no step to a share without a control before it is "
		      "calm; it goes on by itself when that has changed");
}

static void undecided_evidence_that_reverts_says_what_was_missing(void **state)
{
	(void)state;
	test.policy.on_undecided = ON_UNDECIDED_ROLLBACK;
	rate = 0.5;
	begin();
	world_run(&world, 25 * MINUTE);
	expect_phase(PHASE_ROLLED_BACK);
	assert_string_equal(world.rollout.reason,
		"bake is over; errors: the candidate had 60 requests in this "
		"step, 100 are needed to tell (min_requests)");
}

static void an_approved_step_that_cannot_go_up_says_which_slo(void **state)
{
	(void)state;
	test.steps[1].approval = &test.approval;
	begin();
	world_run(&world, 12 * MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	silent = true;
	world_run(&world, MINUTE);
	world_command(&world, VERB_APPROVE, "bob");
	world_run(&world, 8 * MINUTE);
	expect_phase(PHASE_HELD);
	assert_string_equal(world.rollout.reason,
		"approved, but traffic cannot move up: errors: the latest "
		"answer is no-data");
}

static void missing_samples_are_no_evidence_and_no_bake(void **state)
{
	(void)state;
	silent = true;
	begin();
	world_run(&world, 40 * MINUTE);
	assert_int_equal(world.highest_percent, 10);
}

static void nothing_is_decided_before_the_last_answer(struct world *w,
	const struct event *event, const struct outcome_list *out)
{
	(void)out;
	if (event->type == EVENT_CHECK && event->slo == 0)
		assert_true(w->rollout.phase == PHASE_BAKING ||
			    w->rollout.phase == PHASE_SHIFTING);
}

/* Answers come in any order; what they lead to must not depend on it. */
static void slos_that_are_asked_together_decide_together(void **state)
{
	(void)state;
	add_slo();
	candidate_share = 0.2;
	begin();
	world.fed = nothing_is_decided_before_the_last_answer;
	world_run(&world, 10 * MINUTE);
	world.fed = NULL;
	expect_phase(PHASE_ROLLED_BACK);
}

static void a_silent_candidate_stops_the_clock_and_then_holds(void **state)
{
	(void)state;
	begin();
	world_run(&world, 4 * MINUTE);
	silent = true;
	world_run(&world, MINUTE);
	assert_null(strstr(world.notes, "warning"));
	world_run(&world, MINUTE);
	assert_non_null(strstr(world.notes, "warning"));
	silent = false;
	/* The bake of 10 minutes would be over; about one did not count. */
	world_run(&world, 5 * MINUTE - MINUTE / 2);
	assert_int_equal(world.serving.candidate, 10);
	world_run(&world, 2 * MINUTE);
	assert_int_equal(world.serving.candidate, 50);
	silent = true;
	world_run(&world, 4 * MINUTE);
	expect_phase(PHASE_BAKING);
	world_run(&world, 2 * MINUTE);
	expect_phase(PHASE_HELD);
	assert_non_null(strstr(world.rollout.reason,
		"errors: the candidate has had no fresh sample for 20 checks; "
		"it goes on by itself"));
	silent = false;
	world_run(&world, 40 * MINUTE);
	expect_phase(PHASE_PROMOTED);
}

static void observing_takes_nothing_back(void **state)
{
	(void)state;
	test.policy.on_breach = ON_BREACH_OBSERVE;
	candidate_share = 0.05;
	begin();
	world_run(&world, 60 * MINUTE);
	assert_non_null(strstr(world.notes, "would-have-reverted"));
	expect_phase(PHASE_PROMOTED);
}

static void a_person_may_overrule_the_evidence(void **state)
{
	(void)state;
	test.policy.on_breach = ON_BREACH_HOLD;
	test.policy.hold_timeout_ms = 60 * MINUTE;
	candidate_share = 0.05;
	begin();
	world_run(&world, 5 * MINUTE);
	expect_phase(PHASE_HELD);
	candidate_share = 0.001;
	world_command(&world, VERB_CONTINUE, "alice");
	assert_false(world.refused);
	world_run(&world, 60 * MINUTE);
	expect_phase(PHASE_PROMOTED);
}

/* While it waits for people stable still serves half: it is asked, too. */
static void overruled_at_a_gate_the_evidence_goes_by_what_serves(void **state)
{
	(void)state;
	test.policy.on_breach = ON_BREACH_HOLD;
	test.policy.hold_timeout_ms = 60 * MINUTE;
	test.approval.timeout_ms = 10 * 60 * MINUTE;
	test.steps[2].approval = &test.approval;
	begin();
	while (world.rollout.phase != PHASE_AWAITING_APPROVAL)
		world_run(&world, 1000);
	assert_int_equal(world.serving.candidate, 50);
	candidate_share = 0.05;
	while (world.rollout.phase != PHASE_HELD)
		world_run(&world, 1000);
	candidate_share = 0.001;
	world_command(&world, VERB_CONTINUE, "alice");
	assert_false(world.refused);
	expect_phase(PHASE_AWAITING_APPROVAL);
	/* Both have the same trouble. */
	candidate_share = stable_share = 0.03;
	world_run(&world, 8 * MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	/* … and the candidate gets no share without a control in it. */
	world_command(&world, VERB_APPROVE, "bob");
	world_run(&world, MINUTE);
	expect_phase(PHASE_AWAITING_APPROVAL);
	assert_int_equal(world.serving.candidate, 50);
}

/* Every number, bit by bit, from what the journal says. */
static void the_folded_evidence_is_that_in_memory(void **state)
{
	static struct fold fold;
	char folder[] = "/tmp/evidence_test.XXXXXX", path[64], command[64];
	const struct evidence_memory *memory;
	struct journal_fixture journal;
	struct err err;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	journal_fixture_open(&journal, path, "shop-1", "", 0);
	journal_fixture_attach(&journal, &world);
	begin();
	world_run(&world, 22 * MINUTE);
	candidate_share = 0.2;
	world_run(&world, 3 * MINUTE);
	memory = world.rollout.evidence;
	assert_true(memory->state.stepped_back);
	assert_int_equal(fold_rollout(journal.store, "shop-1", world.policy,
				 &fold, &err),
		0);
	assert_int_equal(fold.differs_seq, 0);
	journal_fixture_expect_evidence(memory, fold.state.evidence);
	fold_fini(&fold);
	journal_fixture_close(&journal);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(one_counter_that_cannot_be_read_is_an_error_of_the_check),
		T(an_incomplete_answer_is_no_data_unless_it_is_accepted),
		T(a_good_release_is_promoted),
		T(good_steps_end_early_when_the_pace_is_the_evidence),
		T(a_bad_release_goes_back_with_its_numbers),
		T(what_stable_suffers_too_takes_nothing_back),
		T(without_a_control_the_first_cross_goes_one_step_back),
		T(without_a_control_the_policy_may_want_a_revert),
		T(without_a_control_the_policy_may_want_a_person),
		T(when_no_step_has_a_control_the_first_cross_is_final),
		T(a_step_back_forgets_the_evidence_of_every_slo),
		T(what_a_step_has_shown_does_not_pass_the_next_one),
		T(what_cannot_be_counted_is_no_pass),
		T(a_step_lasts_two_minutes_at_least),
		T(the_second_cross_is_final),
		T(too_few_requests_hold_the_step),
		T(some_evidence_holds_the_step_and_is_told),
		T(a_stable_in_trouble_holds_the_step_and_is_told),
		T(undecided_evidence_that_reverts_says_what_was_missing),
		T(an_approved_step_that_cannot_go_up_says_which_slo),
		T(missing_samples_are_no_evidence_and_no_bake),
		T(slos_that_are_asked_together_decide_together),
		T(a_silent_candidate_stops_the_clock_and_then_holds),
		T(observing_takes_nothing_back),
		T(a_person_may_overrule_the_evidence),
		T(overruled_at_a_gate_the_evidence_goes_by_what_serves),
		T(the_folded_evidence_is_that_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
