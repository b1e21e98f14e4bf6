/*
 * `tidegate sandbox`: becomes the program tidegate-sandbox, which knows its
 * options. It lies beside this one, where a build and `make install` put it, or in
 * libexec, where a package may have moved it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/command.h"

#define PROGRAM "tidegate-sandbox"

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
static char *find_program(const char *folder)
{
	static const char *const places[] = {"", "/../libexec/tidegate"};
	char *path;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		path = xasprintf("%s%s/" PROGRAM, folder, places[i]);
		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static int run(int argc, char **argv, struct err *err_r)
{
	char *folder = own_folder(), *path = find_program(folder), **args;

	if (!path) {
		(void)!err_set(err_r, ERR_NOT_FOUND,
			"the sandbox is a program of its own, and " PROGRAM
			" is neither in %s nor in %s/../libexec/tidegate",
			folder, folder);
		free(folder);
		return -1;
	}
	free(folder);
	args = xcalloc((size_t)argc + 1, sizeof(*args));
	memcpy(args, argv, (size_t)argc * sizeof(*args));
	args[0] = path;
	execv(path, args);
	(void)!err_set(
		err_r, ERR_IO, "%s cannot be run: %s", path, strerror(errno));
	free(args);
	free(path);
	return -1;
}

const struct command cmd_sandbox = {
	.name = "sandbox",
	.usage = "",
	.summary = COMMAND_SANDBOX_SUMMARY,
	.run = run,
	.helps_itself = true,
};
