/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon is to release, or take back, by: the name of a policy that it
 * has, or the text of a file here. Only in the program tidegate-remote.
 */
#ifndef TIDEGATE_CLI_REMOTE_POLICY_H
#define TIDEGATE_CLI_REMOTE_POLICY_H

#include "base/arena.h"
#include "cli/context.h"

struct jsonw;
struct policy;
struct wire_answer;

struct remote_policy {
	/* Set by the command: what stands behind --policy. With a "/" or a "."
	 * in it it is a file, else a name. */
	const char *said;
	struct context_target target; /* what the command line says of it */

	struct arena arena;
	struct policy *policy; /* a file; NULL: it is a name */
};

/* A file is read and loaded as for `run`, but for what only the daemon has: the
 * values of variables. -1: what is wrong with it was printed on stderr. */
MUST_CHECK int remote_policy_read(
	struct remote_policy *policy, struct err *err_r);
void remote_policy_fini(struct remote_policy *policy); /* of zeros, too */

/* The members policy, service, project and region, and what our environment says
 * of the last two. */
void remote_policy_add(const struct remote_policy *policy, struct jsonw *w);

/* What the daemon says is wrong with the text, with its places, on stderr. */
void remote_policy_tell(
	const struct remote_policy *policy, const struct wire_answer *answer);

#endif
