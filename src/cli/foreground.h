/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One rollout in the foreground, for `run` and `resume`: makes the world,
 * prints the journal as it is written, takes the signals, says how it ended.
 */
#ifndef TIDEGATE_CLI_FOREGROUND_H
#define TIDEGATE_CLI_FOREGROUND_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/context.h"
#include "cli/exporter.h"
#include "cli/live_view.h"
#include "live/fleet.h"
#include "live/world.h"
#include "status/journal_print.h"

struct foreground {
	/* Set by the command. */
	const char *project, *region;
	int format; /* enum format */
	bool quiet; /* no progress: only how it ended */
	bool utc; /* times on a terminal */
	char who[CONTEXT_NAME_MAX]; /* whose keys these are */
	bool going_back; /* rolled back is what was wanted: exit with 0 */
	/* Another rollout has begun since that was decided: nothing has been
	 * done or said, and `err` names it. */
	bool overtaken;
	struct store *store; /* borrowed */
	struct exporter_wish wish;

	pid_t exporter; /* 0: none was started */

	/* The world, made by foreground_open. */
	struct world world;
	struct fleet *fleet;
	bool listens; /* signals do not end the process any more */

	/* Set by the command after foreground_open; freed by foreground_close. */
	struct driver *driver;

	struct journal_place place; /* of the entry printed last, as JSON */

	struct timer *load_timer; /* NULL: a panel shows loads, or nobody */
	int64_t load_at_ms; /* of the line about it that was shown last */

	/* The view on a terminal, when stderr is one. */
	struct live_view view;
	struct lookback *lookback;

	int status; /* -1: not ended */
	struct err err; /* code ERR_NONE: the end phase says it all */
};

extern const struct observer foreground_observer; /* arg: the struct */

MUST_CHECK int foreground_open(
	struct foreground *foreground, struct err *err_r);
/* For what is looked at before there is a rollout, and is to be finished: signals
 * are heard from here on, not only while it runs, and trouble is told. */
MUST_CHECK int foreground_listen(
	struct foreground *foreground, struct err *err_r);
/* Runs until the rollout ends: its exit status, or -1. */
MUST_CHECK int foreground_run(struct foreground *foreground, struct err *err_r);
void foreground_close(struct foreground *foreground);

#endif
