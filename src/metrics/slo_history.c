/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past; see slo_history.h. Series become members: a counter, or all
 * buckets of a histogram, each belonging to a half. Every member is differenced
 * along the grid by itself, into the rows of its half.
 */
#include "metrics/slo_history.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "metrics/buckets.h"
#include "metrics/instance.h"
#include "metrics/query_role.h"

#define SPLIT_SEED UINT64_C(0x68616c766573)

struct member {
	struct instance instance;
	size_t index; /* of it */
	int half;
	const struct past_series *bin[EVIDENCE_BINS_MAX];
};

struct members {
	struct member *member;
	size_t n, bins;
};

struct making {
	const struct past *past;
	struct buckets buckets;
	struct members role[COUNTER_ROLES];
	size_t n_instances;
	size_t *seen_from; /* by instance: its first look with a sample */
	bool is_delta; /* what is told for a span is its growth */
	struct history_row *rows, *bad; /* growth until each look */
	bool *seen; /* there was a sample of all requests */
};

/* ---- instances ---- */

static void find_instance(struct member *member)
{
	member->instance = instance_of(member->bin[0]->labels);
}

static int by_instance(const void *a, const void *b)
{
	const struct member *left = *(struct member *const *)a;
	const struct member *right = *(struct member *const *)b;

	return instance_order(&left->instance, &right->instance);
}

/* Of every two neighbours one goes into each half, by a coin of our own: the
 * same history gives the same halves. */
static void deal(struct making *m)
{
	size_t i, k, n = m->role[0].n + m->role[1].n, at = 0;
	struct member **all = xcalloc(n ? n : 1, sizeof(struct member *));
	struct rng rng;
	int half = 0;

	rng_init(&rng, SPLIT_SEED);
	for (k = 0; k < COUNTER_ROLES; k++) {
		for (i = 0; i < m->role[k].n; i++)
			all[at++] = &m->role[k].member[i];
	}
	qsort(all, n, sizeof(struct member *), by_instance);
	for (i = 0; i < n; i++) {
		if (!i || by_instance(&all[i - 1], &all[i]) != 0)
			half = m->n_instances++ % 2 ? !half
						    : (int)rng_below(&rng, 2);
		all[i]->half = half;
		all[i]->index = m->n_instances - 1;
	}
	/* One alone is the whole. */
	for (i = 0; i < n && m->n_instances == 1; i++)
		all[i]->half = 0;
	free(all);
}

/* ---- members ---- */

static void take_plain(struct making *m, int role)
{
	struct members *members = &m->role[role];
	size_t i;

	members->bins = 1;
	members->n = m->past->role[role].n;
	members->member =
		xcalloc(members->n ? members->n : 1, sizeof(struct member));
	for (i = 0; i < members->n; i++) {
		members->member[i].bin[0] = &m->past->role[role].series[i];
		find_instance(&members->member[i]);
	}
}

/* The series in the order of their histograms' bounds; a sample's value is the
 * index of its series. */
static struct counter_sample *sort_series(const struct past *past)
{
	const struct past_series *series = past->role[COUNTER_TOTAL].series;
	size_t i, n = past->role[COUNTER_TOTAL].n;
	struct counter_sample *samples = xcalloc(n ? n : 1, sizeof(*samples));
	const struct counter_answer answer = {samples, n};
	struct sorted sorted;

	for (i = 0; i < n; i++)
		samples[i] = (struct counter_sample){
			series[i].labels, series[i].le, (double)i};
	buckets_sort(&answer, &sorted);
	if (!sorted.copy)
		return samples;
	free(samples);
	return sorted.copy;
}

static int take_histograms(struct making *m, struct err *err_r)
{
	const struct past_series *series = m->past->role[COUNTER_TOTAL].series;
	size_t i, b, n = m->past->role[COUNTER_TOTAL].n, bins;
	struct counter_sample *sorted = sort_series(m->past);
	struct members *members = &m->role[COUNTER_TOTAL];
	int rc = buckets_check(&m->buckets, sorted, n, err_r);

	bins = m->buckets.bins ? m->buckets.bins : 1;
	members->bins = bins;
	members->member = xcalloc(n / bins + 1, sizeof(struct member));
	for (i = 0; rc == 0 && i + bins <= n; i += bins) {
		for (b = 0; b < bins; b++)
			members->member[members->n].bin[b] =
				&series[(size_t)sorted[i + b].value];
		find_instance(&members->member[members->n++]);
	}
	free(sorted);
	return rc;
}

/* ---- along the grid ---- */

static bool values_at(
	const struct member *member, size_t look, size_t bins, double *values_r)
{
	size_t b;

	for (b = 0; b < bins; b++) {
		values_r[b] = member->bin[b]->values[look];
		if (!isfinite(values_r[b]))
			return false;
	}
	return true;
}

static void find_seen_from(struct making *m)
{
	const struct members *all = &m->role[COUNTER_TOTAL];
	double ignored[EVIDENCE_BINS_MAX];
	size_t i, look;

	m->seen_from =
		xcalloc(m->n_instances ? m->n_instances : 1, sizeof(size_t));
	for (i = 0; i < m->n_instances; i++)
		m->seen_from[i] = m->past->looks;
	for (i = 0; i < all->n; i++) {
		size_t *from = &m->seen_from[all->member[i].index];

		for (look = 0; look < *from; look++) {
			if (values_at(
				    &all->member[i], look, all->bins, ignored))
				*from = look;
		}
	}
}

