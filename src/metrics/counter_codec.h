/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers with many counters: pure JSON text -> series. Strict: what is not a
 * raw counter is refused, with what to ask for instead. Read in one pass, since
 * a service with many instances and buckets has thousands of series.
 */
#ifndef TIDEGATE_METRICS_COUNTER_CODEC_H
#define TIDEGATE_METRICS_COUNTER_CODEC_H

#include "base/arena.h"
#include "metrics/counters.h"
#include "metrics/joint_query.h"
#include "metrics/reading.h"

#define COUNTER_BYTES_MAX   (4 * 1024 * 1024) /* of an answer */
#define COUNTER_SAMPLES_MAX (COUNTER_SERIES_MAX / 2)

struct counter_reply {
	int status; /* HTTP's */
	const char *bytes;
	size_t len;
	bool deltas; /* growth, which has no name any more */
	/* Of a joint query: what its series may have in LABEL_ROLE. */
	const char *const *role;
	size_t n_roles; /* 0: it was one query */
};

/*
 * An answer of `query`: one reading, or one for each role, in their order. The
 * series are in the order of labels and bounds, no two alike; a NaN is no
 * sample, and a histogram with one is none. They are in the arena. A reading's
 * answer is the number of series, or no data; warnings are in the first one.
 * Errors as those of answer_decode.
 */
MUST_CHECK int counter_decode(const struct counter_reply *reply,
	struct arena *arena, struct metric_reading *readings_r,
	struct err *err_r);

struct past_table;

/* An answer of query_range: the looks `from` to `from` + n of the table's grid,
 * which get a row for each series. The reading has no counters. */
MUST_CHECK int counter_decode_range(const struct counter_reply *reply,
	size_t from, size_t n, struct past_table *table,
	struct metric_reading *reading_r, struct err *err_r);

#endif
