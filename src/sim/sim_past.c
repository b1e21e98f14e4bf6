/* SPDX-License-Identifier: Apache-2.0 */
/* Stable's past as a recording has it; see sim_past.h. */
#include "sim/sim_past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/slo_history.h"
#include "sim/series.h"

/* The series of one query for stable, along the grid. */
struct gridded {
	struct past_series *series;
	double *values;
	size_t n;
};

/* What came in each span, as a counter would show it. */
static void add_up(double *values, size_t looks)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < looks; i++) {
		if (!isnan(values[i]))
			values[i] = sum += values[i];
	}
}

static struct gridded lay_out(const struct recording *rec,
	const struct slo *slo, enum query_role role, int64_t from_ms,
	int64_t step_ms, size_t looks)
{
	const struct recording_series *series;
	struct gridded grid = {.n = 0};
	char name[SERIES_NAME_MAX];
	size_t i;

	if (!query_role_text(slo, role))
		return grid;
	series = recording_find(rec, series_name(slo, role, name));
	if (!series || !series->n_results)
		return grid;
	grid.n = series->n_results;
	grid.series = xcalloc(grid.n, sizeof(*grid.series));
	grid.values = xcalloc(grid.n * looks, sizeof(*grid.values));
	for (i = 0; i < grid.n; i++) {
		recording_past(rec, &series->result[i], from_ms, step_ms,
			query_role_delta_ms(slo), looks,
			grid.values + i * looks);
		if (query_role_delta_ms(slo))
			add_up(grid.values + i * looks, looks);
		grid.series[i] = (struct past_series){series->result[i].labels,
			series->result[i].le, grid.values + i * looks};
	}
	return grid;
}

static void fini(struct gridded *grid)
{
	free(grid->series);
	free(grid->values);
}

/* How much of the time before its start the recording has, at most so much. */
static int64_t known_ms(
	const struct recording *rec, const struct slo *slo, int64_t most_ms)
{
	const struct recording_series *series;
	int64_t first_ms = rec->start_ms;
	char name[SERIES_NAME_MAX];
	size_t i;

	series =
		recording_find(rec, series_name(slo, QUERY_TOTAL_STABLE, name));
	for (i = 0; series && i < series->n_results; i++) {
		if (series->result[i].n &&
			series->result[i].point[0].time_ms < first_ms)
			first_ms = series->result[i].point[0].time_ms;
	}
	return rec->start_ms - first_ms < most_ms ? rec->start_ms - first_ms
						  : most_ms;
}

/* What is not there, or is no such counter, leaves the history unknown. */
static void make(const struct recording *rec, const struct policy *policy,
	int slo, int64_t length_ms, struct slo_history *history_r)
{
	const struct slo *of = &policy->slos[slo];
	int64_t step_ms = slo_history_step_ms(policy, of);
	size_t looks = (size_t)(known_ms(rec, of, length_ms) / step_ms) + 1;
	int64_t from_ms = rec->start_ms - (int64_t)(looks - 1) * step_ms;
	struct gridded total, bad;
	struct past past = {.looks = looks, .step_s = (double)step_ms / 1000};
	struct err ignored;

	total = lay_out(rec, of, QUERY_TOTAL_STABLE, from_ms, step_ms, looks);
	bad = lay_out(rec, of, QUERY_BAD_STABLE, from_ms, step_ms, looks);
	past.role[COUNTER_TOTAL].series = total.series;
	past.role[COUNTER_TOTAL].n = total.n;
	past.role[COUNTER_BAD].series = bad.series;
	past.role[COUNTER_BAD].n = bad.n;
	if (slo_history_make(of, slo, &past, history_r, &ignored) < 0)
		history_r->seconds = 0;
	fini(&total);
	fini(&bad);
}

/* Slower than this policy's bound is bad. */
static void count_slow(const struct slo *slo, struct slo_history *history)
{
	size_t b;

	if (!slo->buckets || !history->bins)
		return;
	history->past.x = 0;
	for (b = evidence_bound(history->bounds, history->bins, slo->bound_le) +
		 1;
		b < history->bins; b++)
		history->past.x += history->histogram[b];
}

static bool take_known(const struct recording *rec, const struct policy *policy,
	int slo, struct slo_history *history_r)
{
	size_t i;

	for (i = 0; i < rec->n_histories; i++) {
		if (strcmp(rec->history[i].slo, policy->slos[slo].name) != 0)
			continue;
		*history_r = rec->history[i].history;
		history_r->slo = slo;
		count_slow(&policy->slos[slo], history_r);
		return true;
	}
	return false;
}

static int64_t length_of(const struct policy *policy)
{
	int64_t ms = policy->evidence.history_ms;

	return ms < HISTORY_MS_MAX ? ms : HISTORY_MS_MAX;
}

bool sim_past_is_short(
	const struct policy *policy, const struct recording *recording, int slo)
{
	int64_t length_ms = length_of(policy);
	struct slo_history history;

	make(recording, policy, slo, length_ms, &history);
	return slo_history_is_short(&history, length_ms);
}

struct sim_past *sim_past_new(
	const struct policy *policy, const struct recording *recording)
{
	int64_t length_ms = length_of(policy);
	struct sim_past *past = NULL;
	struct slo_history *h;
	int i;

	for (i = 0; i < (int)policy->n_slos; i++) {
		if (policy->slos[i].kind != SLO_EVIDENCE)
			continue;
		if (!past)
			past = xcalloc(1, sizeof(*past));
		h = &past->history[past->n];
		if (!take_known(recording, policy, i, h))
			make(recording, policy, i, length_ms, h);
		if (!recording->n_histories &&
			slo_history_is_short(h, length_ms))
			make(recording, policy, i, HISTORY_MS_MAX, h);
		past->n += h->seconds > 0;
	}
	return past;
}
