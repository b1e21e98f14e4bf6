/* SPDX-License-Identifier: Apache-2.0 */
/* What k6 says: its exit statuses and `--summary-export`. Pure. */
#ifndef TIDEGATE_LOAD_K6_CODEC_H
#define TIDEGATE_LOAD_K6_CODEC_H

#include <stddef.h>

#include "base/err.h"
#include "load/figures.h"

#define K6_SUMMARY_MAX (1024 * 1024) /* bytes */

enum k6_verdict {
	K6_PASSED,
	K6_MISSED, /* it judged, and the candidate failed */
	K6_ERROR, /* it could not judge */
};

/* `why_r`: in words; NULL for K6_PASSED. */
enum k6_verdict k6_verdict_of(int exit_status, const char **why_r);

/* Its figures; those of a load without HTTP requests are 0. ERR_PROTOCOL. */
MUST_CHECK int k6_summary_parse(const char *bytes, size_t len,
	struct load_figures *figures_r, struct err *err_r);

#endif
