/* Series and their queries; see series.h. */
#include "sim/series.h"

#include <stdio.h>

#include "base/duration.h"
#include "base/service_name.h"
#include "policy/template.h"

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
	const struct slo *slo, enum query_role kind, char name[SERIES_NAME_MAX])
{
	static const char *const suffix[QUERY_ROLES] = {
		"", "/baseline", "/requests"};

	snprintf(name, SERIES_NAME_MAX, "%s%s", slo->name, suffix[kind]);
	return name;
}

const char *series_text(const struct slo *slo, enum query_role kind)
{
	switch (kind) {
	case QUERY_VALUE:
		return slo->query;
	case QUERY_BASELINE:
		return slo->baseline         ? slo->baseline
		       : slo->compare_stable ? slo->query
					     : NULL;
	default:
		return slo->requests;
	}
}

void series_render(const struct slo *slo, enum query_role kind,
	const struct series_context *context, struct buf *out)
{
	char window[DURATION_TEXT_MAX] = "";
	struct template_values values = {
		.candidate = context->candidate,
		.stable = context->stable,
		.revision = kind == QUERY_BASELINE ? context->stable
						   : context->candidate,
		.service = context->service,
		.project = context->project,
		.region = context->region,
		.rollout = context->rollout,
		.window = window,
	};

	if (slo->window_ms)
		duration_print(slo->window_ms, window);
	template_render(out, series_text(slo, kind), &values,
		slo->json ? ESCAPE_NONE : ESCAPE_PROMQL);
}
