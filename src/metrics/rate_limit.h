/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who must not be asked before when: by origin, or by path where limits are
 * each path's own, and by who asks. Private to jsonapi.
 */
#ifndef TIDEGATE_METRICS_RATE_LIMIT_H
#define TIDEGATE_METRICS_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define RATE_LIMITS_MAX      64
#define RATE_LIMIT_MS_MIN    1000 /* where a 429 says nothing; doubles … */
#define RATE_LIMIT_MS_UNSAID 30000 /* … up to here */

struct http_reply;
struct rate_limits;

struct rate_limits *rate_limits_new(void);
void rate_limits_free(struct rate_limits **limits);

/* Milliseconds until it may be asked; 0: now. */
int64_t rate_limits_left_ms(const struct rate_limits *limits,
	const struct json_source *source, const char *url, int64_t now_ms);
/* Takes what an answer says; the same. The source is borrowed for the life of
 * `limits`. */
int64_t rate_limits_take(struct rate_limits *limits,
	const struct json_source *source, const char *url,
	const struct http_reply *reply, int64_t now_ms);

/* Whether two sources ask in the same way, as the same person. */
bool source_is_alike(const struct json_source *a, const struct json_source *b);

#endif
