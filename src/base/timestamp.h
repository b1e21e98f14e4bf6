/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points in time as text: RFC 3339 in UTC. Pure: it never asks for the time.
 * Times are int64_t milliseconds since 1970-01-01T00:00:00Z.
 */
#ifndef TIDEGATE_BASE_TIMESTAMP_H
#define TIDEGATE_BASE_TIMESTAMP_H

#include <stdint.h>

#include "base/err.h"

#define TIMESTAMP_TEXT_MAX 32
#define TIMESTAMP_MS_MIN   INT64_C(-62135596800000) /* year 1 */
#define TIMESTAMP_MS_MAX   INT64_C(253402300799999) /* year 9999 */

/* "2026-01-01T00:00:00.000Z"; returns `text`. Out of range is clamped. */
const char *timestamp_print(int64_t ms, char text[TIMESTAMP_TEXT_MAX]);

/* "20260101-000000", the middle of a rollout's id; returns `text`. */
const char *timestamp_print_id(int64_t ms, char text[TIMESTAMP_TEXT_MAX]);

/* "00:00:00": the time of day in UTC; returns `text`. */
const char *timestamp_print_clock(int64_t ms, char text[TIMESTAMP_TEXT_MAX]);

/* RFC 3339 with 0 to 9 digits of fraction and any offset. */
MUST_CHECK int timestamp_parse(
	const char *text, int64_t *ms_r, struct err *err_r);

/* As a person writes it: RFC 3339, Unix seconds, "now", or "-2h": that long
 * before `now_ms`. */
MUST_CHECK int timestamp_parse_point(
	const char *text, int64_t now_ms, int64_t *ms_r, struct err *err_r);

#endif
