/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the way to a token, tried up to RETRY_REQUEST_ATTEMPTS times:
 * what the server or the network may get over is asked again after a wait of
 * up to `backoff_ms`, doubling (engine/backoff.h), never shorter than
 * Retry-After.
 */
#ifndef TIDEGATE_GOOGLE_RETRY_REQUEST_H
#define TIDEGATE_GOOGLE_RETRY_REQUEST_H

#include "io/http.h"

#define RETRY_REQUEST_ATTEMPTS   3
#define RETRY_REQUEST_BACKOFF_MS 1000
#define RETRY_REQUEST_AFTER_MAX  30000 /* ms; longer is cut to this */
#define RETRY_REQUEST_TIMEOUT_MS 10000 /* of each attempt */
#define RETRY_REQUEST_BODY_MAX   (64 * 1024)

struct retry_request;
struct loop;

struct retry_env {
	struct loop *loop;
	struct http *http;
	int64_t backoff_ms; /* RETRY_REQUEST_BACKOFF_MS but in tests */
	struct http_clock *clock; /* told by each answer; may be NULL */
};

/* err NULL: status 200. On errors `reply` is the last one, or NULL. */
typedef void (*retry_request_fn)(
	const struct http_reply *reply, const struct err *err, void *arg);

/* `request` and all it points at are borrowed until the callback, which runs
 * exactly once, later. Its limits and flags for the way are set here, but for
 * a timeout that it has: then it is sent only once. */
struct retry_request *retry_request_start(const struct retry_env *env,
	const struct http_request *request, retry_request_fn fn, void *arg);
void retry_request_cancel(
	struct retry_request **retry); /* NULL inside is accepted */

#endif
