/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout out of the state file, as every process can see it: its row, its
 * policy as it was when it started, its journal folded. For looking and for
 * asking the engine "what if"; nothing of the world is needed, no secret.
 */
#ifndef TIDEGATE_STATUS_ROLLOUT_SNAPSHOT_H
#define TIDEGATE_STATUS_ROLLOUT_SNAPSHOT_H

#include "base/arena.h"
#include "policy/policy.h"
#include "status/lookback.h"
#include "status/summary.h"
#include "store/fold.h"
#include "store/store.h"

struct rollout_snapshot {
	struct arena arena;
	struct store_rollout row; /* as of the last load or reload */
	struct policy *policy;
	struct fold fold;
	struct lookback *lookback; /* NULL: nothing is known */
	struct store_command *waiting; /* as of rollout_snapshot_waiting */
	size_t n_waiting;
	/* As of rollout_snapshot_driver; all zero: it is not known. */
	struct load_live load;
};

/* Which rollout a command means when none is named. */
enum snapshot_default {
	SNAPSHOT_UNFINISHED, /* the only unfinished one */
	SNAPSHOT_NEWEST, /* or, when all have ended, the newest */
};

/* `name`: an id or an unambiguous beginning of one, NULL: see above. NULL with
 * err_r; the caller frees it. */
MUST_CHECK struct rollout_snapshot *rollout_snapshot_load(struct store *store,
	const char *name, enum snapshot_default otherwise, struct err *err_r);
/* The same without its journal, which the caller reads entry by entry. */
MUST_CHECK struct rollout_snapshot *rollout_snapshot_open(struct store *store,
	const char *name, enum snapshot_default otherwise, struct err *err_r);
MUST_CHECK int rollout_snapshot_take(struct rollout_snapshot *snapshot,
	const struct store_event *entry, struct err *err_r);
/* Takes in what was journaled since; the row stays as it was. */
MUST_CHECK int rollout_snapshot_update(struct rollout_snapshot *snapshot,
	struct store *store, struct err *err_r);
/* The same; `fn` is told of each entry when it is taken in. */
MUST_CHECK int rollout_snapshot_follow(struct rollout_snapshot *snapshot,
	struct store *store, store_event_fn fn, void *arg, struct err *err_r);
/* The row as it is now: preflight has learnt the revisions. */
MUST_CHECK int rollout_snapshot_reload_row(struct rollout_snapshot *snapshot,
	struct store *store, struct err *err_r);
void rollout_snapshot_free(struct rollout_snapshot **snapshot);

/* What people have decided and nobody has taken yet. */
MUST_CHECK int rollout_snapshot_waiting(struct rollout_snapshot *snapshot,
	struct store *store, struct err *err_r);

/* What a rollout's row and its folded journal tell to a summary: who drives it
 * and when it is looked at is not among that. Borrows all of it. */
struct summary_source rollout_source(const struct store_rollout *row,
	const struct policy *policy, const struct rollout *rollout,
	const struct lookback *lookback);

/* As people see it. `driver` NULL: nobody drives it, and its time stands still
 * at its last entry. Lives in `arena` and the snapshot. */
const struct summary *rollout_snapshot_summary(
	const struct rollout_snapshot *snapshot,
	const struct store_lease *driver, int64_t now_ms,
	summary_clock_fn clock, struct arena *arena);

/* Who drives it: 1 with lease_r in the snapshot's arena, 0 nobody, -1 error. */
MUST_CHECK int rollout_snapshot_driver(struct rollout_snapshot *snapshot,
	struct store *store, struct store_lease *lease_r, struct err *err_r);

#endif
