/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service had lately, for `tidegate plan`: stable's past as preflight
 * looks at it, and nothing else of it. Only reads.
 */
#ifndef TIDEGATE_CLI_PLAN_MEASURE_H
#define TIDEGATE_CLI_PLAN_MEASURE_H

#include "cli/context.h"
#include "engine/evidence_memory.h"

struct plan_measured {
	struct slo_history history[POLICY_SLOS_MAX];
	size_t n;
};

/* What keeps it from measuring is told on stderr; nothing measured at all is a
 * failure. The target's flags, beside the policy. */
MUST_CHECK int plan_measure(const struct policy *policy,
	const struct context_target *target, struct plan_measured *measured_r,
	struct err *err_r);

#endif
