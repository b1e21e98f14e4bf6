/*
 * The phases of a rollout: which comes after which, and when. rollout.h has
 * the picture. Each phase_* looks at the state as it is now and does at most
 * one thing: wait, want something, or go on.
 */
#include "engine/rollout.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/turn.h"

#define ROUNDS_MAX 64 /* of phases in one turn; more is a bug of ours */

/* The next step, its gate, or the finish. */
static void next_step(struct turn *t)
{
	struct rollout *r = t->r;
	const struct approval *approval;
	char reason[ROLLOUT_TEXT_MAX];

	r->step++;
	r->bake_from_ms = 0;
	r->bake_open = false;
	r->step_passed = false;
	sequence_forget(t, LIST_STEP_PASSED);
	rollout_set_reason(r, CAUSE_NONE, "");
	/* One that was adopted has users before its first step. */
	if (r->traffic.set.candidate > 0 && !r->checking)
		checks_begin(t);
	if (rollout_is_finishing(t)) {
		rollout_enter(
			t, PHASE_SHIFTING, "every step has passed: finishing");
		return;
	}
	approval = step_now(t)->approval;
	snprintf(reason, sizeof(reason), "step %d of %zu: %d %%", r->step + 1,
		t->policy->n_steps, step_now(t)->percent);
	if (approval) {
		r->approvals = 0;
		r->gate_deadline_ms = t->now + approval->timeout_ms;
		rollout_enter(t, PHASE_AWAITING_APPROVAL, reason);
	} else {
		rollout_enter(t, PHASE_SHIFTING, reason);
		traffic_want(t, step_now(t)->percent, false, TAG_KEEP);
	}
}

/* Paused here and now if somebody asked for it. True: paused. */
static bool pause_here(struct turn *t)
{
	struct rollout *r = t->r;

	if (!r->pause_wanted)
		return false;
	r->pause_wanted = false;
	r->paused_from = r->phase;
	rollout_set_reason(r, CAUSE_PERSON, "paused by a person");
	rollout_enter(t, PHASE_PAUSED, r->reason);
	return true;
}

/* Held when the metrics have been away for too long. True: held. */
static bool hold_when_unevaluable(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];
	int slo = checks_find_unevaluable(t);

	if (slo < 0)
		return false;
	snprintf(reason, sizeof(reason),
		"%s could not be evaluated %d times in a row: metrics are in "
		"trouble",
		t->policy->slos[slo].name, t->r->check[slo].errors);
	rollout_hold(t, CAUSE_METRICS, reason);
	return true;
}

/* The phases. */

/* Our tag, if the policy wants one, is on the candidate: it has a URL. */
static bool preflight_is_tagged(struct turn *t)
{
	struct rollout *r = t->r;

	if (t->policy->tag && !r->traffic.tagged && !r->tag_is_ours &&
		!r->traffic.wants)
		traffic_want(t, r->traffic.set.candidate, false, TAG_ADD);
	if (r->traffic.wants && r->traffic.rejected)
		rollout_refuse(t, CAUSE_WRITE, r->traffic.trouble);
	return traffic_is_settled(r) && !r->refusing;
}

static void phase_preflight(struct turn *t)
{
	struct rollout *r = t->r;

	if (r->refusing) {
		if (traffic_is_settled(r) || r->traffic.rejected)
			rollout_enter(t, PHASE_REFUSED, r->reason);
		return;
	}
	if (!r->looked)
		return;
	if (!preflight_is_tagged(t))
		return;
	if (!r->begun) {
		if (!sequence_ensure(t, LIST_PREFLIGHT))
			return;
		if (r->lists_failed & 1u << LIST_PREFLIGHT) {
			rollout_refuse(t, CAUSE_PREFLIGHT,
				"a preflight action failed");
			return;
		}
		r->begun = true;
	}
	if (!sequence_ensure(t, LIST_STARTED) || pause_here(t))
		return;
	if (sequence_take_stop(t, LIST_STARTED))
		rollout_hold(t, CAUSE_HOOK, "a hook of `started` failed");
	else
		next_step(t);
}

static bool gate_is_passed(const struct turn *t)
{
	return __builtin_popcountll(t->r->approvals) >=
	       step_now(t)->approval->minimum;
}

static void pass_gate(struct turn *t)
{
	t->r->gate_deadline_ms = 0;
	turn_note(t, NOTE_APPROVED, "step %d is approved", t->r->step + 1);
	rollout_set_reason(t->r, CAUSE_NONE, "");
	rollout_enter(t, PHASE_SHIFTING, "approved");
	traffic_want(t, step_now(t)->percent, false, TAG_KEEP);
}

