/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the calls of this folder share: one request at a time. Nothing but what
 * was answered 401 is ever sent twice here. Private to src/cloudrun.
 */
#ifndef TIDEGATE_CLOUDRUN_CLOUDRUN_CALL_H
#define TIDEGATE_CLOUDRUN_CLOUDRUN_CALL_H

#include <sys/queue.h>

#include "api/request.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"

struct cloudrun {
	struct api api;
	char *base; /* https://run.googleapis.com/v2/ */
	char *project, *region;
	LIST_HEAD(, cloudrun_call) calls;
	int waits; /* requests that are held open over there */
	struct http_clock clock;
};

/* Frees the call, or sends its next request. `err` is NULL for 2xx only. */
typedef void (*reply_fn)(
	struct cloudrun_call *call, const struct http_reply *reply);

/* Following the operation of a write. */
struct follow {
	char *operation; /* NULL: the write is not accepted yet */
	bool polling; /* GET, because :wait is not to be had */
	bool waiting; /* counted in `waits` */
	bool hurry; /* it is not to be followed */
	int looks; /* since the last good reason to start over: for back-off */
	int failures; /* in a row */
	int64_t generation; /* of the service, as the operation told; 0 */
};

/* Looking around: what is asked for and what was counted so far. */
struct look_around {
	const char *const *permissions;
	char *revision;
	int pages, newer;
};

struct cloudrun_listing;

struct cloudrun_call {
	LIST_ENTRY(cloudrun_call) entry;
	struct cloudrun *cloudrun;
	struct request *request; /* under way */
	reply_fn replied;
	const struct decoder *decoder; /* NULL: the answer is short */
	struct follow follow;
	struct look_around look;
	struct cloudrun_listing *listing; /* NULL: it lists nothing */
	void (*listing_free)(struct cloudrun_listing *listing);
	struct timer *timer; /* the next look, or a failure to be told */
	struct timer *deadline;
	char *name; /* of what is asked for */
	/* Of the answer that is no news. */
	unsigned char known[DIGEST_BYTES];
	size_t known_len; /* 0: none is known */
	struct err *err; /* of a failure to be told later; NULL: none */
	union {
		cloudrun_service_fn service;
		cloudrun_revision_fn revision;
		cloudrun_write_fn write;
		cloudrun_permissions_fn permissions;
		cloudrun_newer_fn newer;
		cloudrun_services_fn services;
	} fn;
	void *arg;
};

/* A call that has nothing under way yet. `name` becomes its own. */
struct cloudrun_call *cloudrun_call_new(
	struct cloudrun *cloudrun, char *name, void *arg);
/* Cancels what is under way. */
void cloudrun_call_free(struct cloudrun_call *call);

/* Answers with the error instead, in a later turn. */
void cloudrun_call_refuse(
	struct cloudrun_call *call, const struct err *err, reply_fn fn);

/* The error for the caller: what was being done, to what. NULL stays NULL;
 * borrowed from `err_r`. */
const struct err *cloudrun_call_err(const struct cloudrun_call *call,
	const char *doing, const struct err *err, struct err *err_r);

/* Sends to base + path; `path` and `body` (NULL: none) become the call's. One
 * at a time: `fn` is called once, later, unless the call is freed. */
void cloudrun_call_send(struct cloudrun_call *call, const char *method,
	char *path, char *body, int64_t timeout_ms, reply_fn fn);

/* -1: it is not the full name of a service. */
MUST_CHECK int cloudrun_check_service(const char *name, struct err *err_r);

#endif
