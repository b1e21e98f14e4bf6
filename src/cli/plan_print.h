/* SPDX-License-Identifier: Apache-2.0 */
/* What a policy would catch, for people and for programs; see cmd_plan.c. */
#ifndef TIDEGATE_CLI_PLAN_PRINT_H
#define TIDEGATE_CLI_PLAN_PRINT_H

#include "base/buf.h"
#include "engine/forecast.h"

void plan_print_text(const struct policy *policy,
	const struct forecast *forecast, struct buf *out);
void plan_print_json(const struct policy *policy,
	const struct forecast *forecast, struct buf *out);

/* For `check`: what is known without a service, … */
void plan_print_short(const struct policy *policy, struct buf *out);
/* … and with one: its histories, of SLOs of kind evidence, in a few lines. Both
 * print nothing when nothing is known. */
void plan_print_measured(const struct policy *policy,
	const struct slo_history *histories, size_t n, struct buf *out);

#endif
