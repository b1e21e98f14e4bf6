/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs that another program carries out, which knows their options: `tidegate
 * sandbox` becomes tidegate-sandbox, what people do at their desks
 * tidegate-workbench, the controller that stays tidegate-server. They lie
 * beside this one, as a build puts them, or in libexec, or in bin.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/command.h"

#define SANDBOX "tidegate-sandbox"

/* Where this program lies; "" when the system does not say. */
static char *own_folder(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	path[n > 0 ? n : 0] = '\0';
	slash = strrchr(path, '/');
	if (slash)
		*slash = '\0';
	return xstrdup(slash ? path : "");
}

/* The caller owns it; NULL: there is none. */
static char *find_program(const char *folder, const char *program)
{
	static const char *const places[] = {
		"", "/../libexec/tidegate", "/../../bin"};
	char *path;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		path = xasprintf("%s%s/%s", folder, places[i], program);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

char *command_find_elsewhere(const char *program, struct err *err_r)
{
	char *folder = own_folder(), *path = find_program(folder, program);

	if (!path)
		(void)!err_set(err_r, ERR_NOT_FOUND,
			"this is done by a program of its own, and %s is "
			"neither in %s nor in %s/../libexec/tidegate",
			program, folder, folder);
	free(folder);
	return path;
}

/* Does not come back but with an error. `args` ends with NULL. */
static int become(const char *program, char **args, struct err *err_r)
{
	char *path = command_find_elsewhere(program, err_r);

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
