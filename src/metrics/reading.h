/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider answered to one query. Plain data. */
#ifndef TIDEGATE_METRICS_READING_H
#define TIDEGATE_METRICS_READING_H

#include <stddef.h>

#include "engine/check.h"
#include "metrics/counters.h"

#define WARNINGS_BYTES_MAX 1024 /* with the NUL; longer ones are cut */

struct metric_reading {
	struct answer answer; /* a value, or no data */
	size_t series; /* that it consists of */
	/* Of a query for counters; borrowed, gone with the answer. */
	struct counter_answer counters;
	char *warnings; /* the provider's, printable; NULL: none. To be freed */
};

#endif
