/*
 * One request of the way to a token, tried up to EXCHANGE_ATTEMPTS times:
 * what the server or the network may get over is asked again after a wait of
 * `backoff_ms`, doubling, 10 % more or less, never shorter than Retry-After.
 */
#ifndef TIDEGATE_GOOGLE_EXCHANGE_H
#define TIDEGATE_GOOGLE_EXCHANGE_H

#include "io/http.h"

#define EXCHANGE_ATTEMPTS        3
#define EXCHANGE_BACKOFF_MS      1000
#define EXCHANGE_RETRY_AFTER_MAX 30000 /* ms; longer is cut to this */
#define EXCHANGE_TIMEOUT_MS      10000 /* of each attempt */
#define EXCHANGE_BODY_MAX        (64 * 1024)

struct exchange;
struct loop;

struct exchange_env {
	struct loop *loop;
	struct http *http;
	int64_t backoff_ms; /* EXCHANGE_BACKOFF_MS but in tests */
	struct http_clock *clock; /* told by each answer; may be NULL */
};

/* err NULL: status 200. On errors `reply` is the last one, or NULL. */
typedef void (*exchange_fn)(
	const struct http_reply *reply, const struct err *err, void *arg);

/* `request` and all it points at are borrowed until the callback, which runs
 * exactly once, later. Its limits and flags for the way are set here, but for
 * a timeout that it has: then it is sent only once. */
struct exchange *exchange_start(const struct exchange_env *env,
	const struct http_request *request, exchange_fn fn, void *arg);
void exchange_cancel(struct exchange **exchange); /* NULL inside is accepted */

#endif
