/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions that more than one file of the engine takes: where a rollout goes
 * from here, and which traffic is wanted. Owns the table of legal moves; knows
 * nothing of how a phase waits or how traffic gets there.
 */
#include <assert.h>

#include "engine/turn.h"

#define BIT(phase) (1u << (phase))

/* From where to where a rollout may go. */
static const unsigned moves[PHASES] = {
	[PHASE_PREFLIGHT] = BIT(PHASE_AWAITING_APPROVAL) | BIT(PHASE_SHIFTING) |
			    BIT(PHASE_HELD) | BIT(PHASE_PAUSED) |
			    BIT(PHASE_REVERTING) | BIT(PHASE_REFUSED),
	[PHASE_AWAITING_APPROVAL] = BIT(PHASE_SHIFTING) | BIT(PHASE_HELD) |
				    BIT(PHASE_PAUSED) | BIT(PHASE_REVERTING) |
				    BIT(PHASE_STOPPED),
	[PHASE_SHIFTING] = BIT(PHASE_BAKING) | BIT(PHASE_HELD) |
			   BIT(PHASE_PAUSED) | BIT(PHASE_PROMOTED) |
			   BIT(PHASE_REVERTING) | BIT(PHASE_STOPPED),
	[PHASE_BAKING] = BIT(PHASE_AWAITING_APPROVAL) | BIT(PHASE_SHIFTING) |
			 BIT(PHASE_HELD) | BIT(PHASE_PAUSED) |
			 BIT(PHASE_REVERTING) | BIT(PHASE_STOPPED),
	[PHASE_HELD] = BIT(PHASE_PREFLIGHT) | BIT(PHASE_AWAITING_APPROVAL) |
		       BIT(PHASE_SHIFTING) | BIT(PHASE_BAKING) |
		       BIT(PHASE_PAUSED) | BIT(PHASE_REVERTING) |
		       BIT(PHASE_STOPPED),
	[PHASE_PAUSED] = BIT(PHASE_PREFLIGHT) | BIT(PHASE_AWAITING_APPROVAL) |
			 BIT(PHASE_SHIFTING) | BIT(PHASE_BAKING) |
			 BIT(PHASE_HELD) | BIT(PHASE_REVERTING) |
			 BIT(PHASE_STOPPED),
	[PHASE_REVERTING] = BIT(PHASE_ROLLING_BACK) |
			    BIT(PHASE_ROLLBACK_FAILED) | BIT(PHASE_STOPPED),
	[PHASE_ROLLING_BACK] = BIT(PHASE_ROLLED_BACK) |
			       BIT(PHASE_ROLLBACK_FAILED) | BIT(PHASE_STOPPED),
};

/* The one place that decides on .phase. */
void rollout_enter(struct turn *t, enum phase phase, const char *reason)
{
	struct rollout *r = t->r;
	struct note *note;

	assert(moves[r->phase] & BIT(phase));
	note = turn_note(t, NOTE_PHASE, "%s", reason);
	note->to = phase;
	r->phase = phase;
	r->phase_ms = t->now;
	if (phase != PHASE_HELD)
		r->hold_deadline_ms = 0;
	t->changed = true;
}

void rollout_force(struct turn *t, enum phase phase)
{
	t->r->phase = phase;
	t->r->phase_ms = t->now;
	if (phase_is_end(phase)) {
		sequence_cancel(t);
		traffic_want_nothing(t->r);
	}
}

void rollout_set_reason(struct rollout *r, enum cause cause, const char *reason)
{
	r->cause = cause;
	text_set(r->reason, sizeof(r->reason), reason);
}

bool rollout_is_paused(const struct rollout *r)
{
	return r->phase == PHASE_PAUSED || r->pause_wanted ||
	       (r->phase == PHASE_HELD && r->held_from == PHASE_PAUSED);
}

bool rollout_hurries(const struct rollout *r)
{
	return rollout_is_reverting(r) ||
	       (r->phase == PHASE_SHIFTING && r->cause == CAUSE_SLO);
}

bool rollout_waits_for_people(const struct rollout *state)
{
	return state->phase == PHASE_HELD || state->phase == PHASE_PAUSED ||
	       state->phase == PHASE_AWAITING_APPROVAL;
}

/* Decisions that cut across the phases. */

void rollout_revert(struct turn *t, enum cause cause, const char *reason)
{
	struct rollout *r = t->r;

	if (rollout_is_reverting(r) || phase_is_end(r->phase) || r->stopping)
		return;
	sequence_cancel(t);
	rollout_set_reason(r, cause, reason);
	r->gate_deadline_ms = 0;
	r->pause_wanted = r->leaving = false;
	rollout_enter(t, PHASE_REVERTING, reason);
	if (r->traffic.write.out_ms)
		turn_effect(t, EFFECT_HURRY);
	traffic_want(t, 0, false, r->tag_is_ours ? TAG_REMOVE : TAG_KEEP);
}

void rollout_step_back(struct turn *t, const char *reason)
{
	struct rollout *r = t->r;

	if (rollout_is_reverting(r) || phase_is_end(r->phase))
		return;
	r->pause_wanted = rollout_is_paused(r); /* there again */
	sequence_cancel(t);
	sequence_forget(t, LIST_STEP_PASSED);
	sequence_forget(t, LIST_LOAD);
	rollout_set_reason(r, CAUSE_SLO, reason);
	r->step = 0;
	r->held_ms = 0;
	r->bake_from_ms = 0;
	r->bake_open = false;
	r->step_passed = false;
	r->finish_begun = false;
	r->gate_deadline_ms = 0;
	r->approved_until_ms = 0;
	if (r->phase != PHASE_SHIFTING)
		rollout_enter(t, PHASE_SHIFTING, reason);
	t->changed = true;
	if (r->traffic.write.out_ms)
		turn_effect(t, EFFECT_HURRY);
	traffic_want(t, step_now(t)->percent, false, TAG_KEEP);
}

