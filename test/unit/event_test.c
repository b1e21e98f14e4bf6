/* SPDX-License-Identifier: Apache-2.0 */
/* Events and notes as JSON and back; the fold is the state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <limits.h>
#include <math.h>

#include "base/jsonw.h"
#include "base/timestamp.h"
#include "journal_fixture.h"
#include "store/event_codec.h"
#include "store/fold.h"

#define ROUNDS 2000 /* of random events of each type */

static struct test_policy test;
static struct arena arena;

static int setup(void **state)
{
	test_policy_init(&test);
	test.slos[1] = test.slos[0];
	test.slos[1].name = "latency \"p95\"";
	test.policy.n_slos = 2;
	test_policy_add(&test, LIST_ROLLBACK, "flag off");
	test_policy_add(&test, LIST_ROLLBACK, "tell");
	test_policy_add(&test, LIST_STARTED, "tell");
	arena_init(&arena);
	return 0;
}

static int teardown(void **state)
{
	arena_fini(&arena);
	return 0;
}

/* ---- size ---- */

#define ENTRY_MAX 4096

static char *long_text(char c, size_t len)
{
	char *text = arena_alloc(&arena, len + 1);

	memset(text, c, len);
	text[len] = '\0';
	return text;
}

/* What of it is in the entry. */
static json_t *encode_to_fit(
	const struct event *event, const struct event_context *context)
{
	struct buf out;
	json_t *json;

	buf_init(&out, ENTRY_MAX);
	event_encode_to_fit(event, context, &out);
	assert_false(out.overflow);
	json = json_loads(out.data, 0, NULL);
	assert_non_null(json);
	buf_fini(&out);
	return json;
}

static void an_entry_that_is_too_large_is_cut_by_what_is_for_people(
	void **state)
{
	struct event event = {
		.type = EVENT_PREFLIGHT, .text = "no", .ok = true};
	struct event_context context = {.policy = &test.policy,
		.table = "[1]",
		.query = {[QUERY_VALUE] = "q"},
		.extra = "{\"kept\":{\"a\":\"b\"}}"};
	json_t *json = encode_to_fit(&event, &context);

	assert_non_null(json_object_get(json, "table"));
	assert_null(json_object_get(json, "cut"));
	json_decref(json);

	context.table =
		arena_printf(&arena, "[\"%s\"]", long_text('t', 2 * ENTRY_MAX));
	json = encode_to_fit(&event, &context);
	assert_null(json_object_get(json, "table"));
	assert_true(json_is_true(json_object_get(json, "cut")));
	assert_string_equal(
		json_string_value(json_object_get(json, "query")), "q");
	json_decref(json);

	context.query[QUERY_VALUE] = long_text('"', ENTRY_MAX);
	json = encode_to_fit(&event, &context);
	assert_null(json_object_get(json, "query"));
	assert_non_null(json_object_get(json, "kept"));
	json_decref(json);

	event.text = long_text('x', 3 * ENTRY_MAX);
	json = encode_to_fit(&event, &context);
	assert_non_null(json_object_get(json, "kept"));
	assert_true(json_is_true(json_object_get(json, "ok")));
	assert_true(json_string_length(json_object_get(json, "reason")) >=
		    ROLLOUT_TEXT_MAX);
	json_decref(json);
}

/* ---- round trip ---- */

static const char *random_text(struct rng *rng)
{
	static const char *const texts[] = {"", "plain", "\"quoted\\",
		"two\nlines\ttab\r", "\x01\x1f\x7f", "gr\xc3\xbc\xc3\x9f",
		"\xf0\x9f\x8c\x8a", "\xe2\x80\xae", "\xc2\x9b"};

	return texts[rng_below(rng, sizeof(texts) / sizeof(texts[0]))];
}

static struct split random_split(struct rng *rng)
{
	int candidate = (int)rng_below(rng, 101);
	int stable = (int)rng_below(rng, 101 - (uint64_t)candidate);

	if (rng_below(rng, 9) == 0)
		return (struct split){100, 100, 100}; /* for a moment */
	return (struct split){candidate, stable, 100 - candidate - stable};
}

static struct answer random_answer(struct rng *rng)
{
	static const double numbers[] = {0, 1, 0.1, 1e300, 1e-300, -5.5,
		9007199254740993.0, 1e17, 1e20, INFINITY, -INFINITY};
	struct answer answer = {(enum answer_kind)rng_below(rng, 4), NAN};
	union {
		uint64_t bits;
		double number;
	} any = {.bits = rng_next(rng)};

