/* SPDX-License-Identifier: Apache-2.0 */
/* The counters of an SLO of kind evidence; see counting.h. */
#include "metrics/counting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/buckets.h"
#include "metrics/query_role.h"

#define FEW_SERIES 64 /* that need no memory of their own during a look */
#define FEW_VALUES 512

struct counting {
	struct buckets *latency; /* of a histogram; else NULL */
	bool recorded; /* see counting_of_recording */
	/* Of metrics that are no counters; else 0. Each span is counted once. */
	int64_t delta_ms;
	int64_t spans; /* up to the last look; 0: there was none */
	struct counters *counters[COUNTER_ARMS][COUNTER_ROLES];
};

struct counting *counting_new(const struct slo *slo)
{
	struct counting *c = xcalloc(1, sizeof(*c));
	int arm, role;

	if (slo->buckets)
		c->latency = xcalloc(1, sizeof(*c->latency));
	c->delta_ms = query_role_delta_ms(slo);
	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++)
			c->counters[arm][role] =
				counters_new(arm == ARM_CANDIDATE);
	}
	for (role = 0; role < COUNTER_ROLES; role++)
		counters_count_births(c->counters[ARM_STABLE][role],
			c->counters[ARM_STABLE][COUNTER_TOTAL]);
	return c;
}

void counting_of_recording(struct counting *counting)
{
	int arm, role;

	counting->recorded = true;
	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++)
			counters_borrow_labels(counting->counters[arm][role]);
	}
}

void counting_free(struct counting **counting)
{
	int arm, role;

	if (!*counting)
		return;
	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++)
			counters_free(&(*counting)->counters[arm][role]);
	}
	free((*counting)->latency);
	free(*counting);
	*counting = NULL;
}

void counting_forget(struct counting *counting)
{
	int arm, role;

	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++)
			counters_forget(counting->counters[arm][role]);
	}
	if (counting->latency)
		counting->latency->bins = 0;
	counting->spans = 0;
}

/* What is told for a span is its growth. */
static bool add_up(const struct counter_series *series, size_t n, size_t bins,
	double *growth_r)
{
	size_t i;

	memset(growth_r, 0, bins * sizeof(growth_r[0]));
	for (i = 0; i < n; i++)
		counters_grow(NULL, series[i].values, bins, growth_r);
	return n > 0;
}

/* ---- two counters: all requests, and the bad ones ---- */

static double plain_growth(struct counting *c, struct counters *counters,
	const struct counter_answer *answer, bool *known_r)
{
	struct counter_series few[FEW_SERIES], *series = few;
	double growth;
	size_t i;

	few[0] = (struct counter_series){NULL, NULL};
	if (answer->n > FEW_SERIES)
		series = xcalloc(answer->n, sizeof(*series));
	for (i = 0; i < answer->n; i++)
		series[i] = (struct counter_series){
			answer->sample[i].labels, &answer->sample[i].value};
	*known_r = c->delta_ms ? add_up(series, answer->n, 1, &growth)
			       : counters_look(counters, series, answer->n, 1,
					 &growth);
	if (series != few)
		free(series);
	return growth;
}

static void sort(const struct counting *c, const struct counter_answer *answer,
	struct sorted *sorted_r)
{
	if (c->recorded)
		*sorted_r = (struct sorted){.sample = answer->sample};
	else
		buckets_sort(answer, sorted_r);
}

static bool have_twins(const struct counting *c,
	const struct counter_sample *samples, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (c->recorded ? samples[i - 1].labels == samples[i].labels
				: strcmp(samples[i - 1].labels,
					  samples[i].labels) == 0)
			return true;
	}
	return false;
}

/* A series with several bounds would be counted as often. */
static int check_plain(const struct counting *c,
	const struct counter_answer *answer, struct err *err_r)
{
	struct sorted sorted;
	bool twins;

	if (answer->n < 2)
		return 0;
	sort(c, answer, &sorted);
	twins = have_twins(c, sorted.sample, answer->n);
	free(sorted.copy);
	if (!twins)
		return 0;
	return err_set(err_r, ERR_INVALID,
		"these are buckets of a histogram: ask for NAME_count, or "
		"write "
		"buckets and bound instead of total and bad");
}