static void phase_awaiting_approval(struct turn *t)
{
	struct rollout *r = t->r;

	if (pause_here(t) || hold_when_unevaluable(t))
		return;
	if (gate_is_passed(t)) {
		/* Traffic moves only on evidence that is good now. */
		if (traffic_is_settled(r) &&
			(!r->checking || checks_are_satisfied(t)))
			pass_gate(t);
		else if (t->now >= r->gate_deadline_ms)
			rollout_hold(t, CAUSE_UNDECIDED,
				"approved, but not every SLO passes");
		else
			turn_wake(t, r->gate_deadline_ms);
		return;
	}
	if (t->now >= r->gate_deadline_ms)
		rollout_hold(t, CAUSE_APPROVAL, "nobody approved in time");
	else
		turn_wake(t, r->gate_deadline_ms);
}

/* What the policy's `finish` means for this candidate now. */
static bool finish_wants_latest(struct turn *t)
{
	bool wanted =
		t->policy->finish == FINISH_LATEST ||
		(t->policy->finish == FINISH_AS_FOUND && t->r->found_by_latest);

	if (wanted && !t->r->traffic.candidate_is_latest)
		turn_note(t, NOTE_WARNING,
			"the candidate is not the latest ready revision any "
			"more: it stays pinned");
	return wanted && t->r->traffic.candidate_is_latest;
}

static void phase_finishing(struct turn *t)
{
	struct rollout *r = t->r;
	bool latest;

	if (!r->finish_begun) {
		r->finish_begun = true;
		latest = finish_wants_latest(t);
		if (latest || r->tag_is_ours)
			traffic_want(t, 100, latest,
				r->tag_is_ours ? TAG_REMOVE : TAG_KEEP);
		return;
	}
	if (r->traffic.wants && r->traffic.rejected) {
		turn_note(t, NOTE_WARNING, "the finish failed: %.200s",
			r->traffic.trouble);
		r->traffic.wants = false;
	}
	if (!traffic_is_settled(r) || !sequence_ensure(t, LIST_PROMOTED))
		return;
	rollout_set_reason(r, CAUSE_NONE,
		r->traffic.by_latest
			? "every step has passed; traffic follows LATEST"
			: "every step has passed; the candidate is pinned, new "
			  "deployments get no traffic by themselves");
	rollout_enter(t, PHASE_PROMOTED, r->reason);
}

static void phase_shifting(struct turn *t)
{
	struct rollout *r = t->r;
	struct note *note;

	if (rollout_is_finishing(t)) {
		phase_finishing(t);
		return;
	}
	if (r->traffic.wants && r->traffic.rejected) {
		rollout_revert(t, CAUSE_WRITE, r->traffic.trouble);
		return;
	}
	if (!traffic_is_settled(r))
		return;
	r->bake_from_ms = t->now + t->policy->settle_ms;
	note = turn_note(t, NOTE_STEP_STARTED, "candidate serves %d %%",
		r->traffic.serving.candidate);
	note->step = r->step;
	rollout_enter(t, PHASE_BAKING, "the split serves");
}

static void hold_undecided(struct turn *t)
{
	if (t->policy->on_undecided == ON_UNDECIDED_ROLLBACK)
		rollout_revert(t, CAUSE_UNDECIDED,
			"bake is over and not every SLO has passed");
	else
		rollout_hold(t, CAUSE_UNDECIDED,
			"bake is over and not every SLO has passed; it goes "
			"on by itself when they do");
}

static void leave_step(struct turn *t)
{
	struct rollout *r = t->r;
	struct note *note;

	if (!r->step_passed) {
		r->step_passed = true;
		note = turn_note(
			t, NOTE_STEP_PASSED, "step %d has passed", r->step + 1);
		note->step = r->step;
	}
	if (!sequence_ensure(t, LIST_STEP_PASSED))
		return;
	if (sequence_take_stop(t, LIST_STEP_PASSED))
		rollout_hold(t, CAUSE_HOOK, "a hook of `step_passed` failed");
	else
		next_step(t);
}

static void phase_baking(struct turn *t)
{
	struct rollout *r = t->r;
	int64_t over_ms = r->bake_from_ms + step_now(t)->bake_ms;

	if (pause_here(t))
		return;
	if (!r->bake_open && t->now >= r->bake_from_ms)
		checks_open_bake(t);
	if (hold_when_unevaluable(t))
		return;
	turn_wake(t, r->bake_open ? over_ms : r->bake_from_ms);
	if (!r->bake_open || t->now < over_ms || !traffic_is_settled(r))
		return;
	if (!checks_are_answered(t, over_ms))
		return;
	if (checks_are_satisfied(t))
		leave_step(t);
	else
		hold_undecided(t);
}

static bool hold_is_healed(struct turn *t)
{
	switch (t->r->cause) {
	case CAUSE_UNDECIDED:
		return checks_are_satisfied(t) && traffic_is_settled(t->r);
	case CAUSE_METRICS:
		return checks_find_unevaluable(t) < 0;
	case CAUSE_APPROVAL:
		return gate_is_passed(t);
	default:
		return false;
	}
}

