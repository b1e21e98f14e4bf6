/*
 * The queries of a policy as the series of a recording: what they are called
 * and how they are asked. Pure.
 */
#ifndef TIDEGATE_SIM_SERIES_H
#define TIDEGATE_SIM_SERIES_H

#include "base/buf.h"
#include "policy/policy.h"

#define SERIES_NAME_MAX (POLICY_NAME_MAX + 16)

enum series_kind {
	SERIES_VALUE, /* "error-rate" */
	SERIES_BASELINE, /* "error-rate/baseline" */
	SERIES_REQUESTS, /* "error-rate/requests" */
	SERIES_KINDS
};

/* Whose queries they are; NULL: not known. */
struct series_context {
	const char *project, *region;
	const char *service; /* short */
	const char *candidate, *stable, *rollout;
};

/* Returns `name`. */
const char *series_name(const struct slo *slo, enum series_kind kind,
	char name[SERIES_NAME_MAX]);

/* The text of the policy, with templates; NULL: the SLO does not ask it. */
const char *series_text(const struct slo *slo, enum series_kind kind);

/* Appends the query as `run` would ask it. */
void series_render(const struct slo *slo, enum series_kind kind,
	const struct series_context *context, struct buf *out);

#endif
