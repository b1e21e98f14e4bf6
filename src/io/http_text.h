/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts of HTTP that need no library: what may stand in a request, and
 * what a Retry-After says. Part of http.c, apart so that it can be tested.
 */
#ifndef TIDEGATE_IO_HTTP_TEXT_H
#define TIDEGATE_IO_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct http_request;

/* Method, header names and values, credentials: nothing in them may end a
 * line or be cut short at a NUL. Messages never show a value. */
MUST_CHECK int http_request_check(
	const struct http_request *request, struct err *err_r);

/* Milliseconds to wait: seconds, or an HTTP-date relative to `now_ms`; 0 for
 * NULL, the past and what is neither; at most RETRY_AFTER_MS_MAX. */
#define RETRY_AFTER_MS_MAX INT64_C(86400000)
int64_t http_retry_after_parse(const char *value, int64_t now_ms);

/* An HTTP-date in milliseconds since 1970; 0 for NULL and what is none. */
int64_t http_date_parse(const char *value);

#endif
