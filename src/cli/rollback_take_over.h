/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate rollback` of a rollout that has not ended: it is aborted, and brought
 * to its end by the policy that it was started with. */
#ifndef TIDEGATE_CLI_ROLLBACK_TAKE_OVER_H
#define TIDEGATE_CLI_ROLLBACK_TAKE_OVER_H

#include "base/err.h"

struct arena;
struct command;
struct lease_watch;
struct store;

struct rollback_taken {
	struct store *store;
	const char *rollout, *service;
	const char *state; /* --state of the verbs that are called, or NULL */
	int format; /* enum format */
	const char *comment, *as; /* or NULL */

	/* For when nobody drives it; NULL where a daemon does. */
	const struct command *resume;
	/* A lease that was not renewed is taken, by which its holder is fenced
	 * out, and given back: `resume` need not wait for it once more. 1: it
	 * was renewed after all. */
	int (*fence_out)(const struct rollback_taken *taken,
		struct lease_watch *seen, struct arena *arena,
		struct err *err_r);
};

/* That it is aborted instead of undone, on stderr. */
void rollback_say_taken(const char *rollout);
/* Follows it to its end, once it is aborted; as below. */
MUST_CHECK int rollback_watch(
	const struct rollback_taken *taken, struct err *err_r);

/* The exit status, 0 when it was rolled back; or -1. */
MUST_CHECK int rollback_take_over(
	const struct rollback_taken *taken, struct err *err_r);

#endif
