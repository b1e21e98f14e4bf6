/* SPDX-License-Identifier: Apache-2.0 */
/* Times in buckets; see histogram.h. */
#include "load/histogram.h"

#include <math.h>
#include <string.h>

#define FINE (1u << HISTOGRAM_FINE_BITS)

/* Up to 2 * FINE each has a bucket; from there on a power of two has FINE. */
static uint32_t bucket_of(uint32_t us)
{
	int shift;

	if (us < 2 * FINE)
		return us;
	shift = 31 - __builtin_clz(us) - HISTOGRAM_FINE_BITS;
	return ((uint32_t)shift << HISTOGRAM_FINE_BITS) + (us >> shift);
}

/* The middle of a bucket. */
static int64_t time_of(uint32_t bucket)
{
	uint32_t shift, first;

	if (bucket < 2 * FINE)
		return bucket;
	shift = (bucket >> HISTOGRAM_FINE_BITS) - 1;
	first = bucket - (shift << HISTOGRAM_FINE_BITS);
	return ((int64_t)first << shift) + ((INT64_C(1) << shift) - 1) / 2;
}

void histogram_clear(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_add(struct histogram *h, int64_t us)
{
	if (us < 0)
		us = 0;
	if (us > HISTOGRAM_US_MAX)
		us = HISTOGRAM_US_MAX;
	h->bucket[bucket_of((uint32_t)us)]++;
	h->n++;
	h->sum_us += (double)us;
	if (us > h->max_us)
		h->max_us = us;
}

int64_t histogram_quantile_us(const struct histogram *h, double q)
{
	uint64_t rank = (uint64_t)ceil(q * (double)h->n), seen = 0;
	int64_t us;

	if (!h->n)
		return 0;
	if (rank < 1)
		rank = 1;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen < rank)
			continue;
		us = time_of(i);
		return us < h->max_us ? us : h->max_us;
	}
	return h->max_us;
}
