/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past as a recording has it, for the SLOs of kind evidence: the
 * values before its start, or what the rollout knew. Pure.
 */
#ifndef TIDEGATE_SIM_SIM_PAST_H
#define TIDEGATE_SIM_SIM_PAST_H

#include "sim/recording.h"

struct sim_past {
	struct slo_history history[POLICY_SLOS_MAX];
	size_t n;
};

/* NULL when the policy has no such SLO. Free it with free(). It is the same
 * for policies that differ in nothing but alpha, harm and their steps. */
struct sim_past *sim_past_new(
	const struct policy *policy, const struct recording *recording);

/* What the recording has of the policy's `history` has too few bad requests of
 * this SLO, and a day of it would say more. */
bool sim_past_is_short(const struct policy *policy,
	const struct recording *recording, int slo);

#endif
