/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people are told of a rollout: each situation that they may find it in has
 * its two sentences, and what they are told to type is taken.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "situations.h"

static bool is_as_told(const struct situation *s)
{
	static struct stage stage;
	const struct summary *summary;
	bool right;

	stage_init(&stage);
	s->build(&stage);
	summary = stage_look(&stage);
	right = !strcmp(summary->now, s->now) &&
		!strcmp(summary->next, s->next);
	if (!right)
		print_error("%s:\n  %s\n  %s\n", s->name, summary->now,
			summary->next);
	stage_fini(&stage);
	return right;
}

static void each_situation_has_its_sentences(void **state)
{
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < n_situations; i++)
		wrong += !is_as_told(&situations[i]);
	assert_int_equal(wrong, 0);
}

/* The engine takes what the summary says that it takes, and refuses the rest in
 * the same words. */
static void commands_are_taken_as_is_said(void **state)
{
	static struct stage stage;
	struct summary_command said;
	size_t i;
	int verb;

	(void)state;
	for (i = 0; i < n_situations * VERBS; i++) {
		verb = (int)(i % VERBS);
		stage_init(&stage);
		situations[i / VERBS].build(&stage);
		said = stage_look(&stage)->verbs[verb];
		world_command(&stage.world, (enum verb)verb,
			stage.world.rollout.approvals ? "carol" : "bob");
		if (verb != VERB_APPROVE || !said.is_taken)
			assert_int_equal(said.is_taken, !stage.world.refused);
		if (!said.is_taken)
			assert_string_equal(said.says, stage.world.refusal);
		stage_fini(&stage);
	}
}

static const struct summary *look_at(struct stage *stage, const char *name)
{
	size_t i;

	stage_init(stage);
	for (i = 0; i < n_situations; i++) {
		if (!strcmp(situations[i].name, name))
			situations[i].build(stage);
	}
	return stage_look(stage);
}

static void an_slo_has_its_values_in_its_unit(void **state)
{
	static struct stage stage;
	const struct summary *s = look_at(&stage, "one of two");
	const struct summary_slo *slo = &s->slos[1];

	(void)state;
	assert_string_equal(s->slos[0].value_text, "0 %");
	assert_string_equal(s->slos[0].limit_text, "1 %");
	assert_string_equal(slo->value_text, "73.8 ms");
	assert_string_equal(slo->limit_text, "73.2 ms");
	assert_string_equal(slo->stable_text, "48.8 ms");
	assert_string_equal(slo->unit, "ms");
	assert_string_equal(slo->says, "breach: 4 of 9");
	assert_int_equal(slo->n_last, 6);
	assert_int_equal(slo->last[5].outcome, OUTCOME_BREACH);
	assert_true(slo->last[5].value > 0.07);
	stage_fini(&stage);
}

static void people_are_named_with_what_they_said(void **state)
{
	static struct stage stage;
	const struct summary *s = look_at(&stage, "half approved");

	(void)state;
	assert_int_equal(s->people.n_deeds, 1);
	assert_string_equal(s->people.deeds[0].who, "bob");
	assert_string_equal(s->people.deeds[0].comment, "looked at it");
	assert_int_equal(s->people.n_given, 1);
	assert_string_equal(s->people.missing[0], "carol");
	world_command(&stage.world, VERB_APPROVE, "mallory");
	s = stage_look(&stage);
	assert_true(s->people.deeds[1].refused);
	assert_string_equal(s->people.deeds[1].refusal,
		"mallory is not among the approvers of this step");
	stage_fini(&stage);
}

/* Whose entries they were, and who wrote them. */
static void drift_says_who_has_what_and_who_did_it(void **state)
{
	static struct stage stage;
	struct store_event read = {.time_ms = 1,
		.name = "traffic",
		.phase = "baking",
		.data = "{\"table\":[{\"revision\":\"backend-2\",\"percent\":"
			"10},"
			"{\"percent\":60},{\"revision\":\"x\",\"tag\":\"t\"},"
			"{\"revision\":\"backend-9\",\"percent\":30}],"
			"\"modifier\":\"eve@acme.com\"}"};
	struct store_event note = {.time_ms = 2,
		.is_note = true,
		.name = "drift",
		.phase = "stopped",
		.data = "{\"text\":\"candidate 10 %, stable 60 %\"}"};
	const struct summary *s;

	(void)state;
	look_at(&stage, "stopped");
	lookback_take(stage.lookback, &read);
	lookback_take(stage.lookback, &note);
	s = stage_look(&stage);
	assert_string_equal(s->drift->modifier, "eve@acme.com");
	assert_non_null(strstr(s->now,
		"(asked for is backend-2 10 %, LATEST 60 %, backend-9 30 %; "
		"last changed by eve@acme.com)"));
	stage_fini(&stage);
}

/* Step 1 has a load of a minute: 45 s after the start it is made, 40 s later the
 * window after it goes by. */
static const struct summary *look_at_load(
	struct stage *stage, bool is_over, world_action_fn ends)
{
	stage_init(stage);
	stage->test.policy.on_breach = ON_BREACH_HOLD;
	test_policy_add(&stage->test, LIST_LOAD, "users")->stop_on_failure =
		true;
	stage->test.steps[0].load = 1;
	stage->world.load_ms = 60000;
	stage->world.action = ends;
	world_start(&stage->world);
	world_run(&stage->world, is_over ? 85000 : 45000);
	return stage_look(stage);
}

static enum action_result misses(
	struct world *w, enum action_list list, int index, int attempt)
{
	return ACTION_FAILED;
}

static void the_load_of_a_step_is_told(void **state)
{
	static struct stage stage;
	const struct summary *summary = look_at_load(&stage, false, NULL);

	assert_string_equal(summary->now,
		"backend-2 has served 10 % for 41s: its load \"users\" is "
		"made; error-rate passes.");
	assert_string_equal(summary->next,
		"When it has ended, and a window after it, the bake of 1m "
		"begins. An SLO that fails holds it at once.");
	stage_fini(&stage);
	summary = look_at_load(&stage, true, NULL);
	assert_string_equal(summary->now,
		"backend-2 has served 10 % for 1m21s; its load is over, and "
		"its window goes by; error-rate passes.");
	stage_fini(&stage);
	summary = look_at_load(&stage, true, misses);
	assert_string_equal(summary->now,
		"Held: load of step 1: action \"users\" failed; backend-2 "
		"serves 10 %.");
	stage_fini(&stage);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_load_of_a_step_is_told),
		cmocka_unit_test(each_situation_has_its_sentences),
		cmocka_unit_test(commands_are_taken_as_is_said),
		cmocka_unit_test(an_slo_has_its_values_in_its_unit),
		cmocka_unit_test(people_are_named_with_what_they_said),
		cmocka_unit_test(drift_says_who_has_what_and_who_did_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
