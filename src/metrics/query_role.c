/* SPDX-License-Identifier: Apache-2.0 */
/* The roles of queries; see query_role.h. */
#include "metrics/query_role.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/promql.h"

#define DELTA_MS 60000 /* from one sample of such a metric to the next */

struct names {
	const char *usual, *latency; /* of an SLO with `buckets` */
};

const char *query_role_name(const struct slo *slo, enum query_role role)
{
	static const struct names names[QUERY_ROLES] = {
		[QUERY_VALUE] = {"query"},
		[QUERY_BASELINE] = {"baseline"},
		[QUERY_REQUESTS] = {"requests"},
		[QUERY_TOTAL] = {"total", "buckets"},
		[QUERY_TOTAL_STABLE] = {"baseline-total", "baseline-buckets"},
		[QUERY_BAD] = {"bad"},
		[QUERY_BAD_STABLE] = {"baseline-bad"},
	};
	const struct names *name = &names[role];

	return slo->buckets && name->latency ? name->latency : name->usual;
}

bool query_role_counts(enum query_role role)
{
	return role >= QUERY_TOTAL && role < QUERY_ROLES;
}

/* The role whose query it is: stable is asked the candidate's again. */
static enum query_role source_of(const struct slo *slo, enum query_role role)
{
	switch (role) {
	case QUERY_BASELINE:
		return slo->compare_stable ? QUERY_VALUE : role;
	case QUERY_TOTAL_STABLE:
		return QUERY_TOTAL;
	case QUERY_BAD_STABLE:
		return QUERY_BAD;
	default:
		return role;
	}
}

const char *query_role_text(const struct slo *slo, enum query_role role)
{
	switch (source_of(slo, role)) {
	case QUERY_VALUE:
		return slo->query;
	case QUERY_BASELINE:
		return slo->baseline;
	case QUERY_TOTAL:
		return slo->buckets ? slo->buckets : slo->total;
	case QUERY_BAD:
		return slo->bad;
	default:
		return slo->requests;
	}
}

const struct json_question *query_role_question(
	const struct slo *slo, enum query_role role)
{
	switch (source_of(slo, role)) {
	case QUERY_VALUE:
		return &slo->json->value;
	case QUERY_BASELINE:
		return &slo->json->baseline;
	default:
		return &slo->json->requests;
	}
}

const char *query_role_revision(
	enum query_role role, const char *candidate, const char *stable)
{
	return role == QUERY_BASELINE || role == QUERY_TOTAL_STABLE ||
			       role == QUERY_BAD_STABLE
		       ? stable
		       : candidate;
}

int64_t query_role_delta_ms(const struct slo *slo)
{
	int64_t minutes = slo->interval_ms / DELTA_MS;

	if (!slo_counts_by_the_minute(slo))
		return 0;
	return (minutes ? minutes : 1) * DELTA_MS;
}

static void render_delta(const struct slo *slo, const char *text,
	const struct template_values *values, struct buf *out)
{
	char *selector = xmemdup0(text, promql_len(text));

	buf_adds(out, "increase(");
	template_render(out, selector, values, ESCAPE_PROMQL);
	buf_addf(out, "[%llds])", (long long)query_role_delta_ms(slo) / 1000);
	free(selector);
}

void query_role_render(const struct slo *slo, enum query_role role,
	const struct template_values *values, struct buf *out)
{
	if (query_role_counts(role) && query_role_delta_ms(slo)) {
		render_delta(slo, query_role_text(slo, role), values, out);
		return;
	}
	template_render(out, query_role_text(slo, role), values,
		slo->json ? ESCAPE_NONE : ESCAPE_PROMQL);
}
