/*
 * Takes an event's facts into the state: answers, commands, interruptions. What
 * follows from them in time is the phases' business (rollout.c).
 */
#include <stdio.h>
#include <string.h>

#include "engine/turn.h"

static void refuse_command(struct turn *t, const char *fmt, ...)
	PRINTFLIKE(2, 3);

static void refuse_command(struct turn *t, const char *fmt, ...)
{
	va_list args;

	t->out->refused = true;
	va_start(args, fmt);
	vsnprintf(t->out->refusal, sizeof(t->out->refusal), fmt, args);
	va_end(args);
	turn_note(t, NOTE_REFUSED, "%s by %s: %s", verb_name(t->event->verb),
		t->event->who, t->out->refusal);
}

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

/* It goes back already, or will in a moment. */
static bool is_going_back(const struct rollout *r)
{
	return rollout_is_reverting(r) || r->refusing || r->undoing ||
	       r->stopping;
}

static bool gate_is_open(const struct rollout *r)
{
	return r->gate_deadline_ms != 0;
}

static bool gate_fits(struct turn *t)
{
	if (!gate_is_open(t->r)) {
		refuse_command(t, "no gate is open: the rollout is %s",
			phase_name(t->r->phase));
		return false;
	}
	if (t->event->step >= 0 && t->event->step != t->r->step) {
		refuse_command(t, "it was meant for step %d, but step %d waits",
			t->event->step + 1, t->r->step + 1);
		return false;
	}
	return true;
}

static void approve(struct turn *t)
{
	const struct approval *approval;
	size_t i;

	if (!gate_fits(t))
		return;
	approval = t->policy->steps[t->r->step].approval;
	for (i = 0; i < approval->n_approvers; i++) {
		if (strcmp(approval->approvers[i], t->event->who) == 0)
			break;
	}
	if (i == approval->n_approvers)
		refuse_command(t, "%s is not among the approvers of this step",
			t->event->who);
	else if (!approval->self_approval &&
		 strcmp(t->event->who, t->r->starter) == 0)
		refuse_command(t,
			"%s started the rollout and the policy does not say "
			"self_approval",
			t->event->who);
	else if (t->r->approvals & UINT64_C(1) << i)
		refuse_command(
			t, "%s has approved this step already", t->event->who);
	else
		t->r->approvals |= UINT64_C(1) << i;
	if (!t->out->refused)
		t->r->approved_until_ms = t->now + approval->timeout_ms;
}

static void reject(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	if (!gate_fits(t))
		return;
	text_put(reason, sizeof(reason), "rejected by %s%s%s", t->event->who,
		t->event->text && *t->event->text ? ": " : "",
		t->event->text ? t->event->text : "");
	rollout_revert(t, CAUSE_PERSON, reason);
}

/* A hold may end by itself, a pause does not: what is held is paused as well,
 * and stays so when the hold ends. */
static void pause(struct turn *t)
{
	if (rollout_is_paused(t->r))
		refuse_command(t, "it is paused already");
	else if (is_going_back(t->r))
		refuse_command(t, "it is %s", phase_name(t->r->phase));
	else if (rollout_is_finishing(t))
		refuse_command(t, "every step has passed, nothing is left to "
				  "pause");
	else
		t->r->pause_wanted = true;
}

/* The hold stays: a person cannot end it. */
static bool take_back_pause(struct turn *t)
{
	struct rollout *r = t->r;

	if (!rollout_is_paused(r))
		return false;
	r->pause_wanted = false;
	if (r->held_from == PHASE_PAUSED)
		r->held_from = r->paused_from;
	turn_note(t, NOTE_WARNING, "it is paused no more, and still held: %s",
		r->reason);
	return true;
}

static void continue_held(struct turn *t)
{
	switch (t->r->cause) {
	case CAUSE_HOOK:
		rollout_go_on(t);
		break;
	case CAUSE_SLO:
		/* Overruled: they have to earn their passes once more. */
		checks_reset(t);
		t->r->failed_slo = -1;
		t->r->held_ms = 0;
		rollout_go_on(t);
		break;
	case CAUSE_APPROVAL:
		if (!take_back_pause(t))
			refuse_command(t, "it waits for approvals: approve or "
					  "abort");
		break;
	default:
		if (!take_back_pause(t))
			refuse_command(t,
				"it goes on by itself when the evidence is "
				"there; what was not evaluated is not promoted "
				"(abort takes it back)");
	}
}

static void continue_(struct turn *t)
{
	if (t->r->phase == PHASE_PAUSED) {
		rollout_go_on(t);
	} else if (t->r->phase == PHASE_HELD) {
		continue_held(t);
	} else if (t->r->pause_wanted) {
		t->r->pause_wanted = false;
	} else {
		refuse_command(t, "it is neither paused nor held");
	}
}

static void abort_(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	text_put(reason, sizeof(reason), "aborted by %s%s%s", t->event->who,
		t->event->text && *t->event->text ? ": " : "",
		t->event->text ? t->event->text : "");
	if (is_going_back(t->r))
		refuse_command(t, "it is going back already (%s)",
			phase_name(t->r->phase));
	else if (!t->r->begun)
		rollout_refuse(t, CAUSE_PERSON, reason);
	else
		rollout_revert(t, CAUSE_PERSON, reason);
}

static void take_command(struct turn *t)
{
	if (!t->r->started_ms) {
		refuse_command(t, "it has not started yet");
		return;
	}
	if (t->r->stopping) {
		refuse_command(t, "it is ending: %s", t->r->reason);
		return;
	}
	switch (t->event->verb) {
	case VERB_APPROVE:
		approve(t);
		break;
	case VERB_REJECT:
		reject(t);
		break;
	case VERB_PAUSE:
		pause(t);
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

static void take_interrupt(struct turn *t)
{
	char reason[ROLLOUT_TEXT_MAX];

	if (is_going_back(t->r) || rollout_is_finishing(t)) {
		turn_note(t, NOTE_WARNING,
			"%s: what is under way is finished first",
			t->event->text);
		return;
	}
	if (t->event->leave) {
		t->r->leaving = true;
		return;
	}
	text_put(reason, sizeof(reason), "interrupted by %s", t->event->text);
	if (!t->r->begun)
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
		gap_ms > checks_gap_ms_max(t))
		turn_note(t, NOTE_WARNING,
			"nothing was watched for %lld s: that time does not "
			"count",
			(long long)(gap_ms / 1000));
}

/* Whoever set the clock may have set it right or wrong: what was asked about a
 * moment of the clock before is no evidence of now. */
static void take_timer(struct turn *t)
{
	if (!t->event->clock_set || !t->r->checking ||
		rollout_is_reverting(t->r))
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
		take_command(t);
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
