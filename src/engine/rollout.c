/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The phases of a rollout: which comes after which, and when. rollout.h has
 * the picture. Each phase_* looks at the state as it is now and does at most
 * one thing: wait, want something, or go on.
 */
#include "engine/rollout.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "engine/outlook.h"
#include "engine/turn.h"

#define ROUNDS_MAX   64 /* of phases in one turn; more is a bug of ours */
#define STEP_BACK_MS 1000 /* to read the service, as a revert has */

void rollout_next_step(struct turn *t)
{
	struct rollout *r = t->r;
	const struct approval *approval;
	char reason[ROLLOUT_TEXT_MAX];

	r->step++;
	r->bake_from_ms = 0;
	r->bake_open = false;
	r->step_passed = false;
	r->held_ms = 0;
	r->approved_until_ms = 0;
	sequence_forget(t, LIST_STEP_PASSED);
	sequence_forget(t, LIST_LOAD);
	rollout_set_reason(r, CAUSE_NONE, "");
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

/* The phases. */

/* Our tag, if the policy wants one, is on the candidate: it has a URL. */
static bool preflight_is_tagged(struct turn *t)
{
	struct rollout *r = t->r;

	if (t->policy->tag && !r->traffic.tagged && !r->tag_is_ours &&
		traffic_is_settled(r))
		traffic_want(t, r->traffic.set.candidate, false, TAG_ADD);
	if (traffic_gave_up(r))
		rollout_refuse(t,
			r->traffic.write.intent.reassert ? CAUSE_DRIFT
							 : CAUSE_WRITE,
			r->traffic.write.trouble);
	return traffic_is_settled(r) && !r->refusing;
}

static void phase_preflight(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];
	struct rollout *r = t->r;

	if (r->refusing) {
		if (traffic_is_settled(r) || traffic_gave_up(r))
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
			sequence_say_failed(
				t, LIST_PREFLIGHT, "preflight", reason);
			rollout_refuse(t, CAUSE_PREFLIGHT, reason);
			return;
		}
		r->begun = true;
	}
	if (!sequence_ensure(t, LIST_STARTED) || rollout_pause_here(t))
		return;
	if (sequence_take_stop(t, LIST_STARTED)) {
		sequence_say_failed(t, LIST_STARTED, "hook `started`", reason);
		rollout_hold(t, CAUSE_HOOK, t->now, reason);
	} else if (!freeze_waits(t)) {
		rollout_next_step(t);
	}
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

/* Who serves in the end is a fact that was read, unless it cannot be. */
static bool end_is_unread(const struct turn *t)
{
	int64_t gap_ms = checks_gap_ms_max(t->policy);

	return gap_ms && t->now - t->r->traffic.read.seen_ms > gap_ms;
}

/* An answer that is under way counts: who answers first must not matter. */
static bool waits_for_end(struct turn *t)
{
	int64_t until_ms = t->r->phase_ms + t->policy->revert_timeout_ms;

	if ((!t->r->traffic.read.out_ms && !end_is_unread(t)) ||
		t->now >= until_ms)
		return false;
	traffic_watch(t);
	if (!t->r->traffic.read.out_ms)
		turn_wake(t, t->r->traffic.read.retry_ms);
	turn_wake(t, until_ms);
	return true;
}

static void phase_finishing(struct turn *t)
{
	struct rollout *r = t->r;
	bool latest;

	if (traffic_doubt_holds(t))
		return;
	if (!r->finish_begun) {
		r->finish_begun = true;
		latest = finish_wants_latest(t);
		if (latest || r->tag_is_ours || r->traffic.stable_kept)
			traffic_want(t, 100, latest,
				r->tag_is_ours ? TAG_REMOVE : TAG_KEEP);
		return;
	}
	if (traffic_gave_up(r)) {
		turn_note(t, NOTE_WARNING, "the finish failed: %s",
			r->traffic.write.trouble);
		traffic_want_nothing(r);
	}
	if (!traffic_is_settled(r) || waits_for_end(t) ||
		!sequence_ensure(t, LIST_PROMOTED))
		return;
	if (end_is_unread(t))
		turn_note(t, NOTE_WARNING,
			"who serves in the end could not be read");
	rollout_set_reason(r, CAUSE_NONE,
		r->traffic.by_latest
			? "every step has passed; traffic follows LATEST"
			: "every step has passed; the candidate is pinned, new "
			  "deployments get no traffic by themselves");
	rollout_enter(t, PHASE_PROMOTED, r->reason);
}

