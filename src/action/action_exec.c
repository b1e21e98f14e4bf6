/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type exec: one program with its arguments, no shell. What its
 * world is made of is command.c's.
 */
#include "action/command.h"

static struct command command_of(const struct action *action)
{
	const struct action_exec *exec = &action->u.exec;

	return (struct command){.argv = exec->command,
		.n_argv = exec->n_command,
		.env = exec->env,
		.n_env = exec->n_env,
		.cwd = exec->cwd};
}

static int exec_check(const struct action_env *env, const struct action *action,
	struct err *err_r)
{
	struct command command = command_of(action);

	return command_check(env, &command, err_r);
}

static void exec_ended(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;

	run->data = NULL;
	command_describe(run, end);
	action_run_end(run, command_result(run, end));
}

static void exec_begin(struct action_run *run)
{
	struct command command = command_of(run->action);

	run->data = command_start(run, &command, exec_ended);
}

static void exec_drill(struct action_run *run)
{
	struct command command = command_of(run->action);

	command_show(run, &command);
	action_run_end_soon(run, ACTION_OK);
}

static void exec_stop(struct action_run *run)
{
	struct process *process = run->data;

	process_cancel(&process);
	run->data = NULL;
}

const struct action_type action_type_exec = {
	.check = exec_check,
	.start = {[JOB_RUN] = exec_begin, [JOB_DRILL] = exec_drill},
	.cancel = exec_stop,
};
