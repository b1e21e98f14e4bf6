/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators want: whether a command is taken now, and what it does then.
 * Everybody who wants to know beforehand asks rollout_refuses.
 */
#include <stdio.h>
#include <string.h>

#include "engine/outlook.h"
#include "engine/turn.h"

/* ---- whether ---- */

/* A command before it is taken. */
struct asked {
	const struct policy *policy;
	const struct rollout *r;
	const char *who; /* NULL: anybody */
	int step;
	char *text; /* why not, ROLLOUT_TEXT_MAX bytes */
};

static const char *refuse(const struct asked *a, const char *fmt, ...)
	PRINTFLIKE(2, 3);

static const char *refuse(const struct asked *a, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(a->text, ROLLOUT_TEXT_MAX, fmt, args);
	va_end(args);
	return a->text;
}

bool rollout_is_going_back(const struct rollout *r)
{
	return rollout_is_reverting(r) || r->refusing || r->undoing ||
	       r->stopping;
}

static const char *gate_refuses(const struct asked *a)
{
	if (!a->r->gate_deadline_ms)
		return refuse(a, "no gate is open: the rollout is %s",
			phase_name(a->r->phase));
	if (a->step >= 0 && a->step != a->r->step)
		return refuse(a, "it was meant for step %d, but step %d waits",
			a->step + 1, a->r->step + 1);
	return NULL;
}

static size_t find_approver(const struct approval *approval, const char *who)
{
	size_t i;

	for (i = 0; i < approval->n_approvers; i++) {
		if (strcmp(approval->approvers[i], who) == 0)
			break;
	}
	return i;
}

static const char *approve_refuses(const struct asked *a)
{
	const struct approval *approval;
	const char *why = gate_refuses(a);
	size_t i;

	if (why || !a->who)
		return why;
	approval = a->policy->steps[a->r->step].approval;
	i = find_approver(approval, a->who);
	if (i == approval->n_approvers)
		return refuse(a, "%s is not among the approvers of this step",
			a->who);
	if (!approval->self_approval && strcmp(a->who, a->r->starter) == 0)
		return refuse(a,
			"%s started the rollout and the policy does not say "
			"self_approval",
			a->who);
	if (rollout_approvals(a->r, a->r->now_ms) & UINT64_C(1) << i)
		return refuse(a, "%s has approved this step already", a->who);
	return NULL;
}

static const char *pause_refuses(const struct asked *a)
{
	const struct rollout *r = a->r;

	if (rollout_is_paused(r))
		return refuse(a, "it is paused already");
	if (rollout_is_going_back(r))
		return refuse(a, "it is %s", phase_name(r->phase));
	if (r->step >= 0 && (size_t)r->step == a->policy->n_steps)
		return refuse(a, "every step has passed, nothing is left to "
				 "pause");
	return NULL;
}

static const char *continue_held_refuses(const struct asked *a)
{
	const struct rollout *r = a->r;

	if (r->cause == CAUSE_HOOK || r->cause == CAUSE_SLO ||
		rollout_is_paused(r))
		return NULL;
	if (r->cause == CAUSE_APPROVAL)
		return refuse(a, "it waits for approvals: approve or abort");
	if (r->cause == CAUSE_DRIFT)
		return refuse(a,
			"it goes on by itself when the candidate has its "
			"%d %% again (abort takes it back)",
			r->traffic.set.candidate);
	return refuse(a,
		"it goes on by itself when the evidence is there; what was "
		"not evaluated is not promoted (abort takes it back)");
}

static const char *continue_refuses(const struct asked *a)
{
	if (a->r->phase == PHASE_HELD)
		return continue_held_refuses(a);
	if (a->r->phase == PHASE_PAUSED || a->r->pause_wanted ||
		a->r->freeze_ms)
		return NULL;
	return refuse(a, "it is neither paused nor held");
}

static const char *abort_refuses(const struct asked *a)
{
	if (rollout_is_going_back(a->r))
		return refuse(a, "it is going back already (%s)",
			phase_name(a->r->phase));
	return NULL;
}

const char *rollout_refuses(const struct policy *policy,
	const struct rollout *rollout, enum verb verb, int step,
	const char *who, char text[ROLLOUT_TEXT_MAX])
{
	const struct asked a = {policy, rollout, who, step, text};

	if (phase_is_end(rollout->phase))
		return refuse(&a, "the rollout has ended: %s",
			phase_name(rollout->phase));
	if (!rollout->started_ms)
		return refuse(&a, "it has not started yet");
	if (rollout->stopping)
		return refuse(&a, "it is ending: %s", rollout->reason);
	switch (verb) {
	case VERB_APPROVE:
		return approve_refuses(&a);
	case VERB_REJECT:
		return gate_refuses(&a);
	case VERB_PAUSE:
		return pause_refuses(&a);
	case VERB_CONTINUE:
		return continue_refuses(&a);
	case VERB_ABORT:
		return abort_refuses(&a);
	case VERBS:
		break;
	}
	return NULL;
}

