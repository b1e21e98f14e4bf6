/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate upwards. Everything that forbids a candidate more traffic is asked
 * here and nowhere else; the one place that writes (rollout_traffic.c) obeys.
 */
#include "base/timestamp.h"
#include "engine/turn.h"

static const struct approval *find_gate(
	const struct policy *policy, const struct rollout *r)
{
	return r->step >= 0 && (size_t)r->step < policy->n_steps
		       ? policy->steps[r->step].approval
		       : NULL;
}

bool rollout_gate_is_passed(
	const struct policy *policy, const struct rollout *r)
{
	const struct approval *approval = find_gate(policy, r);

	return !approval ||
	       __builtin_popcountll(r->approvals) >= approval->minimum;
}

static const char *approval_misses(
	const struct policy *policy, const struct rollout *r, int64_t now_ms)
{
	if (!find_gate(policy, r))
		return NULL;
	if (!rollout_gate_is_passed(policy, r))
		return "the step is not approved";
	return now_ms < r->approved_until_ms ? NULL
					     : "the approval has expired";
}

/* Until when, by the wall clock as it is set now; 0: it is not frozen, or a
 * person has overruled that. */
static int64_t frozen_until(
	const struct policy *policy, const struct rollout *r, int64_t now_ms)
{
	int64_t wall_ms = now_ms + r->wall_lead_ms;

	if (!policy->freeze.n || wall_ms < r->freeze_over_ms)
		return 0;
	return freeze_until_ms(&policy->freeze, wall_ms);
}

/* A step whose traffic was written, and may have got there, is begun, and one
 * that serves is set back when others changed it: neither goes forward. */
static bool goes_forward(const struct policy *policy, const struct rollout *r)
{
	if (r->phase == PHASE_SHIFTING)
		return (size_t)r->step < policy->n_steps &&
		       traffic_is_unwritten(r);
	if (r->phase == PHASE_AWAITING_APPROVAL)
		return true;
	return r->step + 1 < (int)policy->n_steps;
}

bool freeze_waits(struct turn *t)
{
	struct rollout *r = t->r;
	const struct approval *approval = find_gate(t->policy, r);
	int64_t until_wall_ms = frozen_until(t->policy, r, t->now);
	int64_t until_ms = until_wall_ms - r->wall_lead_ms;
	char time[TIMESTAMP_TEXT_MAX];

	if (!until_wall_ms || !goes_forward(t->policy, r))
		return false;
	r->freeze_ms = until_ms;
	r->traffic.write.blocked_ms = 0;
	turn_wake(t, until_ms);
	if (r->approved_until_ms && r->approved_until_ms < until_ms)
		r->approved_until_ms = until_ms;
	if (r->gate_deadline_ms && approval &&
		r->gate_deadline_ms < until_ms + approval->timeout_ms)
		r->gate_deadline_ms = until_ms + approval->timeout_ms;
	if (r->freeze_said_ms != until_wall_ms)
		turn_note(t, NOTE_WARNING,
			"a freeze lasts until %s: nothing goes forward before, "
			"unless somebody says `continue` and why",
			timestamp_print(until_wall_ms, time));
	r->freeze_said_ms = until_wall_ms;
	return true;
}

/* What others took from a candidate it was given before: people have no say in
 * that again, whether they are asked for the next step or have let this one pass. */
static bool sets_back(const struct rollout *r)
{
	const struct traffic_intent *intent = &r->traffic.write.intent;

	return r->traffic.write.state == WRITER_WANTS && intent->reassert &&
	       intent->percent <= r->traffic.set.candidate;
}

/* All but what the SLOs say; *asks_r: they have to be asked, too. */
static const char *forbids(const struct policy *policy, const struct rollout *r,
	int64_t now_ms, bool *asks_r)
{
	*asks_r = false;
	if (r->phase != PHASE_SHIFTING && r->phase != PHASE_BAKING &&
		r->phase != PHASE_AWAITING_APPROVAL &&
		!(r->phase == PHASE_PREFLIGHT && sets_back(r)))
		return phase_name(r->phase);
	if (r->resuming)
		return "the service was not read since the rollout was taken "
		       "up";
	if (r->pause_wanted)
		return "a person paused the rollout";
	if (r->traffic.stable_state == STABLE_NOT_READY ||
		r->traffic.stable_state == STABLE_GONE)
		return "the stable revision is not there to go back to";
	if (traffic_is_doubtful(r))
		return "traffic is not what was last set";
	*asks_r = r->checking;
	if (sets_back(r))
		return NULL;
	if (r->phase != PHASE_BAKING && goes_forward(policy, r) &&
		frozen_until(policy, r, now_ms)) {
		*asks_r = false;
		return "a freeze lasts";
	}
	return approval_misses(policy, r, now_ms);
}

const char *may_raise(
	const struct policy *policy, const struct rollout *r, int64_t now_ms)
{
	bool asks;
	const char *why = forbids(policy, r, now_ms, &asks);

	return why || !asks ? why : checks_miss(policy, r, now_ms);
}

/* Only what raises is asked for: a way down is never overtaken. */
const char *may_still_write(const struct policy *policy,
	const struct rollout *r, const struct effect *write, int64_t now_ms)
{
	const struct traffic_writer *w = &r->traffic.write;

	if (write->percent <= r->traffic.spec.candidate &&
		write->percent <= r->traffic.serving.candidate)
		return NULL;
	if (w->state != WRITER_WANTS || w->intent.percent != write->percent)
		return "it is not wanted any more";
	/* A disk may have been slow: it is the first write of its step, or none
	 * before it has got there. */
	if (r->phase == PHASE_SHIFTING && !sets_back(r) &&
		(w->rounds <= 1 || !w->arrived) &&
		(size_t)r->step < policy->n_steps &&
		frozen_until(policy, r, now_ms))
		return "a freeze lasts";
	return may_raise(policy, r, now_ms);
}

const char *gate_say_closed(const struct turn *t, char text[ROLLOUT_TEXT_MAX])
{
	bool asks;
	const char *why = forbids(t->policy, t->r, t->now, &asks);

	if (!why && asks)
		return checks_say_missing(t->policy, t->r, t->now, text);
	if (why)
		text_set(text, ROLLOUT_TEXT_MAX, why);
	return why ? text : NULL;
}