/* Settle runs from the moment that the split is seen serving, whatever else is
 * unfinished. */
static void settle_when_serving(struct turn *t)
{
	struct rollout *r = t->r;

	if (!r->bake_from_ms && r->traffic.write.state != WRITER_GAVE_UP &&
		r->traffic.write.intent.percent == step_now(t)->percent &&
		r->traffic.read.seen_ms && traffic_serves(r) &&
		!traffic_is_unwritten(r))
		checks_settle(t);
}

/* A step back that does not leave becomes a revert, which waits for no answer.
 * Its write is given up as soon as a revert's when there is no answer; what was
 * taken may last. */
static bool step_back_hangs(struct turn *t)
{
	const struct traffic_writer *w = &t->r->traffic.write;
	int64_t until_ms = w->since_ms + STEP_BACK_MS;

	if (!rollout_hurries(t->r) || w->state != WRITER_WANTS || w->arrived ||
		!rollout_goes_down(t->r) ||
		(w->out_ms && w->out_percent == w->intent.percent))
		return false;
	turn_wake(t, until_ms);
	return t->now >= until_ms;
}

/* The service had the time to answer that a revert gives it. */
static void revert_at_once(struct turn *t)
{
	struct traffic_writer *w = &t->r->traffic.write;
	int64_t since_ms = w->since_ms;

	rollout_revert(t, CAUSE_SLO, t->r->reason);
	w->since_ms = since_ms;
}

static void phase_shifting(struct turn *t)
{
	struct rollout *r = t->r;
	struct note *note;

	if (rollout_is_finishing(t)) {
		phase_finishing(t);
		return;
	}
	if (traffic_gave_up(r)) {
		rollout_revert(t, CAUSE_WRITE, r->traffic.write.trouble);
		return;
	}
	if (step_back_hangs(t)) {
		revert_at_once(t);
		return;
	}
	if (!traffic_is_settled(r)) {
		if (!rollout_shift_waits(t))
			settle_when_serving(t);
		return;
	}
	if (!r->bake_from_ms)
		checks_settle(t);
	note = turn_note(t, NOTE_STEP_STARTED, "candidate serves %d %%",
		r->traffic.serving.candidate);
	note->step = r->step;
	rollout_enter(t, PHASE_BAKING, "the split serves");
}

static void hold_undecided(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX], why[ROLLOUT_TEXT_MAX];
	bool reverts = t->policy->on_undecided == ON_UNDECIDED_ROLLBACK;

	if (evidence_say_silent(t, why))
		text_put(reason, sizeof(reason), "%s%s", why,
			reverts ? ""
				: "; it goes on by itself when there are some");
	else if (checks_say_missing(t->policy, t->r, t->now, why))
		text_put(reason, sizeof(reason), "bake is over; %s%s", why,
			reverts ? ""
				: "; it goes on by itself when that has "
				  "changed");
	else
		text_set(reason, sizeof(reason),
			"bake is over and not every SLO has passed");
	if (reverts)
		rollout_revert(t, CAUSE_UNDECIDED, reason);
	else
		rollout_hold(t, CAUSE_UNDECIDED, t->now, reason);
}

static void leave_step(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];
	struct rollout *r = t->r;
	struct note *note;

	if (!r->step_passed) {
		r->step_passed = true;
		evidence_say_passed(t, reason);
		note = turn_note(t, NOTE_STEP_PASSED, "%s", reason);
		note->step = r->step;
	}
	if (!sequence_ensure(t, LIST_STEP_PASSED))
		return;
	if (sequence_take_stop(t, LIST_STEP_PASSED)) {
		sequence_say_failed(
			t, LIST_STEP_PASSED, "hook `step_passed`", reason);
		rollout_hold(t, CAUSE_HOOK, t->now, reason);
	} else if (!freeze_waits(t)) {
		rollout_next_step(t);
	}
}

