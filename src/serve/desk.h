/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own connection to the state file, on a thread: what reads much
 * or waits for a disk. Jobs are done one after the other, in the order in which
 * they were given. Rollouts write by store/journal.h, never by this.
 */
#ifndef TIDEGATE_SERVE_DESK_H
#define TIDEGATE_SERVE_DESK_H

#include "base/err.h"

struct desk;
struct loop;
struct store;

/* The first member of whatever a job works with. */
struct desk_job {
	/* On the thread: must not touch what the loop may touch meanwhile. */
	int (*run)(
		struct desk_job *job, struct store *store, struct err *err_r);
	/* On the loop, once, later; NULL: `run` went well. */
	void (*done)(struct desk_job *job, const struct err *err);

	struct desk *desk; /* the desk's own, as is what follows */
	bool failed;
	struct err err;
};

/* The path is copied; the file is there. */
MUST_CHECK struct desk *desk_new(
	struct loop *loop, const char *path, struct err *err_r);
/* Waits for the jobs that it has, and tells what became of them. */
void desk_free(struct desk **desk);

void desk_give(struct desk *desk, struct desk_job *job);

#endif
