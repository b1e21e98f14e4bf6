/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody who came in: the caller that was proven, and who that is among the
 * people of the configuration. Persons are compared, never keys.
 */
#ifndef TIDEGATE_SERVE_VISITOR_H
#define TIDEGATE_SERVE_VISITOR_H

#include "base/arena.h"
#include "identity/caller.h"

struct people;

struct visitor {
	struct arena arena;
	struct caller caller; /* a copy */
	/* The name under which they decide: the person's, else the first key.
	 * Never NULL. */
	const char *name;
	bool is_person; /* the name is a person's */
	/* Under which name rollouts are started: of whoever made a workflow run,
	 * when that is one of us, so that they cannot approve it. */
	const char *starter;
};

struct visitor *visitor_new(
	const struct caller *caller, const struct people *people);
void visitor_free(struct visitor **visitor);

/* Whether it is somebody of this name: by it, or by one of the keys. */
bool visitor_is(const struct visitor *visitor, const char *who);

#endif
