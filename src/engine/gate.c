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

const char *may_raise(
	const struct policy *policy, const struct rollout *r, int64_t now_ms)
{
	const char *why;

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
	why = approval_misses(policy, r, now_ms);
	/* Before its first users there is no evidence to ask for. */
	if (why || !r->checking || r->settle_ms == INT64_MAX)
		return why;
	return checks_miss(policy, r, now_ms);
}
