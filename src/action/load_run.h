/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the program that makes a load, for the types that do: gives it its order,
 * and understands its end. A load is stopped by its cancel, at once; it does not
 * outlive us.
 */
#ifndef TIDEGATE_ACTION_LOAD_RUN_H
#define TIDEGATE_ACTION_LOAD_RUN_H

#include "action/command.h"

#define LOAD_PROGRAM "tidegate-workbench"

/* Whether the program is there. */
MUST_CHECK int load_run_check(struct err *err_r);
/* `order` is wiped. `command` has env and cwd; NULL: all of our environment. */
void load_run_start(struct action_run *run, struct buf *order,
	const struct command *command);
void load_run_stop(struct action_run *run);

#endif
