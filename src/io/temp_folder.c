/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for a while; see temp_folder.h. */
#define _GNU_SOURCE /* nftw */

#include "io/temp_folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define FOLDERS_OPEN_MAX 8

char *temp_folder_make(const char *name, struct err *err_r)
{
	const char *parent = getenv("TMPDIR");
	char *path = xasprintf(
		"%s/%s-XXXXXX", parent && *parent ? parent : "/tmp", name);

	if (mkdtemp(path))
		return path;
	err_set(err_r, ERR_IO, "cannot make a folder %s: %s", path,
		strerror(errno));
	free(path);
	return NULL;
}

/* What cannot be removed stays. */
static int remove_one(
	const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	(void)!remove(path);
	return 0;
}

void temp_folder_remove(char **path)
{
	if (!*path)
		return;
	nftw(*path, remove_one, FOLDERS_OPEN_MAX, FTW_DEPTH | FTW_PHYS);
	free(*path);
	*path = NULL;
}
