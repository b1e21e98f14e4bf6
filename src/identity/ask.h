/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For src/identity alone: one question under way. A kind of proof fills in the
 * caller and then calls ask_accept or ask_refuse, once, at once or later. What
 * every caller has to pass whatever the proof is asked there.
 */
#ifndef TIDEGATE_IDENTITY_ASK_H
#define TIDEGATE_IDENTITY_ASK_H

#include "base/arena.h"
#include "identity/attempts.h"
#include "identity/identity.h"
#include "identity/identity_store.h"

/* What all questions share; of the identity. */
struct ask_common {
	struct loop *loop;
	struct identity_store *store;
	const char *own_origin; /* "https://host"; NULL: this machine's */
	bool behind_proxy;
	struct attempts *failures; /* by address, by address and token */
	struct attempts *successes; /* by key */
	struct ask *asks; /* under way */
};

struct ask {
	struct ask_common *common;
	struct server_request *request;
	identity_fn fn;
	void *arg;
	struct arena arena;
	struct caller caller;
	const char *keys[CALLER_KEYS_MAX];
	struct refusal refusal;
	bool is_ambient; /* a browser sends this proof by itself */
	/* What a browser's forms are bound to; NULL: the first key. */
	const char *form_binding;
	const struct slack_action *action; /* NULL: it is no button of Slack */
	bool was_told;
	struct ask *next, **link; /* of those under way */
};

struct ask *ask_new(struct ask_common *common, struct server_request *request,
	identity_fn fn, void *arg);

/* A key of the caller; one that is too long, does not fit or is not printable
 * is left out. */
void ask_key(struct ask *ask, const char *fmt, ...) PRINTFLIKE(2, 3);

void ask_accept(struct ask *ask);
void ask_refuse(struct ask *ask); /* with ask->refusal */
/* The state file could not be asked. */
void ask_refuse_store(struct ask *ask, const struct err *err);

/* Ends it without an answer: it has had one. */
void ask_drop(struct ask *ask);

/* A token of ours (caller.proof) that was wrong too often lately, from there, is
 * not looked at, and refused here: then this is false. All other proofs are
 * judged, whoever else comes from the same address: a wrong one is refused as one
 * too many, a right one is taken. */
bool ask_may_try(struct ask *ask);

/* Of all that are left: they are told that the daemon stops. */
void ask_end_all(struct ask_common *common);

#endif
