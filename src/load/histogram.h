/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times in buckets whose widths grow with them: a quantile is read to within
 * half a bucket, 0.4 %, whatever the times are, and the memory is always the
 * same. Pure.
 */
#ifndef TIDEGATE_LOAD_HISTOGRAM_H
#define TIDEGATE_LOAD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_FINE_BITS 7 /* 128 buckets for each power of two */
#define HISTOGRAM_BUCKETS \
	((32 - HISTOGRAM_FINE_BITS + 1) << HISTOGRAM_FINE_BITS)
#define HISTOGRAM_US_MAX INT64_C(4294967295) /* 71 minutes; more is that */

struct histogram {
	uint32_t bucket[HISTOGRAM_BUCKETS];
	uint64_t n;
	int64_t max_us;
	double sum_us;
};

void histogram_clear(struct histogram *histogram);
void histogram_add(struct histogram *histogram, int64_t us);
/* What the share `q` of the times, 0 to 1, is at or below; 0: there are none. */
int64_t histogram_quantile_us(const struct histogram *histogram, double q);

#endif