	answer.partial = answer.kind != ANSWER_NOT_ASKED && !rng_below(rng, 4);
	if (answer.kind != ANSWER_VALUE)
		return answer;
	answer.value = isnan(any.number) || rng_below(rng, 2)
			       ? numbers[rng_below(rng, 11)]
			       : any.number;
	return answer;
}

static struct event random_event(struct rng *rng, enum event_type type)
{
	struct event e = {.type = type};

	e.who = random_text(rng);
	e.text = random_text(rng);
	e.seed = rng_next(rng);
	e.adopt = rng_below(rng, 2);
	e.ok = rng_below(rng, 2);
	e.spec = random_split(rng);
	e.serving = random_split(rng);
	e.generation = (int64_t)rng_below(rng, 1000);
	e.reconciling = rng_below(rng, 2);
	e.moving = rng_below(rng, 2);
	e.stable_kept = rng_below(rng, 2);
	e.stable_state = (enum stable_state)rng_below(rng, STABLE_STATES);
	e.anew = rng_below(rng, 2);
	e.by_latest = rng_below(rng, 2);
	e.candidate_is_latest = rng_below(rng, 2);
	e.tagged = rng_below(rng, 2);
	e.write_attempt = (int64_t)rng_below(rng, 100);
	e.result = (enum write_result)rng_below(rng, WRITE_RESULTS);
	e.retryable = rng_below(rng, 2);
	e.retry_after_ms = (int64_t)rng_below(rng, 100000);
	e.slo = (int)rng_below(rng, 2);
	for (size_t role = 0; role < QUERY_ROLES; role++)
		e.answers.item[role] = random_answer(rng);
	e.latency_ms = (int64_t)rng_below(rng, 100000);
	e.list = LIST_ROLLBACK;
	e.index = (int)rng_below(rng, 2);
	e.attempt = (int)rng_below(rng, 100);
	e.action_result = (enum action_result)rng_below(rng, ACTION_RESULTS);
	e.duration_ms = (int64_t)rng_below(rng, 100000);
	e.verb = (enum verb)rng_below(rng, VERBS);
	e.step = rng_below(rng, 9) ? (int)rng_below(rng, 4) - 1 : INT_MAX;
	e.command_id = (int64_t)(rng_next(rng) >> 1);
	e.wall_ms = (int64_t)(rng_next(rng) % TIMESTAMP_MS_MAX);
	e.leave = rng_below(rng, 2);
	return e;
}

static void encode(const struct event *event, struct buf *out)
{
	struct event_context context = {.policy = &test.policy};

	buf_init(out, STORE_EVENT_BYTES_MAX);
	event_encode(event, &context, out);
	assert_false(out->overflow);
}

static void same_answer(const struct answer *a, const struct answer *b)
{
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->partial, b->partial);
	if (a->kind == ANSWER_VALUE)
		assert_true(a->value == b->value);
}

static void same_split(const struct split *a, const struct split *b)
{
	assert_true(split_equal(*a, *b));
}

