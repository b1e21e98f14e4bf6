/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lengths of time as people write them: "500ms", "30s", "1h30m", "2d".
 * Units: ms, s, m, h, d. Times are int64_t milliseconds everywhere.
 */
#ifndef TIDEGATE_BASE_DURATION_H
#define TIDEGATE_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DURATION_MS_MAX   INT64_C(31536000000) /* 365 days */
#define DURATION_TEXT_MAX 32

/* Whole units, largest first, each once; fractions only as "1.5s". */
MUST_CHECK int duration_parse(
	const char *text, int64_t *ms_r, struct err *err_r);

/* The shortest exact form ("90s" gives "1m30s"); returns `text`. */
const char *duration_print(int64_t ms, char text[DURATION_TEXT_MAX]);
/* The same at the end of `out`. */
void duration_add(struct buf *out, int64_t ms);

#endif
