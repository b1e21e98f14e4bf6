/*
 * A rollout out of the state file, as every process can see it: its row, its
 * policy as it was when it started, its journal folded. For looking and for
 * asking the engine "what if"; nothing of the world is needed, no secret.
 */
#ifndef TIDEGATE_CLI_FOLDED_H
#define TIDEGATE_CLI_FOLDED_H

#include "base/arena.h"
#include "policy/policy.h"
#include "store/fold.h"
#include "store/store.h"

struct folded {
	struct arena arena;
	struct store_rollout row; /* as of the last load or reload */
	struct policy *policy;
	struct fold fold;
};

/* Which rollout a command means when none is named. */
enum folded_default {
	FOLDED_UNFINISHED, /* the only unfinished one */
	FOLDED_NEWEST, /* or, when all have ended, the newest */
};

/* `name`: an id or an unambiguous beginning of one, NULL: see above. NULL with
 * err_r; the caller frees it. */
MUST_CHECK struct folded *folded_load(struct store *store, const char *name,
	enum folded_default otherwise, struct err *err_r);
/* Takes in what was journaled since; the row stays as it was. */
MUST_CHECK int folded_update(
	struct folded *folded, struct store *store, struct err *err_r);
/* The row as it is now: preflight has learnt the revisions. */
MUST_CHECK int folded_reload_row(
	struct folded *folded, struct store *store, struct err *err_r);
void folded_free(struct folded **folded);

/* Who drives it: 1 with lease_r in the folded's arena, 0 nobody, -1 error. */
MUST_CHECK int folded_driver(struct folded *folded, struct store *store,
	struct store_lease *lease_r, struct err *err_r);

#endif