/* What each type carries must come back; the rest must be zero. */
static void same_event(const struct event *a, const struct event *b)
{
	/* long: a table */
	assert_int_equal(a->type, b->type);
	switch (a->type) {
	case EVENT_STARTED:
		assert_string_equal(a->who, b->who);
		assert_true(a->seed == b->seed);
		assert_int_equal(a->adopt, b->adopt);
		break;
	case EVENT_PREFLIGHT:
		assert_int_equal(a->ok, b->ok);
		assert_string_equal(a->text, b->text);
		/* fall through */
	case EVENT_STABLE:
		assert_int_equal(a->stable_state, b->stable_state);
		break;
	case EVENT_TRAFFIC:
		same_split(&a->spec, &b->spec);
		same_split(&a->serving, &b->serving);
		assert_int_equal(a->generation, b->generation);
		assert_int_equal(a->reconciling, b->reconciling);
		assert_int_equal(a->moving, b->moving);
		assert_int_equal(a->stable_kept, b->stable_kept);
		assert_int_equal(a->stable_state, b->stable_state);
		assert_int_equal(a->anew, b->anew);
		assert_int_equal(a->by_latest, b->by_latest);
		assert_int_equal(
			a->candidate_is_latest, b->candidate_is_latest);
		assert_int_equal(a->tagged, b->tagged);
		break;
	case EVENT_WRITTEN:
		assert_int_equal(a->result, b->result);
		assert_int_equal(a->write_attempt, b->write_attempt);
		/* fall through */
	case EVENT_TRAFFIC_ERROR:
		assert_string_equal(a->text, b->text);
		assert_int_equal(a->retryable, b->retryable);
		assert_int_equal(a->retry_after_ms, b->retry_after_ms);
		break;
	case EVENT_CHECK:
		assert_int_equal(a->slo, b->slo);
		for (size_t role = 0; role < QUERY_ROLES; role++)
			same_answer(
				&a->answers.item[role], &b->answers.item[role]);
		assert_int_equal(a->latency_ms, b->latency_ms);
		assert_string_equal(a->text, b->text);
		break;
	case EVENT_ACTION:
		assert_int_equal(a->list, b->list);
		assert_int_equal(a->index, b->index);
		assert_int_equal(a->attempt, b->attempt);
		assert_int_equal(a->action_result, b->action_result);
		assert_int_equal(a->duration_ms, b->duration_ms);
		assert_string_equal(a->text, b->text);
		break;
	case EVENT_COMMAND:
		assert_string_equal(a->who, b->who);
		assert_string_equal(a->text, b->text);
		assert_int_equal(a->verb, b->verb);
		assert_int_equal(a->step, b->step);
		assert_true(a->command_id == b->command_id);
		break;
	case EVENT_INTERRUPT:
		assert_int_equal(a->leave, b->leave);
		assert_string_equal(a->text, b->text);
		break;
	case EVENT_RESUMED:
		assert_string_equal(a->who, b->who);
		assert_true(a->wall_ms == b->wall_ms);
		break;
	case EVENT_TIMER:
		assert_int_equal(a->clock_set, b->clock_set);
		assert_true(a->wall_ms == b->wall_ms);
		break;
	case EVENTS:
		break;
	}
}

static void every_event_comes_back_as_it_was(void **state)
{
	struct event event, back;
	struct rng rng;
	struct buf out;
	struct err err;
	int type, i;

	rng_init(&rng, 20260101);
	for (type = 0; type < EVENTS; type++) {
		for (i = 0; i < ROUNDS; i++) {
			event = random_event(&rng, (enum event_type)type);
			encode(&event, &out);
			if (event_decode(event_name(event.type), out.data,
				    &test.policy, &arena, &back, &err))
				fail_msg("%s: %s", out.data, err.text);
			same_event(&event, &back);
			buf_fini(&out);
		}
		arena_fini(&arena);
	}
}

static void bytes_that_are_not_utf8_are_replaced(void **state)
{
	struct event event = {
		.type = EVENT_INTERRUPT, .text = "a\xff\xc3(\xe2\x82"};
	struct event back;
	struct buf out;
	struct err err;

	encode(&event, &out);
	assert_int_equal(event_decode("interrupt", out.data, &test.policy,
				 &arena, &back, &err),
		0);
	assert_string_equal(back.text,
		"a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd");
	buf_fini(&out);
}

/* ---- what it looks like ---- */

static void a_check_says_what_was_made_of_it(void **state)
{
	struct rollout rollout = {.step = 1};
	struct judgement judgement = {.outcome = OUTCOME_BREACH,
		.critical = true,
		.value = 0.034,
		.limit = 0.01,
		.sign = ">",
		.by = LIMIT_MAX};
	struct event_context context = {.policy = &test.policy,
		.state = &rollout,
		.judgement = &judgement,
		.query = {[QUERY_VALUE] = "sum(\"x\")"},
		.extra = "{\"a\":1,\"b\":[]}"};
	struct event event = {.type = EVENT_CHECK,
		.answers = {.item[QUERY_VALUE] = {ANSWER_VALUE, 0.034},
			.item[QUERY_BASELINE] = {ANSWER_NO_DATA, NAN}},
		.latency_ms = 12};
	struct buf out;

	buf_init(&out, 4096);
	event_encode(&event, &context, &out);
	assert_string_equal(out.data,
		"{\"slo\":\"error-rate\",\"answers\":{\"value\":0.034,"
		"\"baseline\":\"no-data\"},\"latency_ms\":12,\"step\":2,"
		"\"value\":0.034,\"limit\":0.01,\"outcome\":\"breach\","
		"\"critical\":true,\"text\":\"0.034 > max 0.01\","
		"\"query\":\"sum(\\\"x\\\")\",\"a\":1,\"b\":[]}");
	judgement = (struct judgement){
		.outcome = OUTCOME_NO_DATA, .value = NAN, .limit = INFINITY};
	buf_clear(&out);
	event_encode(&event, &context, &out);
	assert_non_null(strstr(out.data,
		"\"value\":null,\"limit\":\"+Inf\",\"outcome\":\"no-data\","));
	buf_fini(&out);
}

