/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of actions, one after the other, one at a time: attempts, retries,
 * `on_failure`, `when`, and what a crash leaves behind. What the actions do is
 * none of its business.
 */
#include <assert.h>

#include "engine/turn.h"

#define RETRY_BASE_MS 1000 /* doubled for each attempt */
#define RETRY_MAX_MS  60000

static const struct action *action_now(const struct turn *t)
{
	const struct sequence *q = &t->r->sequence;

	return &t->policy->lists[q->list].item[q->index];
}

static unsigned when_of(enum cause cause)
{
	switch (cause) {
	case CAUSE_SLO:
		return WHEN_SLO;
	case CAUSE_PERSON:
		return WHEN_ABORT;
	case CAUSE_INTERRUPT:
		return WHEN_INTERRUPT;
	default:
		return WHEN_TIMEOUT;
	}
}

static bool list_has_reasons(enum action_list list)
{
	return list == LIST_ROLLBACK || list == LIST_HEALTH ||
	       list == LIST_ROLLED_BACK;
}

static struct note *action_note(
	struct turn *t, enum note_type type, const char *text)
{
	const struct sequence *q = &t->r->sequence;
	struct note *note = turn_note(t, type, "%s", text);

	note->list = q->list;
	note->index = q->index;
	note->attempt = q->attempt;
	return note;
}

static void finish(struct turn *t)
{
	struct sequence *q = &t->r->sequence;

	t->r->lists_done |= 1u << q->list;
	if (q->failed)
		t->r->lists_failed |= 1u << q->list;
	if (q->stopped)
		t->r->lists_stopped |= 1u << q->list;
	q->active = false;
	q->running = false;
	q->retry_ms = 0;
	t->changed = true;
}

static void start_attempt(struct turn *t)
{
	struct sequence *q = &t->r->sequence;
	struct effect *effect = turn_effect(t, EFFECT_ACTION);

	q->running = true;
	q->started_ms = t->now;
	q->retry_ms = 0;
	effect->list = q->list;
	effect->index = q->index;
	effect->attempt = q->attempt;
	action_note(t, NOTE_ACTION_STARTED, action_now(t)->name);
}

/* Goes to the action at q->index, over those that are not meant for this. */
static void start_next(struct turn *t)
{
	const struct actions *list = &t->policy->lists[t->r->sequence.list];
	struct sequence *q = &t->r->sequence;

	for (; (size_t)q->index < list->n; q->index++) {
		q->attempt = 1;
		if (!list_has_reasons(q->list) ||
			action_now(t)->when & when_of(t->r->cause)) {
			start_attempt(t);
			return;
		}
		action_note(t, NOTE_ACTION_SKIPPED,
			"not meant for this reason (when)");
	}
	finish(t);
}

void sequence_forget(struct turn *t, enum action_list list)
{
	t->r->lists_done &= ~(1u << list);
	t->r->lists_failed &= ~(1u << list);
	t->r->lists_stopped &= ~(1u << list);
	t->r->failed_action[list] = 0;
}

/* What a resume had to settle, which has no words of its own. */
static const char *say_cut_off(const struct turn *t, enum action_list list)
{
	const struct sequence *q = &t->r->sequence;

	if (!q->cut_off || q->list != list ||
		t->r->failed_action[list] != q->index + 1)
		return "";
	return list == LIST_PREFLIGHT
		       ? ": a crash cut it off, and a resume repeats only what "
			 "is \"idempotent: true\"; nothing was shifted: start "
			 "the release again"
		       : ": a crash cut it off, and a resume repeats only what "
			 "is \"idempotent: true\"";
}

void sequence_say_failed(const struct turn *t, enum action_list list,
	const char *ours, char to[ROLLOUT_TEXT_MAX])
{
	const struct actions *actions = &t->policy->lists[list];
	int index = t->r->failed_action[list] - 1;
	const struct event *e = t->event;
	/* Its words are at hand when it was the last one. */
	bool has_words = e->type == EVENT_ACTION && e->list == list &&
			 e->index == index && e->text && *e->text;

	text_put(to, ROLLOUT_TEXT_MAX, "%s: action \"%s\" failed%s%s", ours,
		index >= 0 && (size_t)index < actions->n
			? actions->item[index].name
			: "?",
		has_words ? ": " : "",
		has_words ? e->text : say_cut_off(t, list));
}

