/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes an event's facts into the state: answers, commands, interruptions. What
 * follows from them in time is the phases' business (rollout.c).
 */
#include <stdio.h>
#include <string.h>

#include "engine/turn.h"

static void take_started(struct turn *t)
{
	if (t->r->started_ms)
		return;
	t->r->started_ms = t->now;
	t->r->phase_ms = t->now;
	t->r->seed = t->event->seed;
	rng_init(&t->r->rng, t->r->seed);
	text_set(t->r->starter, sizeof(t->r->starter), t->event->who);
	t->r->undoing = t->event->undo;
	if (t->r->undoing)
		text_set(t->r->reason, sizeof(t->r->reason), t->event->text);
	turn_effect(t, EFFECT_PREFLIGHT);
}

static void note_warnings(struct turn *t)
{
	const char *line = t->event->text;
	size_t len;

	for (; line && *line; line += len + (line[len] != '\0')) {
		len = strcspn(line, "\n");
		turn_note(t, NOTE_WARNING, "%.*s", (int)len, line);
	}
}

static void take_preflight(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	if (t->r->looked || t->r->refusing || t->r->phase != PHASE_PREFLIGHT)
		return;
	if (!t->event->ok) {
		rollout_refuse(t, CAUSE_PREFLIGHT, t->event->text);
		return;
	}
	t->r->looked = true;
	t->r->evidence = evidence_memory_new(
		t->policy, t->event->histories, t->event->n_histories);
	note_warnings(t);
	traffic_learn(t);
	t->r->resuming = false;
	if (!t->r->undoing) {
		if (t->r->moved) /* adopted: it has users already */
			checks_expose(t);
		return;
	}
	/* All that the candidate has is to be taken from it. */
	text_set(reason, sizeof(reason), t->r->reason);
	t->r->begun = true;
	rollout_revert(t, CAUSE_PERSON, reason);
}

static void take_interrupt(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	/* A finish that is held is not under way. */
	if (rollout_is_going_back(t->r) ||
		(rollout_is_finishing(t) && t->r->phase != PHASE_HELD)) {
		turn_note(t, NOTE_WARNING,
			"%s: what is under way is finished first",
			t->event->text);
		return;
	}
	if (t->event->leave && !rollout_may_refuse(t->r)) {
		t->r->leaving = true;
		return;
	}
	text_put(reason, sizeof(reason), "interrupted by %s", t->event->text);
	if (rollout_may_refuse(t->r))
		rollout_refuse(t, CAUSE_INTERRUPT, reason);
	else
		rollout_revert(t, CAUSE_INTERRUPT, reason);
}

/*
 * Another process goes on. What was out has no answer any more; what another
 * process saw is no evidence; and nothing moves until the service was read.
 */
static void take_resumed(struct turn *t)
{
	struct rollout *r = t->r;

	r->leaving = false;
	if (!r->started_ms)
		return;
	if (r->stopping) {
		sequence_resumed(t);
		return;
	}
	if (t->event->text && *t->event->text) {
		rollout_stop_or_refuse(t, t->event->text);
		return;
	}
	checks_resumed(t);
	r->verifying = false;
	traffic_resumed(t);
	r->resuming = r->looked;
	if (!r->looked && !r->refusing)
		turn_effect(t, EFFECT_PREFLIGHT);
}

/* The process, or all of its machine, stood still for longer than any check
 * takes: what was seen before it is too old to go by, and it is said. */
static void take_gap(struct turn *t, int64_t last_ms)
{
	int64_t gap_ms = t->now - last_ms;

	/* Most events come in the same moment as the one before. */
	if (gap_ms > 0 && t->r->checking && !rollout_is_reverting(t->r) &&
		gap_ms > checks_gap_ms_max(t->policy))
		turn_note(t, NOTE_WARNING,
			"nothing was watched for %lld s: that time does not "
			"count",
			(long long)(gap_ms / 1000));
}

/* Whoever set the clock may have set it right or wrong: what was asked about a
 * moment of the clock before is no evidence of now. */
static void take_timer(struct turn *t)
{
	if (!t->r->checking || rollout_is_reverting(t->r))
		return;
	if (t->event->spread)
		checks_put_off(t);
	if (!t->event->clock_set)
		return;
	turn_note(t, NOTE_WARNING,
		"the clock of this machine was set: every SLO is asked anew "
		"before traffic goes up");
	checks_clock_set(t);
}

/* Facts about the service and its metrics, by which nothing is decided once the
 * rollout is stopping. */
static bool is_of_the_world(enum event_type type)
{
	return type == EVENT_TRAFFIC || type == EVENT_TRAFFIC_ERROR ||
	       type == EVENT_STABLE || type == EVENT_WRITTEN ||
	       type == EVENT_CHECK;
}

void event_take(struct turn *t)
{
	int64_t last_ms = t->r->now_ms;

	t->r->now_ms = t->now;
	if (t->event->wall_ms)
		t->r->wall_lead_ms = t->event->wall_ms - t->now;
	if (t->r->stopping && is_of_the_world(t->event->type))
		return;
	if (t->event->type != EVENT_RESUMED)
		take_gap(t, last_ms);
	switch (t->event->type) {
	case EVENT_STARTED:
		take_started(t);
		break;
	case EVENT_PREFLIGHT:
		take_preflight(t);
		break;
	case EVENT_TRAFFIC:
		traffic_seen(t);
		break;
	case EVENT_TRAFFIC_ERROR:
		traffic_unseen(t);
		break;
	case EVENT_STABLE:
		traffic_learn_stable(t);
		break;
	case EVENT_WRITTEN:
		traffic_written(t);
		break;
	case EVENT_CHECK:
		checks_take(t);
		break;
	case EVENT_ACTION:
		sequence_ended(t);
		break;
	case EVENT_COMMAND:
		command_take(t);
		break;
	case EVENT_INTERRUPT:
		take_interrupt(t);
		break;
	case EVENT_RESUMED:
		take_resumed(t);
		break;
	case EVENT_TIMER:
		take_timer(t);
		break;
	case EVENTS:
		break;
	}
}
