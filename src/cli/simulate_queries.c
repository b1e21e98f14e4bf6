/* SPDX-License-Identifier: Apache-2.0 */
/* Is what a recording answers what the policy asks? See simulate.h. */
#include <string.h>

#include "cli/output.h"
#include "cli/simulate.h"

#define QUERY_BYTES_MAX (256 * 1024)

const char *simulate_query(const struct recording *recording,
	const struct policy *policy, const struct slo *slo,
	enum query_role kind, struct arena *arena)
{
	const struct series_context context = {
		.project = recording->project ? recording->project
					      : policy->project,
		.region =
			recording->region ? recording->region : policy->region,
		.service = *recording->service ? recording->service
					       : policy->service,
		.candidate = recording->candidate,
		.stable = recording->stable,
		.rollout = recording->rollout,
	};
	const char *text;
	struct buf query;

	if (!query_role_text(slo, kind))
		return NULL;
	buf_init(&query, QUERY_BYTES_MAX);
	series_render(slo, kind, &context, &query);
	text = arena_strdup(arena, query.data);
	buf_fini(&query);
	return text;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* Alike but for blanks: YAML folds lines as it likes. */
static bool are_alike(const char *a, const char *b)
{
	for (;; a++, b++) {
		a = skip_blanks(a);
		b = skip_blanks(b);
		if (*a != *b || !*a)
			break;
	}
	return !*skip_blanks(a) && !*skip_blanks(b);
}

static bool has_changed(const struct policy *policy,
	const struct recording *recording, const struct slo *slo,
	enum query_role kind)
{
	const struct recording_series *series;
	char name[SERIES_NAME_MAX];
	struct arena arena;
	const char *query;
	bool changed;

	series = recording_find(recording, series_name(slo, kind, name));
	if (!series || !series->query || !*recording->candidate)
		return false;
	arena_init(&arena);
	query = simulate_query(recording, policy, slo, kind, &arena);
	changed = query && !are_alike(query, series->query);
	arena_fini(&arena);
	return changed;
}

bool simulate_changed_query(const struct policy *policy,
	const struct recording *recording, size_t *at,
	char name[SERIES_NAME_MAX])
{
	const struct slo *slo;
	enum query_role kind;

	for (; *at < policy->n_slos * QUERY_ROLES; ++*at) {
		slo = &policy->slos[*at / QUERY_ROLES];
		kind = (enum query_role)(*at % QUERY_ROLES);
		if (!has_changed(policy, recording, slo, kind))
			continue;
		++*at;
		series_name(slo, kind, name);
		return true;
	}
	return false;
}

void simulate_warn_of_queries(
	const struct simulation *simulation, const struct recording *recording)
{
	char name[SERIES_NAME_MAX];
	struct buf text;
	size_t at = 0;

	while (simulate_changed_query(
		simulation->policy, recording, &at, name)) {
		buf_init(&text, ERR_TEXT_MAX);
		buf_addf(&text,
			"warning: %s: the series \"%s\" was recorded with "
			"another query than the policy has now",
			recording->path, name);
		output_error(text.data);
		buf_fini(&text);
	}
}
