/*
 * What people are told of a rollout: one row for each situation that they may
 * find it in, built by events through the engine, with both sentences as a
 * person would accept them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine_fixture.h"
#include "status/summary.h"
#include "store/event_codec.h"

#define ID "backend-20260101-000000-abcd"

static struct test_policy test;
static struct world world;
static struct lookback *lookback;
static struct arena arena;
static enum summary_driver driver;

/* ---- the journal, as a lookback sees it ---- */

static void take(const char *name, bool is_note, const char *data)
{
	struct store_event entry = {.time_ms = world.now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(world.rollout.phase),
		.data = data};

	lookback_take(lookback, &entry);
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

static void begin(void)
{
	arena_init(&arena);
	test_policy_init(&test);
	test.slos[0].texts.max = "1%";
	world_init(&world, &test.policy);
	world.fed = fed;
	lookback = lookback_new(&test.policy);
	driver = SUMMARY_DRIVEN;
}

static void end(void)
{
	rollout_clear(&world.rollout);
	lookback_free(&lookback);
	arena_fini(&arena);
}

static const struct summary *look(void)
{
	struct summary_source source = {
		.policy = &test.policy,
		.rollout = &world.rollout,
		.lookback = lookback,
		.id = ID,
		.service = "projects/acme/locations/us-central1/services/"
			   "backend",
		.candidate = "backend-2",
		.stable = "backend-1",
		.starter = "alice",
		.started_ms = world.start_ms,
		.now_ms = world.now_ms,
		.driver = driver,
	};

	return summary_make(&source, &arena);
}

/* ---- answers ---- */

static struct answers no_value(struct world *w, int slo)
{
	(void)w;
	(void)slo;
	return (struct answers){.item[QUERY_VALUE] = {ANSWER_NO_DATA, 0}};
}

static struct answers few_requests(struct world *w, int slo)
{
	(void)w;
	(void)slo;
	return (struct answers){
		.item = {[QUERY_VALUE] = {ANSWER_VALUE, 0},
			[QUERY_REQUESTS] = {ANSWER_VALUE, 15.6}}};
}

/* ---- situations ---- */

static void a_bake_that_passes(void)
{
	world_start(&world);
	world_run(&world, 45000);
}

static void a_gate(void)
{
	test.steps[0].approval = &test.approval;
	world_start(&world);
	world_run(&world, 45000);
}

static void a_hold_without_data(void)
{
	world.answer = no_value;
	world_start(&world);
	world_run(&world, 120000);
}

static void a_hold_with_too_few_requests(void)
{
	test.slos[0].requests = "sum(r)";
	test.slos[0].requests_min = 50;
	world.answer = few_requests;
	world_start(&world);
	world_run(&world, 120000);
}

static void one_that_nobody_drives(void)
{
	a_hold_without_data();
	driver = SUMMARY_UNDRIVEN;
}

struct situation {
	const char *name;
	void (*build)(void);
	const char *now, *next;
};

/* clang-format off */
static const struct situation situations[] = {
	{"a bake that passes", a_bake_that_passes,
		"backend-2 has served 10 % for 41s; error-rate passes.",
		"50 % comes at 00:01:13 UTC (in 28s) if these hold. An SLO that fails reverts it at once."},
	{"a gate", a_gate,
		"Step 1 of 3 (10 %) waits for approval: 0 of 1 given; backend-2 serves 0 %.",
		"It goes to 10 % when bob or carol approves, else it is held at 00:10:00 UTC (in 9m15s)."},
	{"a hold without data", a_hold_without_data,
		"Held: error-rate: no data: the query has no value; backend-2 serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:02:23 UTC (in 23s) at the earliest, else it reverts at 00:06:13 UTC (in 4m13s); `continue` does not help; `abort` goes back now."},
	{"too few requests", a_hold_with_too_few_requests,
		"Held: error-rate has too few requests (15.6 of 50 in 20s); backend-2 serves 10 %.",
		"It goes on by itself when every SLO passes, at 00:02:23 UTC (in 23s) at the earliest, else it reverts at 00:06:13 UTC (in 4m13s); `continue` does not help; `abort` goes back now."},
	{"nobody drives it", one_that_nobody_drives,
		"Held: error-rate: no data: the query has no value; backend-2 serves 10 %. Nobody drives it: the SLOs are not watched.",
		"Nothing happens by itself. `tidegate resume " ID "` goes on with it: it reads the service first; if that is after 00:06:13 UTC, it reverts then."},
};
/* clang-format on */

static bool is_as_told(const struct situation *s)
{
	const struct summary *summary;
	bool right;

	begin();
	s->build();
	summary = look();
	right = !strcmp(summary->now, s->now) &&
		!strcmp(summary->next, s->next);
	if (!right)
		print_error("%s:\n  %s\n  %s\n", s->name, summary->now,
			summary->next);
	end();
	return right;
}

static void each_situation_has_its_sentences(void **state)
{
	size_t i, wrong = 0;

	(void)state;
	for (i = 0; i < sizeof(situations) / sizeof(situations[0]); i++)
		wrong += !is_as_told(&situations[i]);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_situation_has_its_sentences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
