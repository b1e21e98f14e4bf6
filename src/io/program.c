/* SPDX-License-Identifier: Apache-2.0 */
/* The other programs of tidegate; see program.h. */
#include "io/program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

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
static char *program_in(const char *folder, const char *program)
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

char *program_find(const char *program, struct err *err_r)
{
	char *folder = own_folder(), *path = program_in(folder, program);

	if (!path)
		(void)!err_set(err_r, ERR_NOT_FOUND,
			"this is done by a program of its own, and %s is "
			"neither in %s nor in %s/../libexec/tidegate",
			program, folder, folder);
	free(folder);
	return path;
}
