/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs that another program carries out, which knows their options: `tidegate
 * sandbox` becomes tidegate-sandbox, what people do at their desks
 * tidegate-workbench, the controller that stays tidegate-server.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/command.h"
#include "io/program.h"

#define SANDBOX "tidegate-sandbox"

/* Does not come back but with an error. `args` ends with NULL. */
static int become(const char *program, char **args, struct err *err_r)
{
	char *path = program_find(program, err_r);

	if (!path)
		return -1;
	args[0] = path;
	execv(path, args);
	(void)!err_set(
		err_r, ERR_IO, "%s cannot be run: %s", path, strerror(errno));
	free(path);
	return -1;
}

/* argv[0] is the verb, which the sandbox does not want to hear. */
static int sandbox_run(int argc, char **argv, struct err *err_r)
{
	char **args = xcalloc((size_t)argc + 1, sizeof(*args));
	int rc;

	memcpy(args, argv, (size_t)argc * sizeof(*args));
	rc = become(SANDBOX, args, err_r);
	free(args);
	return rc;
}

int command_elsewhere(
	const char *program, int argc, char **argv, struct err *err_r)
{
	char **args = xcalloc((size_t)argc + 2, sizeof(*args));
	int rc;

	memcpy(args + 1, argv, (size_t)argc * sizeof(*args));
	rc = become(program, args, err_r);
	free(args);
	return rc;
}

/* In a session of its own, so that a signal from the terminal is not for it. */
pid_t command_start_elsewhere(const char *program, char **args)
{
	struct err err;
	pid_t pid = fork();

	if (pid)
		return pid;
	setsid();
	dup2(STDERR_FILENO, STDOUT_FILENO);
	(void)!become(program, args, &err);
	_exit(127);
}

static int workbench_run(int argc, char **argv, struct err *err_r)
{
	return command_elsewhere("tidegate-workbench", argc, argv, err_r);
}

static int server_run(int argc, char **argv, struct err *err_r)
{
	return command_elsewhere("tidegate-server", argc, argv, err_r);
}

const struct command cmd_sandbox = {
	.name = "sandbox",
	.usage = "",
	.summary = COMMAND_SANDBOX_SUMMARY,
	.run = sandbox_run,
	.helps_itself = true,
};

#define C(verb)
#define W(program, verb, says)              \
	const struct command cmd_##verb = { \
		.name = #verb,              \
		.usage = "",                \
		.summary = says,            \
		.run = program##_run,       \
		.helps_itself = true,       \
	};
#include "cli/command.def"