/* Its instance was seen before: what its first sample shows came since then. */
static bool is_born(
	const struct making *m, const struct member *member, size_t look)
{
	return (member->instance.len || m->is_delta) &&
	       look > m->seen_from[member->index];
}

/* Its growth; where it has no sample it does not grow. The first one only begins
 * to be known, as its instance does. */
static void add_member(struct making *m, const struct members *members,
	const struct member *member, struct history_row *rows, bool *seen)
{
	double before[EVIDENCE_BINS_MAX], now[EVIDENCE_BINS_MAX];
	bool known = false;
	size_t i;

	for (i = 0; i < m->past->looks; i++) {
		if (!values_at(member, i, members->bins, now))
			continue;
		if (known || is_born(m, member, i))
			counters_grow(known ? before : NULL, now, members->bins,
				rows[i].bin[member->half]);
		memcpy(before, now, members->bins * sizeof(now[0]));
		known = true;
		if (seen)
			seen[i] = true;
	}
}

static void add_members(
	struct making *m, int role, struct history_row *rows, bool *seen)
{
	size_t i;

	for (i = 0; i < m->role[role].n; i++)
		add_member(m, &m->role[role], &m->role[role].member[i], rows,
			seen);
}

/* All and bad requests become good and bad ones. */
static void set_good(struct making *m)
{
	size_t i;
	int half;

	for (i = 0; i < m->past->looks; i++) {
		for (half = 0; half < 2; half++) {
			double *all = m->rows[i].bin[half];
			double bad = fmin(m->bad[i].bin[half][0], all[0]);

			all[0] -= bad;
			all[1] = bad;
		}
	}
}

static void fill_rows(struct making *m, bool latency)
{
	size_t looks = m->past->looks;

	find_seen_from(m);
	m->rows = xcalloc(looks, sizeof(*m->rows));
	m->seen = xcalloc(looks, sizeof(*m->seen));
	add_members(m, COUNTER_TOTAL, m->rows, m->seen);
	if (latency)
		return;
	m->bad = xcalloc(looks, sizeof(*m->bad));
	add_members(m, COUNTER_BAD, m->bad, NULL);
	set_good(m);
}

/* ---- what it comes to ---- */

static void sum_up(const struct history_row *rows, size_t n,
	const struct evidence_spec *spec, struct slo_history *h)
{
	size_t i, b;

	for (i = 0; i < n; i++) {
		for (b = 0; b < spec->bins; b++)
			h->histogram[b] +=
				rows[i].bin[0][b] + rows[i].bin[1][b];
	}
	for (b = 0; b < spec->bins; b++) {
		h->past.n += h->histogram[b];
		if (b > (spec->latency ? spec->bound : 0))
			h->past.x += h->histogram[b];
	}
}

static void conclude(
	struct making *m, const struct slo *slo, struct slo_history *h)
{
	struct evidence_spec spec = {
		.latency = slo->buckets != NULL, .bins = 2};
	size_t first = 0, last = m->past->looks - 1, n;

	while (first < last && !m->seen[first])
		first++;
	while (last > first && !m->seen[last])
		last--;
	n = last - first;
	if (!n)
		return;
	if (spec.latency) {
		spec.bins = h->bins = m->buckets.bins;
		memcpy(h->bounds, m->buckets.bounds, sizeof(h->bounds));
		spec.bound = evidence_bound(h->bounds, h->bins, slo->bound_le);
	}
	h->seconds = (double)n * m->past->step_s;
	/* The first row is what came before anything was known. */
	sum_up(m->rows + first + 1, n, &spec, h);
	if (m->n_instances > 1)
		dispersion_estimate(
			m->rows + first + 1, n, &spec, &h->dispersion);
	else
		dispersion_estimate_whole(
			m->rows + first + 1, n, &spec, &h->dispersion);
}

int slo_history_make(const struct slo *slo, int index, const struct past *past,
	struct slo_history *history_r, struct err *err_r)
{
	struct making m = {
		.past = past, .is_delta = query_role_delta_ms(slo) > 0};
	int rc = 0;

	assert(past->looks <= HISTORY_LOOKS_MAX);
	*history_r = (struct slo_history){.slo = index,
		.dispersion = {DISPERSION_UNKNOWN, DISPERSION_UNKNOWN,
			DISPERSION_UNKNOWN}};
	if (slo->buckets) {
		rc = take_histograms(&m, err_r);
	} else {
		take_plain(&m, COUNTER_TOTAL);
		take_plain(&m, COUNTER_BAD);
	}
	if (rc == 0 && past->looks > 1) {
		deal(&m);
		fill_rows(&m, slo->buckets != NULL);
		conclude(&m, slo, history_r);
	}
	free(m.seen_from);
	free(m.rows);
	free(m.bad);
	free(m.seen);
	free(m.role[COUNTER_TOTAL].member);
	free(m.role[COUNTER_BAD].member);
	return rc;
}

int64_t slo_history_step_ms(const struct policy *policy, const struct slo *slo)
{
	int64_t delta_ms = query_role_delta_ms(slo);
	int64_t sample_ms = policy->metrics.resolution_ms;

	if (delta_ms)
		return delta_ms;
	return sample_ms > HISTORY_STEP_MS ? sample_ms : HISTORY_STEP_MS;
}

bool slo_history_is_short(const struct slo_history *history, int64_t length_ms)
{
	return history->seconds > 0 && history->past.x < HISTORY_BAD_FEW &&
	       length_ms < HISTORY_MS_MAX;
}
