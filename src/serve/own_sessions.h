/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions of a visitor, in whichever browser they are: those that belong
 * to the same person, or where nobody knows a person, to the same key.
 */
#ifndef TIDEGATE_SERVE_OWN_SESSIONS_H
#define TIDEGATE_SERVE_OWN_SESSIONS_H

#include "base/arena.h"
#include "serve/page_person.h"

struct people;
struct store;
struct visitor;

/* A session as people see it is `seen`. */
struct own_session {
	const char *hash; /* as the state file has it; never shown */
	struct me_session seen;
};

struct own_sessions_wish {
	const struct visitor *visitor;
	const struct people *people;
	int64_t idle_ms; /* after which one is over */
	int64_t now_ms;
};

struct visit;
/* For the visitor, now. */
struct own_sessions_wish own_sessions_wish(const struct visit *visit);

/* Those that are not over, the last used first; on the desk's thread. Texts are
 * in the arena. */
MUST_CHECK int own_sessions_find(struct store *store,
	const struct own_sessions_wish *wish, struct arena *arena,
	struct own_session **list_r, size_t *n_r, struct err *err_r);

#endif
