/* SPDX-License-Identifier: Apache-2.0 */
/* The distribution of latency beside stable's; see evidence_shape.h. */
#include "engine/evidence_shape.h"

#include <assert.h>
#include <math.h>

#include "engine/logs.h"

#define SMALL_SHARE 0.1
#define SMALL       1e-3 /* below it five terms of a series are exact */

/* Statistics, section 3: the tolerated shift, and that times what is looked
 * for. */
static const double kappas[1 + SHAPE_SIZES] = {
	1.1, 1.1 * 1.1, 1.1 * 1.25, 1.1 * 1.6, 1.1 * 2.5};

double shape_shift(size_t size)
{
	return kappas[1 + size];
}

/* What the ratios of the buckets that are looked at are made of. */
struct survival {
	/* For each bucket that it is needed of, ln of the part in it and
	 * above: then e^ln to each power. */
	double above[SHAPE_BUCKETS_MAX * SHAPE_KAPPAS_MAX];
	size_t n_above;
	/* The same of what the bucket's part of those leaves; of few. */
	double rest[SHAPE_BUCKETS_MAX * SHAPE_KAPPAS_MAX];
	size_t n_rest;
	/* By hit: what is above it and the next bucket, in `above`; … */
	int here[SHAPE_BUCKETS_MAX], next[SHAPE_BUCKETS_MAX];
	/* … or its place in `rest`; -1: none. */
	int few[SHAPE_BUCKETS_MAX];
	double part[SHAPE_BUCKETS_MAX]; /* its part of all */
};

/* Which survivals are needed: of the first bucket it is 1, beyond the last 0. */
static void find_survivals(struct survival *s, const double *weights, size_t n,
	const size_t *hit, size_t n_hits)
{
	double above[SHAPE_BUCKETS_MAX + 1], all = 0, share;
	int known = 0; /* the bucket that was needed last */
	size_t i, b;

	above[n] = 0;
	for (b = n; b-- > 0;) {
		all += weights[b];
		above[b] = all;
	}
	s->n_above = s->n_rest = 0;
	for (i = 0; i < n_hits; i++) {
		b = hit[i];
		s->part[i] = weights[b] / all;
		if (b && known != (int)b)
			s->above[s->n_above++] = above[b] / all;
		s->here[i] = b ? (int)s->n_above - 1 : -1;
		share = weights[b] / above[b];
		s->few[i] = s->next[i] = -1;
		if (b + 1 == n)
			continue;
		/* Of a small part a difference would have lost the digits. */
		if (share < SMALL_SHARE) {
			s->few[i] = (int)s->n_rest;
			s->rest[s->n_rest++] = -share;
		} else {
			s->next[i] = (int)s->n_above;
			s->above[s->n_above++] = above[b + 1] / all;
			known = (int)b + 1;
		}
	}
}

/* v[i] becomes v[i] times each power, one after the other. */
static void spread(double *v, size_t n, const double *powers, size_t n_powers)
{
	size_t i, k;

	for (i = n; i-- > 0;) {
		const double log = v[i];

		for (k = n_powers; k-- > 0;)
			v[i * n_powers + k] = log * powers[k];
	}
}

/* 1 - e^v, v <= 0, without losing the digits of a small one. */
static void one_minus_exps(double *v, size_t n)
{
	double log[SHAPE_BUCKETS_MAX * SHAPE_KAPPAS_MAX], w;
	size_t i;

	for (i = 0; i < n; i++)
		log[i] = v[i];
	exps_of(v, n);
	for (i = 0; i < n; i++) {
		w = log[i];
		v[i] = w < -SMALL
			       ? 1 - v[i]
			       : -w * (1 + w / 2 * (1 + w / 3 * (1 + w / 4 * (1 + w / 5))));
	}
}

/* Of one hit: what is in it and above less what is above it. */
static void put_ratios(
	const struct survival *s, size_t i, size_t n_kappas, double *ratios_r)
{
	const double *here = s->above + (size_t)s->here[i] * n_kappas;
	const double *next = s->above + (size_t)s->next[i] * n_kappas;
	const double *rest = s->rest + (size_t)s->few[i] * n_kappas;
	double times = 1 / s->part[i], in;
	size_t k;

	for (k = 0; k < n_kappas; k++) {
		in = s->here[i] < 0 ? 1 : here[k];
		if (s->few[i] >= 0)
			in *= rest[k];
		else if (s->next[i] >= 0)
			in -= next[k];
		ratios_r[k] = in * times;
	}
}

void shape_ratios(const double *weights, size_t n, const size_t *hit,
	size_t n_hits, const double *of_kappas, size_t n_kappas,
	double *ratios_r)
{
	double powers[SHAPE_KAPPAS_MAX];
	struct survival s;
	size_t i, k;

	assert(n > 0 && n <= SHAPE_BUCKETS_MAX);
	assert(n_kappas <= SHAPE_KAPPAS_MAX);
	for (k = 0; k < n_kappas; k++)
		powers[k] = 1 / of_kappas[k];
	find_survivals(&s, weights, n, hit, n_hits);
	logs_of(s.above, s.n_above);
	logs_of_1p(s.rest, s.n_rest);
	spread(s.above, s.n_above, powers, n_kappas);
	spread(s.rest, s.n_rest, powers, n_kappas);
	exps_of(s.above, s.n_above * n_kappas);
	one_minus_exps(s.rest, s.n_rest * n_kappas);
	for (i = 0; i < n_hits; i++)
		put_ratios(&s, i, n_kappas, ratios_r + i * n_kappas);
}

/* A bucket that some request fell into: by shift, how much more often it is hit
 * than with the tolerated one, and how much more likely a request of both is. */
struct hit {
	double more[SHAPE_SIZES], likelier[SHAPE_SIZES];
};

static void compare(struct hit *hit, const double *ratios, double part)
{
	double allowed = 1 / ratios[0];
	double both = 1 / (1 + part * (ratios[0] - 1));
	size_t k;

	for (k = 0; k < SHAPE_SIZES; k++) {
		hit->more[k] = ratios[1 + k] * allowed;
		hit->likelier[k] = (1 + part * (ratios[1 + k] - 1)) * both;
	}
}

void shape_gains(const double *weights, size_t n, const double *candidate,
	const double *stable, double part, double gains_r[SHAPE_SIZES])
{
	double ratios[SHAPE_BUCKETS_MAX * (1 + SHAPE_SIZES)];
	struct hit hits[SHAPE_BUCKETS_MAX];
	size_t bucket[SHAPE_BUCKETS_MAX + 1], i, k, b, n_hits = 0;

	for (b = 0, bucket[0] = 0; b < n; b++) {
		bucket[n_hits] = b;
		n_hits += candidate[b] + stable[b] > 0;
	}
	shape_ratios(
		weights, n, bucket, n_hits, kappas, 1 + SHAPE_SIZES, ratios);
	for (i = 0; i < n_hits; i++)
		compare(&hits[i], ratios + i * (1 + SHAPE_SIZES), part);
	logs_of(hits[0].more, n_hits * 2 * SHAPE_SIZES);
	for (k = 0; k < SHAPE_SIZES; k++)
		gains_r[k] = 0;
	for (i = 0; i < n_hits; i++) {
		const double c = candidate[bucket[i]],
			     both = c + stable[bucket[i]];

		for (k = 0; k < SHAPE_SIZES; k++)
			gains_r[k] += c * hits[i].more[k] -
				      both * hits[i].likelier[k];
	}
}
