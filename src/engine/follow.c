/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a journal that another version wrote. Rules change: this version may
 * leave a step later than that one did, or go back where that one went on. What
 * was journaled is what was done, so the decision is the journal's; the facts of
 * the event are kept. Without this a finished rollout would read as one that
 * never ended, and a resume would take its own traffic for somebody else's.
 */
#include "engine/turn.h"

#define HOPS_MAX 4 /* one event may pass through some phases */

/* Facts that came with the event; what was decided on them is undone. */
static void keep_facts(struct turn *t, const struct rollout *decided)
{
	struct rollout *r = t->r;
	struct traffic_reader read = r->traffic.read;
	struct traffic_writer write = r->traffic.write;
	bool wants = traffic_is_settled(r) && !traffic_is_settled(decided);

	r->now_ms = decided->now_ms;
	r->resuming = decided->resuming;
	for (size_t i = 0; i < POLICY_SLOS_MAX; i++)
		r->check[i] = decided->check[i];
	r->approvals = decided->approvals;
	r->approved_until_ms = decided->approved_until_ms;
	r->traffic = decided->traffic;
	if (t->event->type != EVENT_WRITTEN)
		r->traffic.write = write;
	if (t->event->type != EVENT_TRAFFIC && wants)
		r->traffic.read = read; /* it is not read for that */
	if (t->event->type == EVENT_TRAFFIC) {
		/* The journal would say so if it were somebody else's. */
		r->traffic.set = r->traffic.spec;
		r->verifying = decided->verifying;
		r->verified = decided->verified;
	}
	if (t->event->type == EVENT_ACTION)
		sequence_ended(t); /* what was decided may have forgotten it */
}

static enum cause cause_of(const struct turn *t)
{
	switch (t->event->type) {
	case EVENT_CHECK:
		return CAUSE_SLO;
	case EVENT_COMMAND:
		return CAUSE_PERSON;
	case EVENT_INTERRUPT:
		return CAUSE_INTERRUPT;
	case EVENT_WRITTEN:
		return CAUSE_WRITE;
	default:
		return t->r->phase == PHASE_HELD ? t->r->cause
						 : CAUSE_UNDECIDED;
	}
}

static void follow_into_hold(struct turn *t)
{
	struct rollout *r = t->r;

	if (cause_of(t) == CAUSE_SLO &&
		t->policy->on_breach == ON_BREACH_HOLD &&
		r->check[t->event->slo].outcome == OUTCOME_BREACH)
		rollout_hold(t, CAUSE_SLO, t->now, "an SLO was breached");
	else if (t->event->type == EVENT_ACTION)
		rollout_hold(t, CAUSE_HOOK, t->now, "a hook failed");
	else if (checks_find_unevaluable(t) >= 0)
		rollout_hold(
			t, CAUSE_METRICS, t->now, "metrics were in trouble");
	else if (r->phase == PHASE_AWAITING_APPROVAL)
		rollout_hold(
			t, CAUSE_APPROVAL, t->now, "nobody approved in time");
	else
		rollout_hold(
			t, CAUSE_UNDECIDED, t->now, "not every SLO had passed");
}

/* Whatever this version still had to run there was not waited for. */
static void follow_to_the_next_step(struct turn *t)
{
	sequence_cancel(t);
	t->r->looked = true;
	t->r->begun = true;
	t->r->refusing = false;
	if (!rollout_is_finishing(t))
		rollout_next_step(t);
}

/* This version may be past the last step, or before the first one, when the
 * journal is at one. */
static void fit_step(struct turn *t, enum phase phase)
{
	struct rollout *r = t->r;

	if (phase != PHASE_BAKING && phase != PHASE_AWAITING_APPROVAL)
		return;
	if (rollout_is_finishing(t)) {
		sequence_cancel(t);
		r->step--;
		r->finish_begun = r->step_passed = false;
	} else if (r->step < 0) {
		r->step = 0;
	}
}

static void follow_onwards(struct turn *t)
{
	struct rollout *r = t->r;

	switch (r->phase) {
	case PHASE_AWAITING_APPROVAL:
		rollout_pass_gate(t);
		break;
	case PHASE_SHIFTING:
		fit_step(t, PHASE_BAKING);
		if (!r->bake_from_ms)
			checks_settle(t);
		traffic_want_nothing(r);
		rollout_enter(t, PHASE_BAKING, "the split serves");
		break;
	case PHASE_PREFLIGHT:
	case PHASE_BAKING:
		follow_to_the_next_step(t);
		break;
	case PHASE_HELD:
	case PHASE_PAUSED:
		rollout_go_on(t);
		break;
	default:
		break;
	}
}

static void follow_into_pause(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->phase == PHASE_HELD) { /* it went on first */
		rollout_go_on(t);
		return;
	}
	r->pause_wanted = true;
	rollout_pause_here(t);
}

static void follow_back(struct turn *t, enum phase phase)
{
	rollout_revert(t, cause_of(t), "as the journal says");
	if (phase != PHASE_ROLLING_BACK || t->r->phase != PHASE_REVERTING)
		return;
	traffic_want_nothing(t->r);
	rollout_enter(t, PHASE_ROLLING_BACK, "stable serves 100 %");
}

/* One phase on, towards the one that the journal says. */
static void hop(struct turn *t, enum phase phase)
{
	switch (phase) {
	case PHASE_HELD:
		follow_into_hold(t);
		break;
	case PHASE_PAUSED:
		follow_into_pause(t);
		break;
	case PHASE_REVERTING:
	case PHASE_ROLLING_BACK:
		follow_back(t, phase);
		break;
	default:
		follow_onwards(t);
	}
}

static void go_to(struct turn *t, enum phase phase)
{
	for (int i = 0; i < HOPS_MAX && t->r->phase != phase; i++) {
		if (phase_is_end(phase) || phase_is_end(t->r->phase))
			break;
		hop(t, phase);
	}
	if (t->r->phase == phase)
		return;
	fit_step(t, phase);
	rollout_force(t, phase);
}

/* What else follows from the state, as long as it is no other phase. */
static void pump(struct turn *t)
{
	struct rollout there = *t->r;

	if (phase_is_end(there.phase))
		return;
	rollout_pump(t);
	if (t->r->phase != there.phase)
		*t->r = there;
}

static void clear(struct outcome_list *outcome)
{
	outcome->n_effects = 0;
	outcome->n_notes = 0;
	outcome->wake_ms = INT64_MAX;
}

void rollout_follow(const struct policy *policy, const struct rollout *before,
	struct rollout *state, const struct event *event, enum phase phase,
	struct outcome_list *outcome_r)
{
	struct turn t = {.policy = policy,
		.r = state,
		.event = event,
		.now = state->now_ms,
		.out = outcome_r};
	struct rollout decided = *state;

	clear(outcome_r);
	/* Only preflight's look itself is decided on by what it found. */
	if (event->type != EVENT_PREFLIGHT) {
		*state = *before;
		keep_facts(&t, &decided);
	}
	go_to(&t, phase);
	pump(&t);
}

void rollout_follow_write(const struct policy *policy, struct rollout *state,
	int64_t now_ms, struct outcome_list *outcome_r)
{
	struct turn t = {
		.policy = policy, .r = state, .now = now_ms, .out = outcome_r};

	if (state->traffic.write.state != WRITER_WANTS ||
		state->traffic.write.out_ms)
		return;
	clear(outcome_r);
	traffic_write(&t);
}
