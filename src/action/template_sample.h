/* SPDX-License-Identifier: Apache-2.0 */
/* Plausible values of all templates, for checking actions before a rollout. */
#ifndef TIDEGATE_ACTION_TEMPLATE_SAMPLE_H
#define TIDEGATE_ACTION_TEMPLATE_SAMPLE_H

#include "policy/template.h"

static const struct template_values template_sample = {
	.candidate = "service-00002-abc",
	.stable = "service-00001-xyz",
	.revision = "service-00002-abc",
	.candidate_url = "https://candidate---service-abc-uc.a.run.app",
	.service = "service",
	.project = "project",
	.region = "us-central1",
	.window = "2m",
	.percent = "10",
	.rollout = "service-20260101-000000-0000",
	.reason = "a reason",
};

#endif
