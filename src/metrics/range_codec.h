/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of query_range put together: pure JSON text -> the `data` of a
 * recording. Chunks of one query come in the order of time.
 */
#ifndef TIDEGATE_METRICS_RANGE_CODEC_H
#define TIDEGATE_METRICS_RANGE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define RANGE_SERIES_MAX   64 /* of one query; it should answer one */
#define RANGE_COUNTERS_MAX 8192 /* of one query for counters */
#define RANGE_WARNING_MAX  200
#define RANGE_TEXT_MAX     ((size_t)1024 * 1024 * 1024) /* of one series */

/* One series: its labels and its samples, as they were written. */
struct range_series {
	char *labels; /* JSON object, keys sorted */
	struct buf values; /* "[t,"v"],[t,"v"]" */
	int64_t last_ms;
	size_t n;
};

struct range {
	struct range_series *series;
	size_t n, size, max;
	bool partial; /* the answer added last said that it was incomplete */
	char warning[RANGE_WARNING_MAX]; /* the last of the provider; "" */
};

/* `max`: series that may be answered. */
void range_init(struct range *range, size_t max);
void range_fini(struct range *range);

/* Takes in one answer. Errors are those of answer_decode; after one the range
 * is as it was or holds a part of the chunk. */
MUST_CHECK int range_add(struct range *range, int status, const char *bytes,
	size_t len, struct err *err_r);

/* {"resultType":"matrix","result":[…]} */
void range_print(const struct range *range, struct buf *out);

#endif
