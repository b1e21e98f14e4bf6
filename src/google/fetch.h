/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One way to one token: the steps of a source, one after the other. The head
 * of every fetch; what is the source's own follows it.
 *
 * A step ends in exactly one of: the next step, fetch_succeed, fetch_fail. The
 * last two tell whoever waits and free the fetch, and the source when another
 * one is in its place: nothing is done after them. Neither is called from inside
 * start: what fails there is told by fetch_fail_soon.
 */
#ifndef TIDEGATE_GOOGLE_FETCH_H
#define TIDEGATE_GOOGLE_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"
#include "google/retry_request.h"

struct source;
struct timer;

/* token NULL: err says why. The token belongs to the callee; `life_s` counts
 * from the fetch's start. */
typedef void (*fetch_fn)(
	struct secret *token, int64_t life_s, const struct err *err, void *arg);

struct fetch {
	struct source *source;
	char *audience; /* an ID token for it; NULL: an access token */
	fetch_fn fn;
	void *arg;
	struct retry_request *request; /* under way */
	char *url; /* of the request */
	struct secret *body; /* of the request; wiped with it */
	struct timer *timer; /* of a failure to be told soon */
	struct err err; /* that failure */
};

/* The callback runs exactly once, later. Several may be under way. */
struct fetch *fetch_start(
	struct source *source, const char *audience, fetch_fn fn, void *arg);
void fetch_cancel(struct fetch **fetch); /* NULL inside is accepted */

/* For sources. The URL is copied, headers and secrets of the request are
 * borrowed until its callback; the body is the fetch's from now on. */
void fetch_post(struct fetch *fetch, const struct http_request *request,
	struct secret *body, retry_request_fn fn);
void fetch_get(struct fetch *fetch, const struct http_request *request,
	retry_request_fn fn);
/* First thing in a callback of these: the request is over. */
void fetch_answered(struct fetch *fetch);

void fetch_succeed(struct fetch *fetch, struct secret *token, int64_t life_s);
/* An ID token: its audience must be the one asked for, its life is in it. */
void fetch_succeed_id(struct fetch *fetch, struct secret *token,
	const struct http_reply *reply);
void fetch_fail(struct fetch *fetch, const struct err *err);
void fetch_fail_soon(struct fetch *fetch, const struct err *err);

/* Unix seconds: the sender's clock if the answer tells it, else ours. */
int64_t fetch_now_s(const struct http_reply *reply);

#endif
