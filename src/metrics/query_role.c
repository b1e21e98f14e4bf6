/* The roles of queries; see query_role.h. */
#include "metrics/query_role.h"

const char *query_role_name(enum query_role role)
{
	static const char *const names[QUERY_ROLES] = {
		[QUERY_VALUE] = "query",
		[QUERY_BASELINE] = "baseline",
		[QUERY_REQUESTS] = "requests",
	};

	return names[role];
}

/* The role whose query it is: `compare: stable` asks for the value again. */
static enum query_role source_of(const struct slo *slo, enum query_role role)
{
	return role == QUERY_BASELINE && slo->compare_stable ? QUERY_VALUE
							     : role;
}

const char *query_role_text(const struct slo *slo, enum query_role role)
{
	switch (source_of(slo, role)) {
	case QUERY_VALUE:
		return slo->query;
	case QUERY_BASELINE:
		return slo->baseline;
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
	return role == QUERY_BASELINE ? stable : candidate;
}

void query_role_render(const struct slo *slo, enum query_role role,
	const struct template_values *values, struct buf *out)
{
	template_render(out, query_role_text(slo, role), values,
		slo->json ? ESCAPE_NONE : ESCAPE_PROMQL);
}