static void put_counts(struct evidence_counts *counts, double all, double bad)
{
	bad = fmin(bad, all);
	counts->bin[0] = all - bad;
	counts->bin[1] = bad;
}

/* A revision without failures has no series of them, and a candidate without
 * requests none at all: none is zero, and the first ones come in a series that
 * is new. */
static void look_at_arm(struct counting *c, int arm,
	const struct counter_answer answers[COUNTER_ROLES],
	struct evidence_counts *counts)
{
	bool any_bad;
	/* First, while all are those of the look before. */
	double bad = plain_growth(c, c->counters[arm][COUNTER_BAD],
		&answers[COUNTER_BAD], &any_bad);
	double all = plain_growth(c, c->counters[arm][COUNTER_TOTAL],
		&answers[COUNTER_TOTAL], &counts->known);

	if (!counts->known && arm == ARM_CANDIDATE)
		counters_look_at_none(c->counters[arm][COUNTER_TOTAL]);
	if (!any_bad && (counts->known || arm == ARM_CANDIDATE))
		counters_look_at_none(c->counters[arm][COUNTER_BAD]);
	put_counts(counts, all, bad);
}

/* ---- a histogram ---- */

static void look_at_buckets(struct counting *c, int arm,
	const struct counter_sample *samples, size_t n,
	struct evidence_counts *counts)
{
	size_t bins = c->latency->bins ? c->latency->bins : 1, n_series = 0, i,
	       b;
	struct counter_series few[FEW_SERIES], *series = few;
	double few_values[FEW_VALUES], *values = few_values;
	bool many = n > FEW_VALUES || n / bins > FEW_SERIES;

	if (many) {
		series = xcalloc(n / bins + 1, sizeof(*series));
		values = xcalloc(n, sizeof(*values));
	}

	for (i = 0; i + bins <= n; i += bins) {
		for (b = 0; b < bins; b++)
			values[i + b] = samples[i + b].value;
		series[n_series++] =
			(struct counter_series){samples[i].labels, values + i};
	}
	counts->known = c->delta_ms
				? add_up(series, n_series, bins, counts->bin)
				: counters_look(c->counters[arm][COUNTER_TOTAL],
					  series, n_series, bins, counts->bin);
	if (!counts->known && arm == ARM_CANDIDATE)
		counters_look_at_none(c->counters[arm][COUNTER_TOTAL]);
	if (many) {
		free(values);
		free(series);
	}
}

static void put_bounds(const struct counting *c, struct check_counts *counts)
{
	counts->bins = c->latency && c->latency->bins ? c->latency->bins : 2;
	if (c->latency)
		memcpy(counts->bounds, c->latency->bounds,
			counts->bins * sizeof(counts->bounds[0]));
}

static int look_at_histograms(struct counting *c,
	const struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES],
	struct check_counts *counts, struct err *err_r)
{
	struct sorted sorted[COUNTER_ARMS];
	int arm, rc = 0;

	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		sort(c, &answers[arm][COUNTER_TOTAL], &sorted[arm]);
		if (rc == 0)
			rc = buckets_check(c->latency, sorted[arm].sample,
				answers[arm][COUNTER_TOTAL].n, err_r);
	}
	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		if (rc == 0)
			look_at_buckets(c, arm, sorted[arm].sample,
				answers[arm][COUNTER_TOTAL].n,
				arm == ARM_CANDIDATE ? &counts->candidate
						     : &counts->stable);
		free(sorted[arm].copy);
	}
	if (rc < 0)
		return -1;
	put_bounds(c, counts);
	return 0;
}

/* Of the bins that are looked at: most of the places are never used. */
static void clear(const struct counting *c, struct check_counts *counts)
{
	size_t bins = c->latency ? c->latency->bins : 2;

	if (!bins)
		bins = EVIDENCE_BINS_MAX;
	counts->candidate.known = counts->stable.known = false;
	memset(counts->candidate.bin, 0, bins * sizeof(double));
	memset(counts->stable.bin, 0, bins * sizeof(double));
}

int counting_look(struct counting *counting,
	const struct counter_answer answers[COUNTER_ARMS][COUNTER_ROLES],
	struct check_counts *counts_r, struct err *err_r)
{
	int arm, role;

