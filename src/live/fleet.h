/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rollouts that one process drives: one journal write per turn of the loop
 * for all of them, one look for operators' commands, one heartbeat for all
 * leases, and the news that the process stood still.
 */
#ifndef TIDEGATE_LIVE_FLEET_H
#define TIDEGATE_LIVE_FLEET_H

#include "live/driver.h"
#include "store/journal.h"

struct fleet;
struct world;

/* The world is borrowed. */
MUST_CHECK struct fleet *fleet_new(struct world *world, struct err *err_r);
void fleet_free(struct fleet **fleet); /* when no rollout is left */

/* A new rollout: takes the lease (waits up to 30 s for it), then starts.
 * `policy` is borrowed; texts of the options are copied. */
MUST_CHECK struct driver *fleet_run(struct fleet *fleet,
	const struct policy *policy, const struct driver_options *options,
	const struct observer *observer, struct err *err_r);
/* Goes on with one that was left: takes the lease, folds its journal. Of the
 * options only `starter` (who resumes) and `wait_ms` are used. `policy` is
 * the one that was journaled with the rollout. */
MUST_CHECK struct driver *fleet_resume(struct fleet *fleet,
	const struct policy *policy, const char *rollout,
	const struct driver_options *options, const struct observer *observer,
	struct err *err_r);
/* Stops driving; journals nothing. NULL inside is accepted. */
void fleet_drop(struct fleet *fleet, struct driver **driver);

/* Turns the loop until the programs of those that have quit are gone, a few
 * seconds at most. Not to be called from a callback. */
void fleet_let_end(const struct fleet *fleet);

/* Of the journal that all of them write; see store/journal.h. */
void fleet_watch_commits(struct fleet *fleet, journal_commit_fn fn, void *arg);

/* Looks for operators' commands now, and not at the next look: one was left. */
void fleet_hurry(struct fleet *fleet);

#endif
