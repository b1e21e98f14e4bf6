/* SPDX-License-Identifier: Apache-2.0 */
/* The program that makes a load; see load_run.h. */
#define _GNU_SOURCE /* environ */
#include "action/load_run.h"

#include <stdlib.h>
#include <unistd.h>

#include "action/load_codec.h"
#include "io/loop.h"
#include "io/program.h"

int load_run_check(struct err *err_r)
{
	char *path = program_find(LOAD_PROGRAM, err_r);

	free(path);
	return path ? 0 : -1;
}

/* What was not judged says nothing about the candidate: not known, and left to
 * a person. */
static enum action_result load_result(
	const struct action_run *run, const struct process_end *end, bool told)
{
	if (told && end->exit_status == LOAD_PASSED)
		return ACTION_OK;
	if (told && end->exit_status == LOAD_MISSED)
		return ACTION_FAILED;
	return action_cut_off(run->action);
}

static bool load_told(const char *line, size_t len, void *arg)
{
	struct action_run *run = arg;
	struct load_live live;

	if (!load_live_read(line, len, &live))
		return false;
	run->live = live;
	return true;
}

static void load_ended(const struct process_end *end, void *arg)
{
	struct action_run *run = arg;
	bool told;

	run->data = NULL;
	told = load_summary_read(end->output, end->output_len, &run->detail);
	if (!told)
		command_describe(run, end);
	action_run_end(run, load_result(run, end, told));
}

void load_run_start(struct action_run *run, struct buf *order,
	const struct command *command)
{
	struct err err;
	char *path = program_find(LOAD_PROGRAM, &err);
	const char *argv[] = {path, "load", "-", NULL};
	struct command as = command ? *command : (struct command){0};
	struct process_spec spec = {
		.argv = argv,
		.env = (const char *const *)environ,
		.timeout_ms = action_time_left(run),
		.input = order->data,
		.line = load_told,
		.crew = run->env->programs,
		.stopped_ms_max = action_stopped_ms_max(run),
	};

	as.argv = argv;
	as.n_argv = 3;
	as.input = order->data;
	if (!path || order->overflow) {
		buf_adds(&run->detail,
			path ? "its requests are too long" : err.text);
		action_run_end_soon(run, ACTION_UNKNOWN);
	} else if (command) {
		run->data = command_start(run, &as, load_ended);
	} else {
		timer_cancel(&run->timer);
		run->data =
			process_start(run->env->loop, &spec, load_ended, run);
	}
	buf_wipe(order);
	free(path);
}

void load_run_stop(struct action_run *run)
{
	struct process *process = run->data;

	process_cancel(&process);
	run->data = NULL;
}
