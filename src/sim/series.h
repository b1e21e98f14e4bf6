/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queries of a policy as the series of a recording: what they are called
 * ("error-rate", "error-rate/baseline", "error-rate/requests") and how they are
 * asked. Pure.
 */
#ifndef TIDEGATE_SIM_SERIES_H
#define TIDEGATE_SIM_SERIES_H

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/query_role.h"
#include "policy/policy.h"

#define SERIES_NAME_MAX (POLICY_NAME_MAX + 16)

/* Whose queries they are; NULL: not known. */
struct series_context {
	const char *project, *region;
	const char *service; /* short */
	const char *candidate, *stable, *rollout;
};

/* `name` is a short name, or a full one, which gives all three. */
void series_take_service(
	struct series_context *context, const char *name, struct arena *arena);

/* Returns `name`. */
const char *series_name(const struct slo *slo, enum query_role role,
	char name[SERIES_NAME_MAX]);

/* Appends the query as `run` would ask it. */
void series_render(const struct slo *slo, enum query_role role,
	const struct series_context *context, struct buf *out);

#endif
