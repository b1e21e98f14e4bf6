/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `tidegate rollback` share: who goes back to whom, found
 * out before anything moves.
 *
 *   cmd_rollback.c     the verb, in order
 *   rollback_find.c    the journal and the service: who is stable
 *   rollback_drill.c   --drill
 */
#ifndef TIDEGATE_CLI_ROLLBACK_H
#define TIDEGATE_CLI_ROLLBACK_H

#include "base/arena.h"
#include "cli/foreground.h"
#include "cloudrun/service_codec.h"

struct rollback {
	/* Asked for. */
	const char *service; /* full name */
	const char *to, *wanted_candidate; /* NULL: not said */
	bool again;
	const struct policy *policy;
	struct foreground foreground;

	/* Found; texts live in the arena. */
	struct arena arena;
	const char *stable, *candidate; /* NULL: not known (yet) */
	const char *after; /* the rollout that is undone; NULL: none */
	bool unfinished; /* `after` has not ended */
	bool failed; /* `after` is a rollback that failed */
	struct service *found; /* as read */
};

/* What the journal knows. -1: refused. */
MUST_CHECK int rollback_look_back(struct rollback *rollback, struct err *err_r);
/* Reads the service; waits for it as long as the policy's revert_timeout. The
 * foreground is open. */
MUST_CHECK int rollback_survey(struct rollback *rollback, struct err *err_r);
/* 1: `stable` and `candidate` are known and there is something to do; 0:
 * nothing is to be done; -1: refused. */
MUST_CHECK int rollback_decide(struct rollback *rollback, struct err *err_r);

/* Every read and probe, no write; prints the table. The exit status. */
MUST_CHECK int rollback_drill(struct rollback *rollback, struct err *err_r);

#endif
