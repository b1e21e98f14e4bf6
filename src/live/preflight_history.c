/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past for SLOs of kind evidence, one after the other: what a rollout
 * then takes for normal. Without one it goes on, and is slower to tell; a query
 * that can never have one is refused. See preflight_parts.h.
 */
#include <stdlib.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "live/preflight_parts.h"
#include "metrics/past_ask.h"

struct preflight_history {
	struct preflight *preflight;
	size_t slo; /* being asked about */
	struct past_ask *ask;
};

static void history_next(struct preflight *preflight);
static void history_answered(const struct slo_history *history,
	const char *remark, const struct err *err, void *arg);

void preflight_history(struct preflight *preflight)
{
	size_t n = preflight->release->policy->n_slos;

	if (!preflight->asked) {
		preflight_next(preflight);
		return;
	}
	preflight->history = xcalloc(1, sizeof(*preflight->history));
	preflight->history->preflight = preflight;
	preflight->histories =
		arena_alloc(&preflight->arena, n * sizeof(struct slo_history));
	history_next(preflight);
}

void preflight_history_cancel(struct preflight *preflight)
{
	if (!preflight->history)
		return;
	past_ask_cancel(&preflight->history->ask);
	free(preflight->history);
	preflight->history = NULL;
}

static void history_ask(struct preflight *preflight)
{
	const struct release *release = preflight->release;
	struct preflight_history *history = preflight->history;
	struct release_values values;
	const struct past_ask_what what = {
		.policy = release->policy,
		.slo = (int)history->slo,
		.project = release->service.project,
		.values = &values.values,
	};

	release_values(
		release, preflight->what.state, preflight->asked, 0, &values);
	values.values.stable = preflight->asked;
	history->ask = past_ask_start(
		preflight->world->metrics, &what, history_answered, history);
}

static void history_next(struct preflight *preflight)
{
	const struct policy *policy = preflight->release->policy;
	struct preflight_history *history = preflight->history;

	while (history->slo < policy->n_slos &&
		policy->slos[history->slo].kind != SLO_EVIDENCE)
		history->slo++;
	if (history->slo < policy->n_slos)
		history_ask(preflight);
	else
		preflight_next(preflight);
}

/* ---- what it says ---- */

static double percent_of(const struct slo_history *history)
{
	return history->past.n > 0 ? 100 * history->past.x / history->past.n
				   : 0;
}

/* Where no column says whose history it is. */
static void name_slo(struct preflight *preflight, struct finding *finding,
	const struct slo *slo)
{
	finding_refuse(preflight, finding, "history of SLO \"%s\": %s",
		slo->name, finding->detail);
}

static void tell_none(
	struct preflight *preflight, const struct slo *slo, const char *why)
{
	struct finding *finding = finding_tell(preflight, FINDING_WARN,
		"history", slo->name,
		"a rollout goes on and learns what is normal while it runs; "
		"with evidence.history of stable it would tell sooner",
		"no history: slower%s%s", *why ? " (" : "",
		*why ? arena_printf(&preflight->arena, "%s)", why) : "");

	name_slo(preflight, finding, slo);
}

static void tell_history(struct preflight *preflight, const struct slo *slo,
	const struct slo_history *history, const char *remark)
{
	double percent = percent_of(history);
	bool above = percent > 100 * slo->objective;
	struct finding *finding;
	char span[DURATION_TEXT_MAX];

	finding = finding_tell(preflight,
		above || *remark ? FINDING_WARN : FINDING_OK, "history",
		slo->name,
		above ? "mend stable, or raise the objective: a candidate no "
			"worse than stable passes"
		: *remark ? "see that all of the metrics are up"
			  : NULL,
		"stable: %.3g requests/s, %.2g %% %s over %s, phi %.2g%s%s%s",
		history->past.n / history->seconds, percent,
		slo->buckets ? "slower" : "bad",
		duration_print((int64_t)(history->seconds * 1000), span),
		history->dispersion.phi, *remark ? "; " : "", remark,
		!above ? ""
		       : arena_printf(&preflight->arena,
				 "; stable itself is above the objective (%.2g "
				 "%% > %.2g %%): the candidate is only "
				 "compared",
				 percent, 100 * slo->objective));
	name_slo(preflight, finding, slo);
	finding->history = history;
}

static void tell_wrong(struct preflight *preflight, const struct slo *slo,
	const struct err *err)
{
	struct finding *finding = finding_tell(preflight, FINDING_FAIL,
		"history", slo->name,
		arena_printf(&preflight->arena,
			"correct the query in %s, line %d; try it by hand "
			"where "
			"the metrics are",
			preflight->release->policy->path, slo->pos.line),
		"%s", err->text);

	name_slo(preflight, finding, slo);
}

static const struct slo_history *keep(
	struct preflight *preflight, const struct slo_history *made)
{
	struct slo_history *kept =
		&preflight->histories[preflight->n_histories++];

	*kept = *made;
	return kept;
}

static void history_answered(const struct slo_history *made, const char *remark,
	const struct err *err, void *arg)
{
	struct preflight_history *history = arg;
	struct preflight *preflight = history->preflight;
	const struct slo *slo = &preflight->release->policy->slos[history->slo];

	history->ask = NULL;
	if (err && err->code == ERR_INVALID)
		tell_wrong(preflight, slo, err);
	else if (err || made->seconds <= 0)
		tell_none(preflight, slo, err ? err->text : remark);
	else
		tell_history(preflight, slo, keep(preflight, made), remark);
	history->slo++;
	history_next(preflight);
}
