/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps a rollout where it is: a person's pause, a hold for what is the
 * matter, the gate of people before a step. Freezes are in gate.c.
 */
#include <stdio.h>

#include "engine/rollout.h"
#include "engine/turn.h"

bool rollout_pause_here(struct turn *t)
{
	struct rollout *r = t->r;

	if (!r->pause_wanted)
		return false;
	r->pause_wanted = false;
	r->paused_from = r->phase;
	if (r->phase == PHASE_SHIFTING)
		traffic_want_nothing(r);
	rollout_set_reason(r, CAUSE_PERSON, "paused by a person");
	rollout_enter(t, PHASE_PAUSED, r->reason);
	return true;
}

/* The metrics have been away for too long. */
static void hold_unevaluable(struct turn *t, int slo)
{
	char reason[ROLLOUT_TEXT_MAX];

	snprintf(reason, sizeof(reason),
		"%s could not be evaluated %d times in a row: metrics are in "
		"trouble",
		t->policy->slos[slo].name, t->r->check[slo].errors);
	rollout_hold(t, CAUSE_METRICS, t->now, reason);
}

/* There is no stable revision to go back to. */
static void hold_without_stable(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	text_after(reason, sizeof(reason), "there is no way back",
		t->r->traffic.stable_text);
	rollout_hold(t, CAUSE_STABLE, t->now, reason);
}

bool rollout_hold_here(struct turn *t)
{
	enum stable_state stable = t->r->traffic.stable_state;
	int slo = checks_find_unevaluable(t);

	if (slo >= 0)
		hold_unevaluable(t, slo);
	else if (stable == STABLE_GONE || stable == STABLE_NOT_READY)
		hold_without_stable(t);
	else
		return traffic_doubt_holds(t);
	return true;
}

uint64_t rollout_approvals(const struct rollout *r, int64_t now_ms)
{
	return r->gate_deadline_ms && now_ms >= r->approved_until_ms
		       ? 0
		       : r->approvals;
}

static bool gate_is_passed(const struct turn *t)
{
	return rollout_gate_is_passed(t->policy, t->r);
}

/* The gate stays open for latecomers until traffic has moved. */
void rollout_pass_gate(struct turn *t)
{
	turn_note(t, NOTE_APPROVED, "step %d is approved", t->r->step + 1);
	rollout_set_reason(t->r, CAUSE_NONE, "");
	t->r->gate_deadline_ms = 0;
	rollout_enter(t, PHASE_SHIFTING, "approved");
	traffic_want(t, step_now(t)->percent, false, TAG_KEEP);
}

/* Since when a gate is late. What a hold or a pause took is not counted twice; what
 * passed while nobody drove is. */
static int64_t late_since(const struct rollout *r, int64_t deadline_ms)
{
	return deadline_ms > r->phase_ms ? deadline_ms : r->phase_ms;
}

/* People said yes, and what is there now does not. */
static void hold_approved(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX], why[ROLLOUT_TEXT_MAX];

	if (gate_say_closed(t, why))
		text_put(reason, sizeof(reason),
			"approved, but traffic cannot move up: %s", why);
	else
		text_set(reason, sizeof(reason),
			"approved, but traffic cannot move up yet");
	rollout_hold(t, CAUSE_UNDECIDED,
		late_since(t->r, t->r->gate_deadline_ms), reason);
}

void phase_awaiting_approval(struct turn *t)
{
	struct rollout *r = t->r;

	if (rollout_pause_here(t) || rollout_hold_here(t) || freeze_waits(t))
		return;
	if (t->now >= r->approved_until_ms)
		r->approvals = 0; /* they have expired */
	if (gate_is_passed(t) && traffic_is_settled(r) &&
		!may_raise(t->policy, r, t->now)) {
		/* Traffic moves only on evidence that is there now. */
		rollout_pass_gate(t);
		return;
	}
	if (t->now < r->gate_deadline_ms)
		turn_wake(t, r->gate_deadline_ms);
	else if (gate_is_passed(t))
		hold_approved(t);
	else
		rollout_hold(t, CAUSE_APPROVAL,
			late_since(r, r->gate_deadline_ms),
			"nobody approved in time");
}

/* The people who approved did so for a while only. */
static bool reopen_gate(struct turn *t)
{
	struct rollout *r = t->r;
	const struct approval *approval = step_now(t)->approval;

	if (!approval || t->now < r->approved_until_ms)
		return false;
	r->approvals = 0;
	r->gate_deadline_ms = r->approved_until_ms;
	rollout_hold(t, CAUSE_APPROVAL, late_since(r, r->approved_until_ms),
		"the approval expired before traffic could move");
	r->held_from = PHASE_AWAITING_APPROVAL;
	return true;
}

bool rollout_goes_down(const struct rollout *r)
{
	int percent = r->traffic.write.intent.percent;

	return percent < r->traffic.spec.candidate ||
	       percent < r->traffic.serving.candidate;
}

bool rollout_shift_waits(struct turn *t)
{
	struct rollout *r = t->r;
	int64_t blocked_ms = r->traffic.write.blocked_ms, until_ms;
	char reason[ROLLOUT_TEXT_MAX], why[ROLLOUT_TEXT_MAX];

	if (traffic_is_unwritten(r) && !rollout_goes_down(r) &&
		(rollout_pause_here(t) || rollout_hold_here(t) ||
			freeze_waits(t) || reopen_gate(t)))
		return true;
	turn_wake(t, r->approved_until_ms);
	if (!blocked_ms || !may_raise(t->policy, r, t->now))
		return false;
	until_ms = blocked_ms + checks_gap_ms_max(t->policy);
	if (t->now < until_ms) {
		turn_wake(t, until_ms);
		return false;
	}
	text_put(reason, sizeof(reason),
		"traffic cannot move up: %s; it goes on by itself when it can",
		gate_say_closed(t, why));
	rollout_hold(t, CAUSE_UNDECIDED, t->now, reason);
	return true;
}
