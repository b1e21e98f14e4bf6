/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of the Prometheus HTTP API: pure JSON text -> struct. Strict: what
 * is not exactly one finite-or-infinite number is said to be what it is. No
 * series and NaN are no data, several series an error.
 */
#ifndef TIDEGATE_METRICS_ANSWER_CODEC_H
#define TIDEGATE_METRICS_ANSWER_CODEC_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "metrics/reading.h"

#define ANSWER_BYTES_MAX (128 * 1024) /* hundreds of series: a bad query */

/* `status` is HTTP's. Errors tell a bad query (ERR_INVALID) from trouble of
 * the provider (retryable codes), from missing rights (ERR_AUTH, ERR_DENIED). */
MUST_CHECK int answer_decode(int status, const char *bytes, size_t len,
	struct metric_reading *reading_r, struct err *err_r);

/* Any answer that says success, opened; the caller gives *root_r back to
 * jansson. For codecs beside this one. */
struct json_t;
MUST_CHECK int answer_open(int status, const char *bytes, size_t len,
	struct json_t **root_r, struct err *err_r);

/* What such an answer says about itself: its warnings, and whether it is
 * incomplete. */
MUST_CHECK int answer_warnings(const struct json_t *root,
	struct metric_reading *reading, struct err *err_r);

/* A sample's value as Prometheus writes it ("0.5", "1e-07", "NaN", "+Inf"),
 * whatever the locale; `text` is NUL-terminated. -1: it is not one. */
MUST_CHECK int sample_value_parse(
	const char *text, size_t len, double *value_r);

#endif