/* ---- what it does ---- */

static void approve(struct turn *t)
{
	const struct approval *approval = step_now(t)->approval;
	size_t i = find_approver(approval, t->event->who);

	if (t->now >= t->r->approved_until_ms)
		t->r->approvals = 0; /* they have expired */
	/* All count until the first of them is too old. */
	if (!t->r->approvals)
		t->r->approved_until_ms = t->now + approval->timeout_ms;
	t->r->approvals |= UINT64_C(1) << i;
}

/* "rejected by alice: why" */
static void say_who(
	const struct turn *t, const char *done, char reason[ROLLOUT_TEXT_MAX])
{
	const char *comment = t->event->text ? t->event->text : "";

	text_put(reason, ROLLOUT_TEXT_MAX, "%s by %s%s%s", done, t->event->who,
		*comment ? ": " : "", comment);
}

static void reject(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	say_who(t, "rejected", reason);
	rollout_revert(t, CAUSE_PERSON, reason);
}

/* The hold stays: a person cannot end it. */
static void take_back_pause(struct turn *t)
{
	struct rollout *r = t->r;

	r->pause_wanted = false;
	if (r->held_from == PHASE_PAUSED)
		r->held_from = r->paused_from;
	turn_note(t, NOTE_WARNING, "it is paused no more, and still held: %s",
		r->reason);
}

static void continue_held(struct turn *t)
{
	switch (t->r->cause) {
	case CAUSE_HOOK:
		rollout_go_on(t);
		t->r->held_ms = 0; /* somebody has resolved it */
		break;
	case CAUSE_SLO:
		/* Overruled: they have to earn their passes once more. */
		checks_reset(t);
		t->r->failed_slo = -1;
		rollout_go_on(t);
		t->r->held_ms = 0;
		break;
	default:
		take_back_pause(t);
	}
}

bool rollout_is_frozen(const struct rollout *r)
{
	return r->freeze_ms && !rollout_is_paused(r) && r->phase != PHASE_HELD;
}

/* Until its end, also where another window follows that was not seen. */
static void overrule_freeze(struct turn *t)
{
	t->r->freeze_over_ms = t->r->freeze_ms + t->r->wall_lead_ms;
	turn_note(t, NOTE_WARNING, "the freeze is overruled by %s: %s",
		t->event->who, t->event->text);
}

static void continue_(struct turn *t)
{
	if (t->r->phase == PHASE_PAUSED)
		rollout_go_on(t);
	else if (t->r->phase == PHASE_HELD)
		continue_held(t);
	else if (t->r->pause_wanted)
		t->r->pause_wanted = false;
	else
		overrule_freeze(t);
}

static void abort_(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	say_who(t, "aborted", reason);
	if (rollout_may_refuse(t->r))
		rollout_refuse(t, CAUSE_PERSON, reason);
	else
		rollout_revert(t, CAUSE_PERSON, reason);
}

void command_take(struct turn *t)
{
	const struct event *e = t->event;

	t->out->refused = rollout_refuses(
		t->policy, t->r, e->verb, e->step, e->who, t->out->refusal);
	if (!t->out->refused && e->verb == VERB_CONTINUE &&
		rollout_is_frozen(t->r) && (!e->text || !*e->text)) {
		t->out->refused = true;
		text_set(t->out->refusal, sizeof(t->out->refusal),
			"a freeze is overruled with a comment that says why");
	}
	if (t->out->refused) {
		turn_note(t, NOTE_REFUSED, "%s by %s: %s", verb_name(e->verb),
			e->who, t->out->refusal);
		return;
	}
	switch (e->verb) {
	case VERB_APPROVE:
		approve(t);
		break;
	case VERB_REJECT:
		reject(t);
		break;
	case VERB_PAUSE:
		/* A hold may end by itself, a pause does not: what is held is
		 * paused as well, and stays so when the hold ends. */
		t->r->pause_wanted = true;
		break;
	case VERB_CONTINUE:
		continue_(t);
		break;
	case VERB_ABORT:
		abort_(t);
		break;
	case VERBS:
		break;
	}
}
