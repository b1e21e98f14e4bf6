/* SPDX-License-Identifier: Apache-2.0 */
/* `tidegate rollback` of a rollout that has not ended: it is aborted, and brought
 * to its end by the policy that it was started with. */
#ifndef TIDEGATE_CLI_ROLLBACK_TAKE_OVER_H
#define TIDEGATE_CLI_ROLLBACK_TAKE_OVER_H

#include "base/err.h"

struct command;
struct store;

struct rollback_taken {
	struct store *store;
	const char *rollout, *service;
	const char *state; /* --state of the verbs that are called, or NULL */
	int format; /* enum format */
	const char *comment, *as; /* or NULL */
	/* What goes on with it when nobody drives it; NULL: it is driven. */
	const struct command *resume;
};

/* The exit status, 0 when it was rolled back; or -1. */
MUST_CHECK int rollback_take_over(
	const struct rollback_taken *taken, struct err *err_r);

#endif
