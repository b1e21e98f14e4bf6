/* SPDX-License-Identifier: Apache-2.0 */
/* Series and their queries; see series.h. */
#include "sim/series.h"

#include <stdio.h>

#include "base/duration.h"
#include "base/service_name.h"
#include "metrics/query_role.h"

void series_take_service(
	struct series_context *context, const char *name, struct arena *arena)
{
	struct service_name parts;
	struct err is_short;

	if (service_name_parse(&parts, name, arena, &is_short) < 0) {
		context->service = name;
		return;
	}
	context->project = parts.project;
	context->region = parts.region;
	context->service = parts.name;
}

const char *series_name(
	const struct slo *slo, enum query_role role, char name[SERIES_NAME_MAX])
{
	if (role == QUERY_VALUE)
		snprintf(name, SERIES_NAME_MAX, "%s", slo->name);
	else
		snprintf(name, SERIES_NAME_MAX, "%s/%s", slo->name,
			query_role_name(slo, role));
	return name;
}

void series_render(const struct slo *slo, enum query_role role,
	const struct series_context *context, struct buf *out)
{
	char window[DURATION_TEXT_MAX] = "";
	struct template_values values = {
		.candidate = context->candidate,
		.stable = context->stable,
		.revision = query_role_revision(
			role, context->candidate, context->stable),
		.service = context->service,
		.project = context->project,
		.region = context->region,
		.rollout = context->rollout,
		.window = window,
	};

	if (slo->window_ms)
		duration_print(slo->window_ms, window);
	query_role_render(slo, role, &values, out);
}