static void phase_held(struct turn *t)
{
	struct rollout *r = t->r;
	char reason[ROLLOUT_TEXT_MAX];

	if (hold_is_healed(t)) {
		rollout_go_on(t);
		return;
	}
	if (t->now < r->hold_deadline_ms) {
		turn_wake(t, r->hold_deadline_ms);
		return;
	}
	snprintf(reason, sizeof(reason), "nobody resolved the hold: %.200s",
		r->reason);
	rollout_revert(t, r->cause, reason);
}

static void phase_paused(struct turn *t)
{
	/* A settle that ends now must not leave the canary unwatched. */
	if (t->r->paused_from == PHASE_BAKING && !t->r->bake_open) {
		if (t->now >= t->r->bake_from_ms)
			checks_open_bake(t);
		else
			turn_wake(t, t->r->bake_from_ms);
	}
	hold_when_unevaluable(t);
}

static void run_phase(struct turn *t)
{
	static void (*const run[PHASES])(struct turn *) = {
		[PHASE_PREFLIGHT] = phase_preflight,
		[PHASE_AWAITING_APPROVAL] = phase_awaiting_approval,
		[PHASE_SHIFTING] = phase_shifting,
		[PHASE_BAKING] = phase_baking,
		[PHASE_HELD] = phase_held,
		[PHASE_PAUSED] = phase_paused,
		[PHASE_REVERTING] = phase_reverting,
		[PHASE_ROLLING_BACK] = phase_rolling_back,
	};

	if (t->r->traffic.wants && t->r->traffic.rejected &&
		t->r->traffic.reassert && !rollout_is_reverting(t->r) &&
		t->r->phase != PHASE_PREFLIGHT)
		rollout_stop_for_drift(t,
			"traffic was changed by somebody else and could not "
			"be set back");
	else if (run[t->r->phase])
		run[t->r->phase](t);
}

void rollout_init(struct rollout *state)
{
	size_t i;

	memset(state, 0, sizeof(*state));
	state->step = -1;
	state->failed_slo = -1;
	for (i = 0; i < POLICY_SLOS_MAX; i++) {
		state->check[i].value = NAN;
		state->check[i].limit = NAN;
	}
}

void rollout_step(const struct policy *policy, struct rollout *state,
	const struct event *event, int64_t now_ms,
	struct outcome_list *outcome_r)
{
	struct turn t = {.policy = policy,
		.r = state,
		.event = event,
		.now = now_ms > state->now_ms ? now_ms : state->now_ms,
		.out = outcome_r};
	int rounds = 0;

	outcome_r->n_effects = 0;
	outcome_r->n_notes = 0;
	outcome_r->wake_ms = INT64_MAX;
	outcome_r->refused = false;
	outcome_r->judgement = (struct judgement){.value = NAN, .limit = NAN};
	if (phase_is_end(state->phase)) {
		if (event->type == EVENT_COMMAND) {
			outcome_r->refused = true;
			snprintf(outcome_r->refusal, ROLLOUT_TEXT_MAX,
				"the rollout has ended: %s",
				phase_name(state->phase));
		}
		return;
	}
	event_take(&t);
	if (!state->started_ms)
		return;
	do {
		assert(rounds++ < ROUNDS_MAX);
		t.changed = false;
		run_phase(&t);
		traffic_pump(&t);
	} while (t.changed && !phase_is_end(state->phase));
	sequence_pump(&t);
	if (checks_are_due(&t)) /* each such tick also looks for drift */
		traffic_watch(&t);
	checks_pump(&t);
}

int rollout_exit_status(const struct rollout *state)
{
	switch (state->phase) {
	case PHASE_PROMOTED:
		return 0;
	case PHASE_REFUSED:
		return 4;
	case PHASE_ROLLED_BACK:
		return state->cause == CAUSE_PERSON ||
				       state->cause == CAUSE_INTERRUPT
			       ? 6
			       : 5;
	case PHASE_STOPPED:
		return 7;
	case PHASE_ROLLBACK_FAILED:
		return 9;
	default:
		return 8;
	}
}

bool rollout_waits_for_people(const struct rollout *state)
{
	return state->phase == PHASE_HELD || state->phase == PHASE_PAUSED ||
	       state->phase == PHASE_AWAITING_APPROVAL;
}

int64_t rollout_baked_ms(const struct policy *policy,
	const struct rollout *state, int64_t now_ms)
{
	int64_t bake_ms, baked_ms;

	if (!state->bake_open || state->step < 0 ||
		(size_t)state->step >= policy->n_steps)
		return 0;
	bake_ms = policy->steps[state->step].bake_ms;
	baked_ms = now_ms - state->bake_from_ms;
	if (baked_ms < 0)
		return 0;
	return baked_ms < bake_ms ? baked_ms : bake_ms;
}
