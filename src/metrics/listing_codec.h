/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Prometheus has: series and their labels, values of a label, how far
 * samples of a series are apart. Pure JSON text -> lists. Strict; errors are
 * those of answer_decode.
 */
#ifndef TIDEGATE_METRICS_LISTING_CODEC_H
#define TIDEGATE_METRICS_LISTING_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define LISTING_BYTES_MAX  (8 * 1024 * 1024) /* of an answer */
#define LISTING_SERIES_MAX 20000
#define LISTING_TEXTS_MAX  20000
#define LISTING_TEXT_MAX   4096 /* bytes of a name or a value */

struct listed_label {
	const char *name, *value;
};

struct listed_series {
	const struct listed_label *label; /* __name__ is one of them */
	size_t n;
};

struct listing {
	const struct listed_series *series;
	size_t n;
};

struct listing_reply {
	int status; /* HTTP's */
	const char *bytes;
	size_t len;
};

/* An answer of `series`; the texts are in the arena. */
MUST_CHECK int listing_decode_series(const struct listing_reply *reply,
	struct arena *arena, struct listing *listing_r, struct err *err_r);

/* An answer of `label/NAME/values`. */
MUST_CHECK int listing_decode_values(const struct listing_reply *reply,
	struct arena *arena, const char *const **value_r, size_t *n_r,
	struct err *err_r);

/* An answer of `query` with the raw samples of series, as NAME{…}[10m] gives
 * them: the usual time from one to the next in milliseconds; 0: too few. */
MUST_CHECK int listing_decode_gap(const struct listing_reply *reply,
	int64_t *gap_ms_r, struct err *err_r);

/* The value of a label; NULL: there is none. */
const char *listed_value(const struct listed_series *series, const char *name);

#endif