void rollout_refuse(struct turn *t, enum cause cause, const char *reason)
{
	struct rollout *r = t->r;

	assert(r->phase == PHASE_PREFLIGHT);
	if (r->refusing)
		return;
	sequence_cancel(t);
	rollout_set_reason(r, cause, reason);
	r->refusing = true;
	t->changed = true;
	if (r->tag_is_ours && cause != CAUSE_DRIFT) {
		if (r->traffic.write.out_ms)
			turn_effect(t, EFFECT_HURRY);
		traffic_want(t, r->traffic.set.candidate, false, TAG_REMOVE);
	} else {
		traffic_want_nothing(r);
	}
}

/* Nothing is written or decided any more. The phase follows when the hooks have
 * run: rollout.c. */
void rollout_stop_for_drift(struct turn *t, const char *reason)
{
	if (t->r->stopping)
		return;
	sequence_cancel(t);
	traffic_want_nothing(t->r);
	rollout_set_reason(t->r, CAUSE_DRIFT, reason);
	t->r->gate_deadline_ms = t->r->hold_deadline_ms = 0;
	t->r->pause_wanted = false;
	t->r->checking = false;
	t->r->stopping = true;
	t->changed = true;
	rollout_end_stopping(t);
}

void rollout_end_stopping(struct turn *t)
{
	if (!phase_is_end(t->r->phase) && sequence_ensure(t, LIST_STOPPED))
		rollout_enter(t, PHASE_STOPPED, t->r->reason);
}

void rollout_stop_or_refuse(struct turn *t, const char *reason)
{
	if (t->r->phase == PHASE_PREFLIGHT)
		rollout_refuse(t, CAUSE_DRIFT, reason);
	else
		rollout_stop_for_drift(t, reason);
}

/* What hurts goes on no longer, and is not made again by itself. */
static void stop_load(struct turn *t)
{
	const struct sequence *q = &t->r->sequence;

	if (!q->active || q->list != LIST_LOAD)
		return;
	sequence_cancel(t);
	t->r->lists_done |= 1u << LIST_LOAD;
}

void rollout_hold(
	struct turn *t, enum cause cause, int64_t since_ms, const char *reason)
{
	struct rollout *r = t->r;

	if (rollout_is_reverting(r) || phase_is_end(r->phase) || r->stopping)
		return;
	rollout_set_reason(r, cause, reason);
	if (cause == CAUSE_SLO)
		stop_load(t);
	if (r->phase == PHASE_HELD) {
		turn_note(t, NOTE_WARNING, "%s", reason);
		return;
	}
	r->held_from = r->phase;
	/* A shift that is not written yet is not written while held. */
	if (r->phase == PHASE_SHIFTING)
		traffic_want_nothing(r);
	rollout_enter(t, PHASE_HELD, reason);
	/* All holds of a step together last no longer than one may. */
	r->hold_deadline_ms =
		since_ms + t->policy->hold_timeout_ms - r->held_ms;
}

void rollout_go_on(struct turn *t)
{
	struct rollout *r = t->r;
	enum phase back =
		r->phase == PHASE_HELD ? r->held_from : r->paused_from;

	rollout_set_reason(r, CAUSE_NONE, "");
	if (r->phase == PHASE_HELD)
		r->held_ms += t->now - r->phase_ms;
	rollout_enter(t, back, "going on");
	if (back != PHASE_SHIFTING)
		return;
	r->finish_begun = false;
	if (!rollout_is_finishing(t))
		traffic_want(t, step_now(t)->percent, false, TAG_KEEP);
}

struct split traffic_split_of(int candidate)
{
	return (struct split){candidate, 100 - candidate, 0};
}

void traffic_want(
	struct turn *t, int percent, bool to_latest, enum tag_change tag)
{
	struct traffic_writer *w = &t->r->traffic.write;

	w->state = WRITER_WANTS;
	w->intent = (struct traffic_intent){
		.percent = percent,
		.to_latest = to_latest,
		.keep_stable = percent == 100 && !rollout_is_finishing(t),
		.tag = tag,
	};
	w->since_ms = t->now;
	w->deadline_ms = t->now + t->policy->revert_timeout_ms;
	w->blocked_ms = 0;
	w->refused = 0;
	w->rounds = 0;
	w->arrived = w->taken_up = w->raced = false;
	w->polls = 0;
	w->retry_ms = 0;
	w->failing_ms = 0;
	w->trouble[0] = '\0';
	t->r->traffic.read.retry_ms = 0;
	/* A breach reverts on the read of its own check tick; others read anew. So
	 * does one that finds others in charge, whom a reassertion was to move:
	 * a revert leaves them alone. */
	if (t->r->phase != PHASE_REVERTING || t->r->cause != CAUSE_SLO ||
		t->r->traffic.spec.other)
		t->r->traffic.read.fresh = false;
}

void traffic_want_nothing(struct rollout *r)
{
	struct traffic_writer *w = &r->traffic.write;

	w->state = WRITER_IDLE;
	w->intent.reassert = false;
	w->deadline_ms = 0;
	w->retry_ms = 0;
	w->blocked_ms = 0;
}

bool traffic_is_unwritten(const struct rollout *r)
{
	const struct traffic_writer *w = &r->traffic.write;
	bool read_since = r->traffic.read.fresh || w->polls > 0;

	return !w->out_ms && (!w->rounds || (!w->arrived && read_since));
}