static void an_action_is_named(void **state)
{
	struct event event = {.type = EVENT_ACTION,
		.list = LIST_ROLLBACK,
		.index = 1,
		.attempt = 2,
		.action_result = ACTION_FAILED,
		.duration_ms = 7,
		.text = "exit 1"};
	struct buf out;

	encode(&event, &out);
	assert_string_equal(out.data,
		"{\"list\":\"rollback\",\"name\":\"tell\",\"type\":\"exec\","
		"\"attempt\":2,\"result\":\"failed\",\"duration_ms\":7,"
		"\"detail\":\"exit 1\"}");
	buf_fini(&out);
}

static void notes_carry_what_they_have(void **state)
{
	static const struct {
		struct note note;
		const char *json;
	} rows[] = {
		{{.type = NOTE_PHASE,
			 .from = PHASE_BAKING,
			 .to = PHASE_REVERTING,
			 .step = 0,
			 .slo = -1,
			 .index = -1,
			 .value = NAN,
			 .limit = NAN,
			 .text = "why"},
			"{\"from\":\"baking\",\"to\":\"reverting\",\"step\":1,"
			"\"text\":\"why\"}"},
		{{.type = NOTE_BREACH,
			 .step = 3,
			 .slo = 1,
			 .index = -1,
			 .value = 2,
			 .limit = 0.5,
			 .text = "2 > 0.5"},
			"{\"slo\":\"latency \\\"p95\\\"\",\"value\":2,"
			"\"limit\":0.5,\"text\":\"2 > 0.5\"}"},
		{{.type = NOTE_ACTION_STARTED,
			 .step = -1,
			 .slo = -1,
			 .list = LIST_STARTED,
			 .index = 0,
			 .attempt = 1,
			 .value = NAN,
			 .limit = NAN},
			"{\"list\":\"hooks.started\",\"name\":\"tell\","
			"\"type\":\"exec\",\"attempt\":1}"},
	};
	struct event_context context = {.policy = &test.policy};
	struct buf out;
	size_t i;

	buf_init(&out, 4096);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_clear(&out);
		note_encode(&rows[i].note, &context, &out);
		if (strcmp(out.data, rows[i].json) != 0)
			fail_msg("%s", out.data);
	}
	buf_fini(&out);
}

static void what_is_written_is_always_json(void **state)
{
	struct jsonw w;
	struct buf out;
	char text[3] = "";
	json_t *root;
	int i;

	buf_init(&out, 4096);
	w = (struct jsonw){.out = &out};
	for (i = 1; i < 65536; i++) {
		buf_clear(&out);
		w.comma = false;
		text[0] = (char)(i & 0xff);
		text[1] = (char)(i >> 8);
		jsonw_array(&w, NULL);
		jsonw_text(&w, NULL, text);
		jsonw_number(&w, NULL, i / 7.0);
		jsonw_end(&w, ']');
		root = json_loads(out.data, 0, NULL);
		assert_non_null(root);
		assert_true(
			json_number_value(json_array_get(root, 1)) == i / 7.0);
		json_decref(root);
	}
	buf_fini(&out);
}

/* ---- hostile journals ---- */

