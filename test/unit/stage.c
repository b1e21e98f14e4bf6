/* SPDX-License-Identifier: Apache-2.0 */
/* The stage of a situation; see stage.h. */
#include "stage.h"

#include <string.h>

#include "store/event_codec.h"

#define SECOND 1000

static void take(
	struct stage *s, const char *name, bool is_note, const char *data)
{
	struct store_event entry = {.time_ms = s->world.now_ms,
		.is_note = is_note,
		.name = name,
		.phase = phase_name(s->world.rollout.phase),
		.data = data};

	lookback_take(s->lookback, &entry);
}

static void fed(struct world *w, const struct event *event,
	const struct outcome_list *out)
{
	struct event_context context = {.policy = w->policy,
		.state = &w->rollout,
		.judgement =
			event->type == EVENT_CHECK ? &out->judgement : NULL,
		.seen = event->type == EVENT_CHECK ? &out->seen : NULL};
	struct stage *s = w->fed_arg;
	struct buf data;
	size_t i;

	if (event->type == EVENT_CHECK)
		context.query[QUERY_VALUE] =
			"sum(rate(bad{revision=\"backend-2\"}[20s]))\n"
			"  / sum(rate(all{revision=\"backend-2\"}[20s]))\n";
	buf_init(&data, STORE_EVENT_BYTES_MAX);
	event_encode(event, &context, &data);
	take(s, event_name(event->type), false, data.data);
	for (i = 0; i < out->n_notes; i++) {
		buf_clear(&data);
		note_encode(&out->note[i], &context, &data);
		take(s, note_name(out->note[i].type), true, data.data);
	}
	buf_fini(&data);
}

void stage_init(struct stage *s)
{
	memset(s, 0, sizeof(*s));
	arena_init(&s->arena);
	test_policy_init(&s->test);
	s->test.slos[0].texts.max = "1%";
	s->test.policy.path = "policy.yaml";
	world_init(&s->world, &s->test.policy);
	s->world.fed = fed;
	s->world.fed_arg = s;
	s->lookback = lookback_new(&s->test.policy);
}

void stage_fini(struct stage *s)
{
	rollout_clear(&s->world.rollout);
	lookback_free(&s->lookback);
	arena_fini(&s->arena);
}

struct summary_source stage_source(const struct stage *s)
{
	return (struct summary_source){
		.policy = &s->test.policy,
		.rollout = &s->world.rollout,
		.lookback = s->lookback,
		.id = SITUATION_ID,
		.service =
			"projects/acme/locations/us-central1/services/backend",
		.candidate = "backend-2",
		.stable = "backend-1",
		.starter = "alice",
		.started_ms = s->world.start_ms,
		.ended_ms = phase_is_end(s->world.rollout.phase)
				    ? s->world.now_ms
				    : 0,
		.now_ms = s->world.now_ms,
		.driver = s->driver,
		.journal = s->journal,
		.holder = s->holder,
		.load = s->load,
		.waiting = s->waiting,
		.n_waiting = s->n_waiting,
	};
}

const struct summary *stage_look(struct stage *s)
{
	struct summary_source source = stage_source(s);

	return summary_make(&source, &s->arena);
}

void stage_run(struct stage *s, int64_t seconds)
{
	world_run(&s->world, seconds * SECOND);
}

void stage_start(struct stage *s, int64_t seconds)
{
	world_start(&s->world);
	stage_run(s, seconds);
}

void stage_say(
	struct stage *s, enum verb verb, const char *who, const char *comment)
{
	struct event event = {.type = EVENT_COMMAND,
		.verb = verb,
		.who = who,
		.text = comment,
		.step = -1};

	world_feed(&s->world, &event);
}
