/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rollout that a daemon drives, as `run` shows and ends one that it drives
 * itself: the journal as it grows, a panel on a terminal, signals, how it ended.
 * Only in the program tidegate-remote.
 */
#ifndef TIDEGATE_CLI_RUN_FOLLOW_H
#define TIDEGATE_CLI_RUN_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct interruption;

struct run_follow_options {
	const char *who; /* whose keys these are; NULL: there are none */
	int format; /* enum format */
	bool quiet; /* no progress: only how it ended */
	bool utc; /* times on a terminal */
	bool going_back; /* rolled back is what was wanted: 0 then */
	int64_t wait_ms; /* as `run --wait`; < 0: for ever */
};

/* What interrupts it has been awaited since before it was started. Until it ends, or is left: the exit status of `run`, or -1. */
MUST_CHECK int run_follow(struct interruption *interruption,
	const char *rollout, const struct run_follow_options *options,
	struct err *err_r);

#endif
