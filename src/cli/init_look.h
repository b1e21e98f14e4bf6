/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at a service and its metrics, for `tidegate init`: who is stable, which
 * metrics there are, what a week of them was like. Only reads.
 */
#ifndef TIDEGATE_CLI_INIT_LOOK_H
#define TIDEGATE_CLI_INIT_LOOK_H

#include "cli/context.h"

struct init_wish {
	const char *metrics; /* URL; NULL: $PROMETHEUS_URL */
	const char *token_file; /* NULL: none */
	const char *selector, *counter, *histogram; /* NULL: not said */
	const char *stable; /* NULL: who serves */
	const char *from; /* when the week begins */
	const char *path; /* of the smoke probe */
	bool is_managed, is_evidence;
};

/* The policy, and what is to be told of it. `target` is resolved. */
MUST_CHECK int init_look(const struct init_wish *wish,
	const struct context_target *target, struct buf *policy,
	struct buf *told, struct err *err_r);

#endif