static void phase_baking(struct turn *t)
{
	struct rollout *r = t->r;
	int64_t over_ms;

	if (rollout_pause_here(t) || rollout_hold_here(t) || !r->bake_open ||
		(r->step_passed && freeze_waits(t)))
		return;
	over_ms = checks_over_ms(t->policy, r);
	turn_wake(t, over_ms);
	if (!traffic_is_settled(r) || !load_is_over(t))
		return;
	if (evidence_is_enough(t) && checks_are_satisfied(t)) {
		leave_step(t);
		return;
	}
	if (evidence_find_silent(t) >= 0) {
		hold_undecided(t);
		return;
	}
	if (t->now < over_ms || !checks_are_answered(t))
		return;
	if (checks_are_satisfied(t)) {
		leave_step(t);
		return;
	}
	over_ms = checks_undecided_ms(t->policy, r);
	if (t->now < over_ms)
		turn_wake(t, over_ms);
	else
		hold_undecided(t);
}

static bool hold_is_healed(struct turn *t)
{
	switch (t->r->cause) {
	case CAUSE_UNDECIDED:
		return traffic_is_settled(t->r) && checks_are_satisfied(t);
	case CAUSE_METRICS:
		return checks_find_unevaluable(t) < 0;
	case CAUSE_APPROVAL:
		return rollout_gate_is_passed(t->policy, t->r);
	case CAUSE_STABLE:
		return t->r->traffic.stable_state == STABLE_READY;
	case CAUSE_DRIFT:
		return !traffic_is_doubtful(t->r);
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
	text_after(
		reason, sizeof(reason), "nobody resolved the hold", r->reason);
	rollout_revert(t, r->cause, reason);
}

static void phase_paused(struct turn *t)
{
	rollout_hold_here(t);
}

/* A settle that ends opens the step's bake in whatever phase it is. */
static void open_bake(struct turn *t)
{
	struct rollout *r = t->r;

	if (!r->bake_from_ms || r->bake_open || rollout_is_reverting(r))
		return;
	if (t->now >= r->bake_from_ms)
		checks_open_bake(t);
	else
		turn_wake(t, r->bake_from_ms);
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

	if (t->r->stopping) {
		rollout_end_stopping(t);
		return;
	}
	open_bake(t);
	if (t->r->resuming && t->r->phase != PHASE_REVERTING)
		return;
	load_take(t);
	if (traffic_gave_up(t->r) && t->r->traffic.write.intent.reassert &&
		!rollout_is_reverting(t->r) && t->r->phase != PHASE_PREFLIGHT)
		rollout_stop_for_drift(t,
			"traffic was changed by somebody else and could not "
			"be set back");
	else if (run[t->r->phase])
		run[t->r->phase](t);
}

void rollout_pump(struct turn *t)
{
	int64_t due_ms;
	int rounds = 0;

	t->r->freeze_ms = 0;
	do {
		assert(rounds++ < ROUNDS_MAX);
		t->changed = false;
		run_phase(t);
		traffic_pump(t);
	} while (t->changed && !phase_is_end(t->r->phase));
	if (t->r->resuming)
		traffic_read_first(t);
	else
		sequence_pump(t);
	due_ms = checks_due_ms(t);
	if (due_ms > t->now) {
		turn_wake(t, due_ms);
		return;
	}
	traffic_watch(t); /* each such tick also looks for drift */
	checks_ask(t);
}

static void clear_outcome(struct outcome_list *outcome)
{
	outcome->n_effects = 0;
	outcome->n_notes = 0;
	outcome->wake_ms = INT64_MAX;
	outcome->refused = false;
	outcome->seen = (struct evidence_seen){0};
	outcome->judgement = (struct judgement){.value = NAN, .limit = NAN};
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

	clear_outcome(outcome_r);
	if (phase_is_end(state->phase)) {
		if (event->type == EVENT_COMMAND)
			outcome_r->refused = rollout_refuses(policy, state,
				event->verb, event->step, event->who,
				outcome_r->refusal);
		return;
	}
	event_take(&t);
	if (!state->started_ms)
		return;
	rollout_pump(&t);
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
