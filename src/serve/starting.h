/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request by which the daemon begins to drive a rollout, as far as all of them
 * are the same: by which policy, of which service, whether it may be, once by
 * its key, and the answer. The requests are api_start.c and api_rollback.c.
 */
#ifndef TIDEGATE_SERVE_STARTING_H
#define TIDEGATE_SERVE_STARTING_H

#include "identity/right.h"
#include "io/digest.h"
#include "live/driver.h"
#include "serve/desk.h"
#include "serve/once.h"

#define STARTING_NAME_MAX 256 /* bytes of a name that is sent */
#define STARTING_POLICY                                         \
	"The name of a policy that the daemon has, or a whole " \
	"policy as text"

struct visit;

struct starting {
	struct desk_job job; /* the request's, while it is not another's */
	struct visit *visit; /* NULL: it was answered */
	struct daemon *daemon;
	/* Taken from the shelf; NULL: given back, or handed over. */
	const struct policy *policy;
	const char *policy_name; /* "": its text was sent */
	const char *policy_title; /* what it is called in answers */
	const char *service; /* full name */
	struct store_once once, known;
	struct once_work work; /* with a key; outlives the visit */
	bool has_key, is_new, is_kept;
	/* The rollout that this request has ended, before it was cut off, and
	 * whether that went back; NULL: none. */
	const char *ended;
	bool went_back;
};

/* What was asked for; NULL: not said. */
struct starting_names {
	const char *policy;
	const char *service, *project, *region; /* else the policy's target */
	const char *default_project, *default_region; /* else these */
};

void starting_init(struct starting *starting, struct visit *visit);
/* Gives back what was taken; a key that came to nothing is new again. The visit
 * was answered. */
void starting_fini(struct starting *starting);

/* Takes policy, service and key, and asks for the right. false: it was answered
 * why not. */
MUST_CHECK bool starting_read(struct starting *starting,
	const struct starting_names *names, enum right right);

/* On the desk's thread: whether the key is new; 0 without one. */
MUST_CHECK int starting_begin_once(
	struct starting *starting, struct store *store, struct err *err_r);
/* After that, false: it was sent before: answered. What began and was not
 * answered is answered by what is kept of it. */
MUST_CHECK bool starting_is_first(struct starting *starting);
/* false: the daemon is being stopped, or drives a rollout of the service:
 * answered. */
MUST_CHECK bool starting_is_free(struct starting *starting);

/* Answers, and keeps the answer for the key. */
struct buf;
void starting_answer(
	struct starting *starting, int status, const struct buf *body);
void starting_fail(struct starting *starting, const struct err *err);

/* Begins to drive. `fn` once, later, with the visit still to be answered; or
 * false, and it was answered. */
MUST_CHECK bool starting_drive(struct starting *starting,
	const struct driver_options *options, const char *event,
	void (*fn)(const char *rollout, const struct err *err, void *arg),
	void *arg);
/* The answer to it: 201. */
void starting_answer_begun(struct starting *starting, const char *rollout);

#endif
