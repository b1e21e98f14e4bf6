/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the answers lack before the candidate may get more: for the gate, and in
 * words for people.
 */
#include <stdio.h>

#include "engine/turn.h"

/* The candidate was given users, and its split has not been seen serving: no
 * step has any evidence yet. */
static bool is_before_evidence(const struct rollout *r)
{
	return r->settle_ms == INT64_MAX;
}

static bool is_too_old(
	const struct slo *slo, const struct check_state *check, int64_t now_ms)
{
	return !check->latest_ms ||
	       now_ms - check->latest_ms > check_look_ms_max(slo);
}

/* Without users there is nothing to ask for, but what is known against it
 * counts. Once it was seen to have some, by whose doing ever, there is: each
 * latest answer has to be a pass. They are not counted before the settle. */
static const char *early_miss(const struct rollout *r, const struct slo *slo,
	const struct check_state *check, int64_t now_ms)
{
	if (check->failed ||
		(check->outcome == OUTCOME_BREACH && !check->latest_passes))
		return "an SLO is breached";
	if (!r->served)
		return NULL;
	if (!check->latest_passes)
		return "not every SLO passes";
	return is_too_old(slo, check, now_ms)
		       ? "the last answer of an SLO is too old"
		       : NULL;
}

static const char *first_users_miss(
	const struct policy *policy, const struct rollout *r, int64_t now_ms)
{
	const char *why = NULL;
	size_t i;

	for (i = 0; i < policy->n_slos && !why; i++) {
		if (r->check[i].errors >= CHECK_ERRORS_MAX)
			return "metrics are in trouble";
		why = early_miss(r, &policy->slos[i], &r->check[i], now_ms);
	}
	return why;
}

const char *checks_miss(
	const struct policy *policy, const struct rollout *r, int64_t now_ms)
{
	const struct check_state *check = r->check;
	const struct slo *slo = policy->slos;
	size_t i;

	if (is_before_evidence(r))
		return first_users_miss(policy, r, now_ms);
	for (i = 0; i < policy->n_slos; i++, check++, slo++) {
		if (check->errors >= CHECK_ERRORS_MAX)
			return "metrics are in trouble";
		if (!check_is_satisfied(slo, check))
			return "not every SLO passes";
		if (is_too_old(slo, check, now_ms))
			return "the last answer of an SLO is too old";
	}
	return evidence_misses(policy, r);
}

int rollout_passes(const struct rollout *state, size_t slo)
{
	return state->bake_from_ms ? state->check[slo].passes : 0;
}

/* What the answers of an SLO lack, whatever they say together. */
static const char *answers_miss(const struct policy *policy,
	const struct rollout *state, size_t slo, int64_t now_ms,
	char text[ROLLOUT_MISS_MAX])
{
	const struct check_state *check = &state->check[slo];
	const struct slo *of = &policy->slos[slo];
	bool early = is_before_evidence(state);
	int passes = rollout_passes(state, slo);

	if (check->errors >= CHECK_ERRORS_MAX)
		snprintf(text, ROLLOUT_MISS_MAX,
			"metrics are in trouble, %d errors in a row",
			check->errors);
	else if (early && !early_miss(state, of, check, now_ms))
		return NULL;
	else if (early && check->failed)
		snprintf(text, ROLLOUT_MISS_MAX, "it was breached");
	else if (!early && passes < of->min_passes)
		snprintf(text, ROLLOUT_MISS_MAX,
			"%d of %d passes, the latest answer is %s", passes,
			of->min_passes, outcome_name(check->outcome));
	else if (early ? !check->latest_passes : !check_is_satisfied(of, check))
		snprintf(text, ROLLOUT_MISS_MAX, "the latest answer is %s",
			outcome_name(check->outcome));
	else if (is_too_old(of, check, now_ms))
		snprintf(text, ROLLOUT_MISS_MAX, "the last answer is too old");
	else
		return NULL;
	return text;
}

const char *rollout_misses(const struct policy *policy,
	const struct rollout *state, size_t slo, int64_t now_ms,
	char text[ROLLOUT_MISS_MAX])
{
	if (answers_miss(policy, state, slo, now_ms, text))
		return text;
	return is_before_evidence(state)
		       ? NULL
		       : evidence_misses_of(policy, state, slo, text);
}

const char *checks_say_missing(const struct policy *policy,
	const struct rollout *r, int64_t now_ms, char text[ROLLOUT_TEXT_MAX])
{
	char miss[ROLLOUT_MISS_MAX];
	size_t i;

	for (i = 0; i < policy->n_slos; i++) {
		if (!answers_miss(policy, r, i, now_ms, miss))
			continue;
		text_put(text, ROLLOUT_TEXT_MAX, "%s: %s", policy->slos[i].name,
			miss);
		return text;
	}
	return is_before_evidence(r) ? NULL
				     : evidence_say_missing(policy, r, text);
}
