/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A decision of somebody about a rollout that they have seen: judged by what
 * they may do and by the engine's own rules, left as an operator's command, and
 * told when the rollout's driver has answered it. The one way for all requests,
 * pages and chats.
 */
#ifndef TIDEGATE_SERVE_DECISION_H
#define TIDEGATE_SERVE_DECISION_H

#include "engine/event.h"
#include "serve/views.h"
#include "store/store_once.h"

struct daemon;
struct decision;
struct visitor;

struct decision_order {
	const char *rollout;
	enum verb verb;
	/* What they have seen: the step from 1 (0: none was shown), and the
	 * candidate ("" while it was not known). */
	int step;
	const char *candidate;
	const char *comment; /* "": none */
	bool was_shown; /* by a message of ours: that it is there is no secret */
	/* Kept with it, so that it is carried out once; NULL: no key came. */
	const struct store_once *once;
	/* The key of the request that this is the work of, which is kept by now;
	 * NULL: none. */
	const char *part_of;
};

enum decision_result {
	DECIDED_TAKEN, /* by the driver; `command` has its answer */
	DECIDED_WAITING, /* recorded: nobody drives it, or has not answered */
	DECIDED_BEFORE, /* with this key: `known` */
	DECIDED_UNKNOWN, /* there is no such rollout that they may see */
	DECIDED_DENIED, /* a right is missing */
	DECIDED_UNLISTED, /* they are not among the approvers */
	DECIDED_MOVED_ON, /* what they have seen is not what is */
	DECIDED_UNCOMMENTED, /* people have to say why */
	DECIDED_REFUSED, /* the engine does not take it */
	DECIDED_FAILED, /* the state file could not be used */
};

struct decision_answer {
	enum decision_result result;
	const char *text; /* why not; "" when it was taken */
	/* What there is, before it was taken; NULL: not known. To be shown to
	 * those alone who may see it. */
	const struct view *view;
	bool may_see;
	const struct store_command *command; /* taken, waiting; else NULL */
	const struct store_once *known;
	bool is_driven;
};

/* Once, later; valid during the call. */
typedef void (*decision_fn)(const struct decision_answer *answer, void *arg);

/* The order is copied; the visitor is borrowed until `fn` is told. */
void decision_make(struct daemon *daemon, const struct visitor *visitor,
	const struct decision_order *order, decision_fn fn, void *arg);

/* "403 Forbidden" and its like. */
int decision_status(enum decision_result result);
const char *decision_code(enum decision_result result);

#endif
