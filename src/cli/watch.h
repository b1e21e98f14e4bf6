/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a rollout from outside to its end, for `watch` and `status --follow`:
 * with a panel and keys on a terminal, with lines elsewhere.
 */
#ifndef TIDEGATE_CLI_WATCH_H
#define TIDEGATE_CLI_WATCH_H

#include "cli/context.h"
#include "cli/local_clock.h"

struct watch_options {
	const char *state, *as;
	int format; /* enum format */
	bool utc;
	/* It ends, too, when nobody drives the rollout, which is said here; NULL:
	 * who watches waits for somebody who does. */
	bool *alone_r;
};

/* `name` NULL: the only unfinished rollout. The exit status of the rollout, 0
 * when it was left by a key or is alone, or -1. */
MUST_CHECK int watch_follow(const struct watch_options *options,
	const char *name, struct err *err_r);

#endif
