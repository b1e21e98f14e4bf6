/* SPDX-License-Identifier: Apache-2.0 */
/* The log above the panel: what is told of a journal, and what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "status/happening.h"
#include "store/event_codec.h"

static struct test_policy test;
static struct world world;
static struct happenings *happenings;
static struct buf told; /* a line each: tone and text */

static void take(const char *name, bool is_note, const char *data)
{
	struct store_event entry = {.time_ms = world.now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(world.rollout.phase),
		.data = data};
	static const char tones[] = " +!x";
	enum happening_tone tone;
	struct buf text;

	buf_init(&text, 65536);
	if (happenings_take(happenings, &world.rollout, &entry, &tone, &text))
		buf_addf(&told, "%c %s\n", tones[tone], text.data);
	buf_fini(&text);
}

static void fed(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	struct event_context context = {.policy = w->policy,
		.state = &w->rollout,
		.judgement =
			event->type == EVENT_CHECK ? &out->judgement : NULL};
	struct buf data;
	size_t i;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	event_encode(event, &context, &data);
	take(event_name(event->type), false, data.data);
	for (i = 0; i < out->n_notes; i++) {
		buf_clear(&data);
		note_encode(&out->note[i], &context, &data);
		take(note_name(out->note[i].type), true, data.data);
	}
	buf_fini(&data);
}

static int setup(void **state)
{
	(void)state;
	test_policy_init(&test);
	test.slos[0].texts.max = "1%";
	world_init(&world, &test.policy);
	world.fed = fed;
	happenings = happenings_new(&test.policy);
	buf_init(&told, 1024 * 1024);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rollout_clear(&world.rollout);
	happenings_free(&happenings);
	buf_fini(&told);
	return 0;
}

static int64_t bad_from_ms;

static struct answers bad_after(struct world *w, int slo)
{
	double value = w->now_ms >= bad_from_ms ? 0.148 : 0;

	(void)slo;
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_VALUE, value}};
}

static void a_release_that_is_good_takes_few_lines(void **state)
{
	(void)state;
	world_start(&world);
	world_run(&world, 600000);
	assert_int_equal(world.rollout.phase, PHASE_PROMOTED);
	assert_string_equal(told.data,
		"  started by alice\n"
		"  preflight has passed\n"
		"  traffic moves: candidate 10 %, stable 90 %\n"
		"  candidate serves 10 %\n"
		"+ step 1 has passed\n"
		"  traffic moves: candidate 50 %, stable 50 %\n"
		"  candidate serves 50 %\n"
		"+ step 2 has passed\n"
		"  traffic moves: candidate 100 %, stable 0 %\n"
		"  candidate serves 100 %\n"
		"+ step 3 has passed\n"
		"  traffic moves: candidate 100 %, stable 0 %\n");
}

static void a_breach_is_told_with_its_count_and_a_revert_once(void **state)
{
	const char *first;

	(void)state;
	bad_from_ms = world.now_ms + 40000;
	world.answer = bad_after;
	world_start(&world);
	world_run(&world, 600000);
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	first = strstr(told.data, "! error-rate: 14.8 % > max 1 % (1 of the "
				  "last 3; 2 of 3 revert)\n");
	assert_non_null(first);
	assert_non_null(strstr(first, "(2 of the last 3; 2 of 3 revert)\n"
				      "x reverts: error-rate: 14.8 %"));
	assert_null(strstr(strstr(told.data, "x reverts") + 1, "\nx "));
	assert_non_null(strstr(told.data, "+ stable has its traffic back\n"));
	assert_null(strstr(told.data, "baking"));
}

static struct answers nothing(struct world *w, int slo)
{
	(void)w;
	(void)slo;
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
}

static void missing_data_is_told_once_and_that_it_is_back(void **state)
{
	const char *at;

	(void)state;
	world_start(&world);
	world_run(&world, 20000);
	world.answer = nothing;
	world_run(&world, 25000);
	world.answer = NULL;
	world_run(&world, 20000);
	at = strstr(told.data, "! error-rate: no data");
	assert_non_null(at);
	at = strstr(at, "+ error-rate passes again\n");
	assert_non_null(at);
	assert_null(strstr(at, "no data"));
}

static void people_are_named_with_what_they_said(void **state)
{
	struct event pause = {.type = EVENT_COMMAND,
		.verb = VERB_PAUSE,
		.who = "bob",
		.text = "lunch"};

	(void)state;
	world_start(&world);
	world_run(&world, 20000);
	world_feed(&world, &pause);
	world_command(&world, VERB_APPROVE, "carol");
	assert_non_null(strstr(told.data, "  bob pauses it: lunch\n"));
	assert_non_null(strstr(told.data, "! refused: approve by carol: "));
}

static void an_entry_that_makes_no_sense_is_no_line(void **state)
{
	(void)state;
	take("check", false, "[1");
	take("check", false, "{\"slo\": 5, \"outcome\": {}}");
	take("nonsense", true, "{}");
	take("nonsense", false, "{}");
	take("command", false, "{\"verb\": \"dance\"}");
	assert_string_equal(told.data, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_release_that_is_good_takes_few_lines),
		TEST(a_breach_is_told_with_its_count_and_a_revert_once),
		TEST(missing_data_is_told_once_and_that_it_is_back),
		TEST(people_are_named_with_what_they_said),
		TEST(an_entry_that_makes_no_sense_is_no_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
