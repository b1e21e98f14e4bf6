/* SPDX-License-Identifier: Apache-2.0 */
/* From raw counters to what happened between two looks; see counters.h. */
#include "metrics/counters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/instance.h"

/* A series; labels that are not borrowed lie behind its values. */
struct known {
	const char *labels;
	double values[]; /* `bins` */
};

struct counters {
	bool newcomers_count;
	bool borrows; /* labels */
	const struct counters *all; /* see counters_count_births; NULL: none */
	bool looked; /* at least once since it was made or has forgotten */
	size_t bins;
	struct known **known; /* by labels */
	size_t n, size;
};

struct counters *counters_new(bool newcomers_count)
{
	struct counters *c = xcalloc(1, sizeof(*c));

	c->newcomers_count = newcomers_count;
	return c;
}

void counters_borrow_labels(struct counters *counters)
{
	counters->borrows = true;
}

void counters_count_births(
	struct counters *counters, const struct counters *all)
{
	counters->all = all;
}

static void drop(struct counters *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->known[i]);
	free(c->known);
	c->known = NULL;
	c->n = c->size = 0;
}

void counters_free(struct counters **counters)
{
	if (!*counters)
		return;
	drop(*counters);
	free(*counters);
	*counters = NULL;
}

void counters_forget(struct counters *counters)
{
	drop(counters);
	counters->looked = false;
}

static struct known *know(
	const struct counters *c, const struct counter_series *series)
{
	size_t size = c->bins * sizeof(series->values[0]);
	size_t len = c->borrows ? 0 : strlen(series->labels) + 1;
	struct known *k = xcalloc(1, sizeof(*k) + size + len);

	memcpy(k->values, series->values, size);
	k->labels = c->borrows
			    ? series->labels
			    : memcpy(k->values + c->bins, series->labels, len);
	return k;
}

static int by_labels(const void *a, const void *b)
{
	const struct known *const *left = a, *const *right = b;

	return strcmp((*left)->labels, (*right)->labels);
}

/* Answers come in one order, mostly: it is looked for at `guess` first. */
static struct known *find(
	const struct counters *c, const char *labels, size_t guess)
{
	struct known key = {.labels = labels}, *at = &key;
	struct known *const *found = NULL;

	if (guess < c->n &&
		(c->known[guess]->labels == labels ||
			(!c->borrows &&
				strcmp(c->known[guess]->labels, labels) == 0)))
		return c->known[guess];
	if (c->n)
		found = bsearch(&at, c->known, c->n, sizeof(at), by_labels);
	return found ? *found : NULL;
}

void counters_grow(
	const double *before, const double *now, size_t bins, double *growth)
{
	bool reset = !before || now[bins - 1] < before[bins - 1];
	double below = 0, more, most;
	size_t i;

	for (i = 0; i < bins; i++) {
		more = reset ? now[i] : now[i] - before[i];
		most = more > below ? more : below;
		growth[i] += most - below;
		below = most;
	}
}

/* The instances of all that were known before a look; made when one is asked
 * about. */
struct instances {
	struct instance *item;
	size_t n;
};

static int by_instance(const void *a, const void *b)
{
	return instance_order(a, b);
}

static bool is_known_instance(struct instances *before,
	const struct counters *all, const char *labels)
{
	struct instance instance = instance_of(labels);
	size_t i;

	if (!instance.len || !all->n)
		return false;
	if (!before->item) {
		before->item = xcalloc(all->n, sizeof(*before->item));
		before->n = all->n;
		for (i = 0; i < all->n; i++)
			before->item[i] = instance_of(all->known[i]->labels);
		qsort(before->item, before->n, sizeof(*before->item),
			by_instance);
	}
	return bsearch(&instance, before->item, before->n,
		       sizeof(*before->item), by_instance) != NULL;
}

static bool newcomer_counts(
	const struct counters *c, const char *labels, struct instances *before)
{
	if (!c->looked || c->newcomers_count || !c->all)
		return c->looked && c->newcomers_count;
	return is_known_instance(before, c->all, labels);
}

/* Adds what the series shows more than before, and remembers it. True: it was
 * known already. */
static bool take(struct counters *c, const struct counter_series *series,
	size_t guess, struct instances *before, double *growth)
{
	struct known *known = find(c, series->labels, guess);
	size_t i;

	if (known || newcomer_counts(c, series->labels, before))
		counters_grow(known ? known->values : NULL, series->values,
			c->bins, growth);
	for (i = 0; known && i < c->bins; i++)
		known->values[i] = series->values[i];
	return known != NULL;
}

bool counters_look(struct counters *counters,
	const struct counter_series *series, size_t n, size_t bins,
	double *growth_r)
{
	struct counters *c = counters;
	struct instances before = {NULL, 0};
	size_t i, n_new = 0;

	assert(bins > 0 && bins <= COUNTER_BINS_MAX);
	memset(growth_r, 0, bins * sizeof(growth_r[0]));
	if (!n)
		return false;
	/* Other bounds than before cannot be differenced; and instances that
	 * come and go for ever are not remembered for ever. */
	if ((c->n && c->bins != bins) || c->n + n > COUNTER_SERIES_MAX)
		counters_forget(c);
	c->bins = bins;
	if (c->n + n > c->size) {
		c->size = c->n + n;
		c->known = xrealloc(c->known, c->size, sizeof(c->known[0]));
	}
	for (i = 0; i < n; i++) {
		if (!take(c, &series[i], i, &before, growth_r))
			c->known[c->n + n_new++] = know(c, &series[i]);
	}
	free(before.item);
	/* One that is gone stays known: it may come back as it was. */
	c->n += n_new;
	if (n_new)
		qsort(c->known, c->n, sizeof(c->known[0]), by_labels);
	c->looked = true;
	return true;
}

bool counters_may_repeat(const struct counters *counters, size_t n)
{
	return counters->looked && n == counters->n * counters->bins &&
	       2 * counters->n <= COUNTER_SERIES_MAX;
}

void counters_repeat(
	struct counters *counters, const double *values, double *growth)
{
	size_t i, b, bins = counters->bins;
	double *known;

	for (i = 0; i < counters->n; i++, values += bins) {
		known = counters->known[i]->values;
		counters_grow(known, values, bins, growth);
		for (b = 0; b < bins; b++)
			known[b] = values[b];
	}
}

void counters_look_at_none(struct counters *counters)
{
	counters->looked = true;
}
