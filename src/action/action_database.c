/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type database: takes a schema back, if it can go back. The guard
 * is asked first; when it says no, the schema is kept and that is said: a
 * skipped downgrade is no failure. Runs programs, knows no database.
 *
 *   database_begin -> database_guarded -> database_command -> database_ended
 */
#include <stdlib.h>

#include "action/command.h"

static struct command command_of(const struct action *action)
{
	const struct action_exec *exec = &action->u.database.exec;

	return (struct command){.argv = exec->command,
		.n_argv = exec->n_command,
		.env = exec->env,
		.n_env = exec->n_env,
		.cwd = exec->cwd};
}

static struct command guard_of(const struct action *action)
{
	struct command command = command_of(action);

	command.argv = action->u.database.guard;
	command.n_argv = action->u.database.n_guard;
	return command;
}

static int database_check(const struct action_env *env,
	const struct action *action, struct err *err_r)
{
	struct command command = command_of(action), guard = guard_of(action);

	if (command_check(env, &command, err_r) < 0)
		return -1;
	if (guard.argv && command_check(env, &guard, err_r) < 0)
		return err_wrap(err_r, "guard");
	return 0;
}

static void database_ended(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	enum action_result result = command_result(run, end);

	run->data = NULL;
	buf_adds(&run->detail,
		result == ACTION_OK ? "downgraded: " : "not downgraded: ");
	command_describe(run, end);
	action_run_end(run, result);
}

static void database_command(struct action_run *run)
{
	struct command command = command_of(run->action);

	if (run->job == JOB_DRILL) {
		command_show(run, &command);
		action_run_end_soon(run, ACTION_OK);
		return;
	}
	run->data = command_start(run, &command, database_ended);
}

/* Only a guard that ran and ended by itself has said no. */
static void database_guarded(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;

	run->data = NULL;
	if (!end->err && !end->timed_out && end->exit_status == 0) {
		database_command(run);
		return;
	}
	if (end->err || end->timed_out || end->signal) {
		buf_adds(&run->detail, "the guard could not be asked: ");
		command_describe(run, end);
		action_run_end(run, ACTION_FAILED);
		return;
	}
	buf_adds(&run->detail,
		"not possible: the schema is kept, the guard says no: ");
	command_describe(run, end);
	action_run_end(run, ACTION_SKIPPED);
}

static void database_begin(struct action_run *run)
{
	struct command guard = guard_of(run->action);

	if (guard.argv)
		run->data = command_start(run, &guard, database_guarded);
	else
		database_command(run);
}

static void database_stop(struct action_run *run)
{
	struct process *process = run->data;

	process_cancel(&process);
	run->data = NULL;
}

const struct action_type action_type_database = {
	.check = database_check,
	.start = {[JOB_RUN] = database_begin, [JOB_DRILL] = database_begin},
	.cancel = database_stop,
};
