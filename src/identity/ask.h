/*
 * For src/identity alone: one question under way. A kind of proof fills in the
 * caller and then calls ask_accept, or ask_refuse, once; both may be called
 * inside of ask_start.
 */
#ifndef TIDEGATE_IDENTITY_ASK_H
#define TIDEGATE_IDENTITY_ASK_H

#include "base/arena.h"
#include "identity/identity.h"
#include "identity/identity_store.h"

struct ask {
	struct identity *identity;
	struct server_request *request;
	struct loop *loop;
	struct identity_store *store;
	identity_fn fn;
	void *arg;
	struct arena arena;
	struct caller caller;
	const char *keys[CALLER_KEYS_MAX];
	struct refusal refusal;
	bool is_ambient; /* a browser sends this proof by itself */
	struct ask *next, **link; /* of those under way */
};

/* A key of the caller; those that do not fit are left out. */
void ask_key(struct ask *ask, const char *fmt, ...) PRINTFLIKE(2, 3);
void ask_accept(struct ask *ask);
/* With ask->refusal. */
void ask_refuse(struct ask *ask);
/* The state file could not be asked. */
void ask_refuse_store(struct ask *ask, const struct err *err);

#endif
