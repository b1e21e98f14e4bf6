/* SPDX-License-Identifier: Apache-2.0 */
/* A world with a journal; see journal_fixture.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "journal_fixture.h"
#include "store/event_codec.h"

static void ok(int rc, const struct err *err)
{
	if (rc < 0)
		fail_msg("%s", err->text);
}

void journal_fixture_open(struct journal_fixture *journal, const char *path,
	const char *id, const char *policy_source, int64_t now_ms)
{
	struct store_rollout rollout = {.id = id,
		.service = JOURNAL_SERVICE,
		.candidate = "shop-00002-new",
		.stable = "shop-00001-old",
		.policy_name = "test",
		.policy_path = "test.yaml",
		.policy_source = policy_source,
		.policy_digest = id,
		.options = "{}",
		.starter = "alice",
		.started_ms = now_ms,
		.phase = "preflight"};
	struct lease_watch watch = {0};
	struct store_lease lease;
	struct arena arena;
	struct err err = {0};

	arena_init(&arena);
	*journal = (struct journal_fixture){.id = id};
	journal->store = store_open(path, STORE_CREATE, &err);
	ok(journal->store ? 0 : -1, &err);
	ok(store_rollout_create(journal->store, &rollout, &err), &err);
	assert_int_equal(store_lease_take(journal->store, JOURNAL_SERVICE, id,
				 &watch, &arena, &lease, &err),
		1);
	journal->fence = lease.fence;
	arena_fini(&arena);
}

void journal_fixture_close(struct journal_fixture *journal)
{
	store_lease_drop(journal->store, JOURNAL_SERVICE, journal->fence);
	store_free(&journal->store);
}

static void append(struct journal_fixture *journal, const struct world *world,
	const char *name, bool is_note, struct buf *data, bool last)
{
	struct store_event entry = {.seq = ++journal->seq,
		.time_ms = world->rollout.now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(world->rollout.phase),
		.percent = world->rollout.traffic.serving.candidate,
		.data = data->data};
	struct err err;

	ok(store_append(journal->store, journal->id, journal->fence, &entry, 1,
		   world->rollout.reason,
		   last && phase_is_end(world->rollout.phase), &err),
		&err);
	buf_clear(data);
}

static void fed(struct world *world, const struct event *event,
	const struct outcome_list *out)
{
	struct journal_fixture *journal = world->fed_arg;
	struct event_context context = {.policy = world->policy,
		.state = &world->rollout,
		.judgement =
			event->type == EVENT_CHECK ? &out->judgement : NULL,
		.seen = event->type == EVENT_CHECK ? &out->seen : NULL};
	struct buf data;
	struct err err;
	size_t i;

	buf_init(&data, STORE_EVENT_BYTES_MAX);
	ok(store_begin(journal->store, &err), &err);
	event_encode(event, &context, &data);
	append(journal, world, event_name(event->type), false, &data,
		out->n_notes == 0);
	if (event->type == EVENT_COMMAND && event->command_id)
		ok(store_command_settle(journal->store, event->command_id,
			   out->refused, out->refused ? out->refusal : "",
			   &err),
			&err);
	for (i = 0; i < out->n_notes; i++) {
		note_encode(&out->note[i], &context, &data);
		append(journal, world, note_name(out->note[i].type), true,
			&data, i + 1 == out->n_notes);
	}
	ok(store_commit(journal->store, &err), &err);
	buf_fini(&data);
}

void journal_fixture_attach(
	struct journal_fixture *journal, struct world *world)
{
	world->fed = fed;
	world->fed_arg = journal;
}

int journal_fixture_take_commands(
	struct journal_fixture *journal, struct world *world)
{
	struct store_command *commands;
	struct event event;
	struct arena arena;
	struct err err;
	size_t n, i;

	arena_init(&arena);
	ok(store_commands_waiting(
		   journal->store, journal->id, &arena, &commands, &n, &err),
		&err);
	for (i = 0; i < n; i++) {
		event = (struct event){.type = EVENT_COMMAND,
			.who = commands[i].who,
			.text = commands[i].comment,
			.verb = verb_find(commands[i].verb),
			.step = commands[i].step,
			.command_id = commands[i].id};
		world_feed(world, &event);
	}
	arena_fini(&arena);
	return (int)n;
}

/* Only where the bins are may differ, not what they are. */
static void same_slo(const struct evidence_slo *a, const struct evidence_slo *b)
{
	size_t n = a->spec.bins;
	struct evidence_slo other;

	assert_true(n >= 2);
	memcpy(&other, b, sizeof(other));
	other.objective.bins = a->objective.bins;
	assert_memory_equal(a, &other, sizeof(other));
	/* A latency has its histogram and its bounds, too. */
	assert_memory_equal(a->objective.bins, b->objective.bins,
		(a->spec.latency ? 3 * n - 1 : n) * sizeof(double));
}

void journal_fixture_expect_evidence(
	const struct evidence_memory *a, const struct evidence_memory *b)
{
	size_t i;

	assert_non_null(a);
	assert_non_null(b);
	assert_memory_equal(a, b, offsetof(struct evidence_memory, slo));
	for (i = 0; i < a->n; i++)
		same_slo(&a->slo[i], &b->slo[i]);
}