	clear(counting, counts_r);
	if (counting->latency)
		return look_at_histograms(counting, answers, counts_r, err_r);
	counts_r->bins = 2;
	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < COUNTER_ROLES; role++) {
			if (check_plain(counting, &answers[arm][role], err_r) <
				0)
				return -1;
		}
	}
	look_at_arm(counting, ARM_CANDIDATE, answers[ARM_CANDIDATE],
		&counts_r->candidate);
	look_at_arm(
		counting, ARM_STABLE, answers[ARM_STABLE], &counts_r->stable);
	return 0;
}

static void repeat_arm(struct counting *c, int arm,
	const struct counter_values values[COUNTER_ROLES],
	struct evidence_counts *counts)
{
	struct counters **counters = c->counters[arm];
	double all = 0, bad = 0;

	counts->known = values[COUNTER_TOTAL].n > 0;
	if (c->latency) {
		memset(counts->bin, 0, c->latency->bins * sizeof(double));
		counters_repeat(counters[COUNTER_TOTAL],
			values[COUNTER_TOTAL].value, counts->bin);
		return;
	}
	counters_repeat(counters[COUNTER_BAD], values[COUNTER_BAD].value, &bad);
	counters_repeat(
		counters[COUNTER_TOTAL], values[COUNTER_TOTAL].value, &all);
	put_counts(counts, all, bad);
}

bool counting_repeat(struct counting *counting,
	const struct counter_values values[COUNTER_ARMS][COUNTER_ROLES],
	struct check_counts *counts_r)
{
	struct counting *c = counting;
	int arm, role, roles = c->latency ? COUNTER_TOTAL + 1 : COUNTER_ROLES;

	if (!c->recorded || c->delta_ms || (c->latency && !c->latency->bins))
		return false;
	for (arm = 0; arm < COUNTER_ARMS; arm++) {
		for (role = 0; role < roles; role++) {
			if (!counters_may_repeat(c->counters[arm][role],
				    values[arm][role].n))
				return false;
		}
	}
	repeat_arm(
		c, ARM_CANDIDATE, values[ARM_CANDIDATE], &counts_r->candidate);
	repeat_arm(c, ARM_STABLE, values[ARM_STABLE], &counts_r->stable);
	put_bounds(c, counts_r);
	return true;
}

static bool is_readable(const struct slo *slo, const struct answers *answers)
{
	const struct answer *answer = answers->item;
	size_t role;

	for (role = 0; role < QUERY_ROLES; role++) {
		if (answer[role].kind == ANSWER_ERROR ||
			(answer[role].partial &&
				slo->partial == PARTIAL_NO_DATA))
			return false;
	}
	return true;
}

/* Whether the span was looked at before; the first one is only a beginning, for
 * another process may have counted it. */
static bool is_new_span(
	struct counting *c, int64_t asked_ms, struct check_counts *counts)
{
	int64_t span = asked_ms / c->delta_ms, before = c->spans;

	if (span <= before)
		return false;
	c->spans = span;
	if (!before) {
		memset(counts->candidate.bin, 0, sizeof(counts->candidate.bin));
		memset(counts->stable.bin, 0, sizeof(counts->stable.bin));
	}
	return true;
}

int counting_check(struct counting *counting, const struct slo *slo,
	int64_t asked_ms, const struct counter_answer *counters,
	struct answers *answers, struct check_counts *counts_r,
	struct err *err_r)
{
	const struct counter_answer by_arm[COUNTER_ARMS][COUNTER_ROLES] = {
		[ARM_CANDIDATE] = {[COUNTER_TOTAL] = counters[QUERY_TOTAL],
			[COUNTER_BAD] = counters[QUERY_BAD]},
		[ARM_STABLE] = {[COUNTER_TOTAL] = counters[QUERY_TOTAL_STABLE],
			[COUNTER_BAD] = counters[QUERY_BAD_STABLE]},
	};

	if (!is_readable(slo, answers))
		return 0;
	if (counting_look(counting, by_arm, counts_r, err_r) < 0) {
		answers->item[QUERY_TOTAL].kind = ANSWER_ERROR;
		return -1;
	}
	if (!counting->delta_ms || is_new_span(counting, asked_ms, counts_r))
		answers->counts = counts_r;
	return 0;
}
