/* SPDX-License-Identifier: Apache-2.0 */
/* The buckets of histograms in an answer; see buckets.h. */
#include "metrics/buckets.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static int by_labels_and_bound(const void *a, const void *b)
{
	const struct counter_sample *left = a, *right = b;
	int order = left->labels == right->labels
			    ? 0
			    : strcmp(left->labels, right->labels);

	if (order)
		return order;
	return (left->le > right->le) - (left->le < right->le);
}

/* Nearly all answers are: they come in the order of before. */
static bool is_sorted(const struct counter_sample *samples, size_t n)
{
	size_t i;

	for (i = 1; i < n; i++) {
		if (by_labels_and_bound(&samples[i - 1], &samples[i]) > 0)
			return false;
	}
	return true;
}

void buckets_sort(const struct counter_answer *answer, struct sorted *sorted_r)
{
	struct counter_sample *copy;

	*sorted_r = (struct sorted){.sample = answer->sample};
	if (is_sorted(answer->sample, answer->n))
		return;
	copy = xcalloc(answer->n, sizeof(*copy));
	memcpy(copy, answer->sample, answer->n * sizeof(*copy));
	qsort(copy, answer->n, sizeof(*copy), by_labels_and_bound);
	*sorted_r = (struct sorted){copy, copy};
}

static bool is_same(const char *a, const char *b)
{
	return a == b || strcmp(a, b) == 0;
}

/* How many of the samples from `samples` on are of the same series. */
static size_t series_len(const struct counter_sample *samples, size_t n)
{
	size_t i = 1;

	while (i < n && is_same(samples[i].labels, samples[0].labels))
		i++;
	return i;
}

static int take_bounds(struct buckets *buckets,
	const struct counter_sample *samples, size_t n, struct err *err_r)
{
	size_t i;

	if (n > EVIDENCE_BINS_MAX)
		return err_set(err_r, ERR_INVALID,
			"the histogram has %zu buckets: at most %d are looked "
			"at; choose some of them in the selector, with "
			"le=~\"0.1|0.5|1|[+]Inf\"",
			n, EVIDENCE_BINS_MAX);
	if (n < 2 || !isinf(samples[n - 1].le))
		return err_set(err_r, ERR_INVALID,
			"these are no buckets of a histogram, up to le=\"+Inf\""
			": ask for NAME_bucket");
	buckets->bins = n;
	for (i = 0; i < n; i++)
		buckets->bounds[i] = samples[i].le;
	return 0;
}

static bool bounds_are_same(const struct buckets *buckets,
	const struct counter_sample *samples, size_t n)
{
	size_t i;

	for (i = 0; i < n && n == buckets->bins; i++) {
		if (samples[i].le != buckets->bounds[i])
			return false;
	}
	return n == buckets->bins;
}

/* Each series has all known bounds, as it mostly is; of labels that are no
 * pointers to the same text it may be true, and is not said. */
static bool fit_at_once(const struct buckets *buckets,
	const struct counter_sample *sorted, size_t n)
{
	size_t i, b, bins = buckets->bins;
	bool fit = bins && n % bins == 0;

	for (i = 0; i < n && fit; i += bins) {
		const struct counter_sample *first = &sorted[i];

		for (b = 0; b < bins; b++)
			fit &= first[b].le == buckets->bounds[b] &&
			       first[b].labels == first->labels;
		fit &= !i || first[-1].labels != first->labels;
	}
	return fit;
}

int buckets_check(struct buckets *buckets, const struct counter_sample *sorted,
	size_t n, struct err *err_r)
{
	size_t i, len;

	if (fit_at_once(buckets, sorted, n))
		return 0;
	for (i = 0; i < n; i += len) {
		len = series_len(sorted + i, n - i);
		if (isnan(sorted[i].le))
			return err_set(err_r, ERR_INVALID,
				"a series has no label le: ask for NAME_bucket "
				"(native histograms are not looked at)");
		if (!buckets->bins &&
			take_bounds(buckets, sorted + i, len, err_r) < 0)
			return -1;
		if (!bounds_are_same(buckets, sorted + i, len))
			return err_set(err_r, ERR_INVALID,
				"the histograms have different buckets; a "
				"rollout that changes them cannot be judged by "
				"them");
	}
	return 0;
}
