/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which query of an SLO is asked about whom: one table for what is asked live,
 * recorded, and simulated. Pure.
 */
#ifndef TIDEGATE_METRICS_QUERY_ROLE_H
#define TIDEGATE_METRICS_QUERY_ROLE_H

#include "engine/check.h"
#include "policy/template.h"

/* "query", "baseline", "requests", "total", "baseline-total", "buckets" …: as
 * the policy's keys. */
const char *query_role_name(const struct slo *slo, enum query_role role);

/* What is answered are counters, several series of them. */
bool query_role_counts(enum query_role role);

/* The policy's text, with templates; NULL: the SLO does not ask it. */
const char *query_role_text(const struct slo *slo, enum query_role role);

/* The same for an SLO that asks a JSON API. */
const struct json_question *query_role_question(
	const struct slo *slo, enum query_role role);

/*
 * Metrics of Google's own services are no counters but have a number of events
 * for each minute. Their selector is asked as increase(…) over this span, up to
 * a whole multiple of it, which is exact; 0: raw counters are asked for.
 */
int64_t query_role_delta_ms(const struct slo *slo);

/* Which of the two is the one that is asked about, {{revision}}. */
const char *query_role_revision(
	enum query_role role, const char *candidate, const char *stable);

/* Appends the text as it will be asked. The SLO must ask it. */
void query_role_render(const struct slo *slo, enum query_role role,
	const struct template_values *values, struct buf *out);

#endif
