/*
 * One rollout in the foreground, for `run` and `resume`: makes the world,
 * prints the journal as it is written, takes the signals, says how it ended.
 */
#ifndef TIDEGATE_CLI_DRIVE_H
#define TIDEGATE_CLI_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/journal_print.h"
#include "cli/view.h"
#include "live/fleet.h"
#include "live/world.h"

struct drive {
	/* Set by the command. */
	const char *project, *region;
	int format; /* enum format */
	bool quiet; /* no progress: only how it ended */
	bool going_back; /* rolled back is what was wanted: exit with 0 */
	struct store *store; /* borrowed */

	/* The world, made by drive_open. */
	struct world world;
	struct fleet *fleet;

	/* Set by the command after drive_open; freed by drive_close. */
	struct driver *driver;

	struct journal_place place; /* of the entry printed last, as JSON */

	/* The view on a terminal, when stderr is one. */
	bool painting;
	struct screen screen;
	struct timer *tick;

	int status; /* -1: not ended */
	struct err err; /* code ERR_NONE: the end phase says it all */
};

extern const struct observer drive_observer; /* arg: the drive */

/* Loads the policy; `source` NULL: out of the file. What is wrong with it is
 * printed on stderr, err_r counts it. */
MUST_CHECK struct policy *drive_policy(
	const char *path, const char *source, struct err *err_r);

MUST_CHECK int drive_open(struct drive *drive, struct err *err_r);
/* Runs until the rollout ends: its exit status, or -1. */
MUST_CHECK int drive_run(struct drive *drive, struct err *err_r);
void drive_close(struct drive *drive);

#endif
