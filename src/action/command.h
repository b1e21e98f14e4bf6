/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of actions: arguments with templates, an environment that is built
 * and not inherited, a folder, and what is said of their end. For the types
 * that run programs.
 */
#ifndef TIDEGATE_ACTION_COMMAND_H
#define TIDEGATE_ACTION_COMMAND_H

#include "action/action.h"
#include "io/process.h"

struct command {
	const char *const *argv; /* with templates */
	size_t n_argv;
	const struct env_var *env;
	size_t n_env;
	const char *cwd; /* relative to the policy's folder; NULL: that */
	/* Names of variables that it gets from us beside PATH, HOME and LANG;
	 * ends with NULL; NULL: none. */
	const char *const *inherited;
	const char *input; /* see process_spec; NULL: none */
};

/* Whether its program can be run. */
MUST_CHECK int command_check(const struct action_env *env,
	const struct command *command, struct err *err_r);
/* Runs it for what is left of the action's time; from now on the action's own
 * timer is off, so that what the program printed is kept. `fn` has `run`. */
struct process *command_start(
	struct action_run *run, const struct command *command, process_fn fn);

/* How it ended and what it printed, appended to the detail. */
void command_describe(struct action_run *run, const struct process_end *end);
/* ACTION_OK for exit status 0. */
enum action_result command_result(
	const struct action_run *run, const struct process_end *end);
/* "would run ./x --all", appended to the detail. */
void command_show(struct action_run *run, const struct command *command);

#endif