bool sequence_take_stop(struct turn *t, enum action_list list)
{
	bool stopped = t->r->lists_stopped & 1u << list;

	t->r->lists_stopped &= ~(1u << list);
	return stopped;
}

bool sequence_ensure(struct turn *t, enum action_list list)
{
	struct sequence *q = &t->r->sequence;

	if (t->r->lists_done & 1u << list)
		return true;
	if (q->active) {
		assert(q->list == list);
		return false;
	}
	*q = (struct sequence){.active = true, .list = list};
	start_next(t);
	return !q->active;
}

bool sequence_ensure_one(struct turn *t, enum action_list list, int index)
{
	struct sequence *q = &t->r->sequence;

	if (t->r->lists_done & 1u << list)
		return true;
	if (q->active)
		return false;
	*q = (struct sequence){.active = true,
		.list = list,
		.index = index,
		.attempt = 1,
		.single = true};
	start_attempt(t);
	return false;
}

/* The action is over for good; the list goes on or stops. */
static void settle_action(struct turn *t, enum action_result result)
{
	struct sequence *q = &t->r->sequence;
	bool failed = result == ACTION_FAILED || result == ACTION_UNKNOWN;

	q->result = result;
	if (failed) {
		q->failed++;
		t->r->failed_action[q->list] = (short)(q->index + 1);
		t->r->actions_failed++;
		q->stopped = action_now(t)->stop_on_failure;
	}
	if (q->stopped || q->single) {
		finish(t);
		return;
	}
	q->index++;
	start_next(t);
}

/* A load leaves nothing behind that somebody would have to look at. */
static void count_unknown(struct turn *t)
{
	t->r->actions_unknown += t->r->sequence.list != LIST_LOAD;
}

static bool is_answer(const struct turn *t)
{
	const struct sequence *q = &t->r->sequence;

	return q->active && q->running && t->event->list == q->list &&
	       t->event->index == q->index && t->event->attempt == q->attempt;
}

void sequence_ended(struct turn *t)
{
	struct sequence *q = &t->r->sequence;
	int shift;

	if (!is_answer(t))
		return;
	q->running = false;
	if (t->event->action_result == ACTION_UNKNOWN)
		count_unknown(t);
	if (t->event->action_result == ACTION_FAILED &&
		q->attempt <= action_now(t)->retries) {
		shift = q->attempt - 1 < 16 ? q->attempt - 1 : 16;
		q->retry_ms = (int64_t)RETRY_BASE_MS << shift;
		if (q->retry_ms > RETRY_MAX_MS)
			q->retry_ms = RETRY_MAX_MS;
		q->retry_ms += t->now;
		q->attempt++;
		return;
	}
	settle_action(t, t->event->action_result);
}

void sequence_pump(struct turn *t)
{
	struct sequence *q = &t->r->sequence;

	if (!q->active || q->running)
		return;
	if (q->retry_ms > t->now) {
		turn_wake(t, q->retry_ms);
		return;
	}
	start_attempt(t);
}

void sequence_cancel(struct turn *t)
{
	struct sequence *q = &t->r->sequence;

	if (!q->active)
		return;
	if (q->running)
		turn_effect(t, EFFECT_CANCEL);
	*q = (struct sequence){0};
}

/* An action without an end in the journal runs again only if it is idempotent. */
void sequence_resumed(struct turn *t)
{
	struct sequence *q = &t->r->sequence;

	if (!q->active || !q->running)
		return;
	q->running = false;
	if (action_now(t)->idempotent) {
		start_attempt(t);
		return;
	}
	action_note(t, NOTE_WARNING,
		"it was started before the crash and may not be repeated: "
		"look what it did and finish it by hand");
	count_unknown(t);
	q->cut_off = true;
	settle_action(t, ACTION_UNKNOWN);
}
