/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer says about how soon its sender may be asked again: Retry-After
 * and the headers that count what is left of a limit. Pure.
 */
#ifndef TIDEGATE_METRICS_RATE_LIMIT_HEADERS_H
#define TIDEGATE_METRICS_RATE_LIMIT_HEADERS_H

#include <stdint.h>

#define RATE_LIMIT_WAIT_MS_MAX INT64_C(3600000) /* more is not believed */

/* A header of the answer; NULL: it has none of this name. */
typedef const char *(*rate_limit_header_fn)(const char *name, const void *arg);

struct rate_limit_answer {
	int status;
	int64_t retry_after_ms; /* 0: none */
	int64_t clock_ms; /* of its sender, since 1970 */
	rate_limit_header_fn header;
	const void *arg;
};

/* How long not to ask again; 0: it does not say. */
int64_t rate_limit_wait_ms(const struct rate_limit_answer *answer);

#endif