static void what_is_not_ours_is_refused(void **state)
{
	static const struct {
		const char *name, *data, *text;
	} rows[] = {
		{"nonsense", "{}", "does not know"},
		{"timer", "", "not a JSON object"},
		{"timer", "[]", "not a JSON object"},
		{"timer", "{} x", "not a JSON object"},
		{"interrupt", "{\"leave\":1}", "\"leave\""},
		{"interrupt", "{\"leave\":true,\"leave\":false}",
			"not a JSON object"},
		{"interrupt", "{\"leave\":true,\"text\":5}", "\"text\""},
		{"interrupt", "{\"leave\":true,\"text\":\"a\\u0000b\"}",
			"not a JSON object"},
		{"started", "{\"seed\":5,\"adopt\":true}", "\"seed\""},
		{"started", "{\"seed\":\"-5\",\"adopt\":true}", "\"seed\""},
		{"started",
			"{\"seed\":\"99999999999999999999\",\"adopt\":true}",
			"\"seed\""},
		{"check", "{\"slo\":\"gone\"}", "\"slo\""},
		{"check", "{\"slo\":0}", "\"slo\""},
		{"check", "{\"slo\":\"error-rate\"}", "\"answers\""},
		{"check",
			"{\"slo\":\"error-rate\",\"answers\":{\"value\":\"x\"},"
			"\"latency_ms\":1}",
			"\"answers\""},
		{"check",
			"{\"slo\":\"error-rate\",\"answers\":{},"
			"\"latency_ms\":-1}",
			"\"latency_ms\""},
		{"action", "{\"list\":\"rollback\",\"name\":\"gone\"}",
			"\"name\""},
		{"action", "{\"list\":\"health\",\"name\":\"tell\"}",
			"\"name\""},
		{"action", "{\"name\":\"tell\"}", "\"name\""},
		{"command", "{\"verb\":\"explode\"}", "\"verb\""},
		{"command", "{\"verb\":\"abort\",\"step\":0,\"command_id\":1}",
			"\"step\""},
		{"command",
			"{\"verb\":\"abort\",\"step\":2147483649,"
			"\"command_id\":1}",
			"\"step\""},
		{"written", "{\"result\":\"maybe\"}", "\"result\""},
		{"traffic", "{\"spec\":{\"candidate\":-1}}", "\"spec\""},
		{"traffic", "{\"spec\":[1,2,3]}", "\"spec\""},
	};
	struct event event;
	struct err err;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!event_decode(rows[i].name, rows[i].data, &test.policy,
			    &arena, &event, &err))
			fail_msg("taken: %s %s", rows[i].name, rows[i].data);
		assert_int_equal(err.code, ERR_STORE);
		if (!strstr(err.text, rows[i].text))
			fail_msg("%s: %s", rows[i].data, err.text);
	}
}

/* ---- the fold ---- */

static struct answers late_breach(struct world *world, int slo)
{
	struct answers answers = {.item[QUERY_VALUE] = {ANSWER_VALUE, 0.001}};

	if (world->now_ms > world->start_ms + 150000)
		answers.item[QUERY_VALUE].value = 0.5;
	else if (world->now_ms % 7 == 0)
		answers.item[QUERY_VALUE].kind = ANSWER_ERROR;
	return answers;
}

/* Both the whole journal at once and what came since the last time. */
static void the_fold_is_compared(struct world *world,
	struct journal_fixture *journal, struct fold *pieces)
{
	static struct fold fold;
	struct err err;

	assert_int_equal(fold_rollout(journal->store, "shop-1", world->policy,
				 &fold, &err),
		0);
	assert_int_equal(fold.last_seq, journal->seq);
	assert_memory_equal(
		&fold.state, &world->rollout, sizeof(world->rollout));
	assert_int_equal(fold_more(journal->store, "shop-1", world->policy,
				 pieces, &err),
		0);
	assert_memory_equal(&pieces->state, &fold.state, sizeof(fold.state));
	assert_int_equal(pieces->events, fold.events);
}

static void the_folded_journal_is_the_state_in_memory(void **state)
{
	static struct world world;
	static struct fold pieces;
	char folder[] = "/tmp/event_test.XXXXXX", path[64], command[64];
	struct journal_fixture journal;
	int i;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/db", folder);
	journal_fixture_open(&journal, path, "shop-1", "", 0);
	test.steps[1].approval = &test.approval;
	world_init(&world, &test.policy);
	world.answer = late_breach;
	journal_fixture_attach(&journal, &world);
	world_start(&world);
	fold_init(&pieces);
	for (i = 0; i < 40 && !phase_is_end(world.rollout.phase); i++) {
		world_run(&world, 10000);
		the_fold_is_compared(&world, &journal, &pieces);
		if (i == 3)
			world_command(&world, VERB_PAUSE, "bob");
		if (i == 5)
			world_crash(&world, 20000);
		if (i == 7)
			world_command(&world, VERB_CONTINUE, "bob");
		if (world.rollout.phase == PHASE_AWAITING_APPROVAL)
			world_command(&world, VERB_APPROVE, "bob");
	}
	assert_int_equal(world.rollout.phase, PHASE_ROLLED_BACK);
	the_fold_is_compared(&world, &journal, &pieces);
	journal_fixture_close(&journal);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_entry_that_is_too_large_is_cut_by_what_is_for_people),
		TEST(every_event_comes_back_as_it_was),
		TEST(bytes_that_are_not_utf8_are_replaced),
		TEST(a_check_says_what_was_made_of_it),
		TEST(an_action_is_named),
		TEST(notes_carry_what_they_have),
		TEST(what_is_written_is_always_json),
		TEST(what_is_not_ours_is_refused),
		TEST(the_folded_journal_is_the_state_in_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
