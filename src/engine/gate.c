/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate upwards. Everything that forbids a candidate more traffic is asked
 * here and nowhere else; the one place that writes (rollout_traffic.c) obeys.
 */
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

/* All but what the SLOs say; *asks_r: they have to be asked, too. */
static const char *forbids(const struct policy *policy, const struct rollout *r,
	int64_t now_ms, bool *asks_r)
{
	*asks_r = false;
	if (r->phase != PHASE_SHIFTING && r->phase != PHASE_BAKING &&
		r->phase != PHASE_AWAITING_APPROVAL)
		return phase_name(r->phase);
	if (r->resuming)
		return "the service was not read since the rollout was taken "
		       "up";
	if (r->pause_wanted)
		return "a person paused the rollout";
	if (r->traffic.stable_state == STABLE_NOT_READY ||
		r->traffic.stable_state == STABLE_GONE)
		return "the stable revision is not there to go back to";
	/* Before its first users there is no evidence to ask for. */
	*asks_r = r->checking && r->settle_ms != INT64_MAX;
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
