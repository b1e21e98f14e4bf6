/* SPDX-License-Identifier: Apache-2.0 */
/* Policies as files of a folder; see policy_files.h. */
#include "serve/policy_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "policy/policy_load.h"

#define ENDING ".yaml"

const char *policy_file_name(const char *file, struct arena *arena)
{
	size_t len = strlen(file), ending = strlen(ENDING);

	if (*file == '.' || len <= ending ||
		strcmp(file + len - ending, ENDING) != 0)
		return NULL;
	return arena_strndup(arena, file, len - ending);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int policy_files_list(const char *folder, struct arena *arena,
	const char ***names_r, size_t *n_r, struct err *err_r)
{
	const char **names =
		arena_alloc(arena, (POLICY_FILES_MAX + 1) * sizeof(*names));
	DIR *files = opendir(folder);
	const struct dirent *file;
	size_t n = 0;

	if (!files)
		return err_set(err_r, ERR_POLICY,
			"the folder of policies %s cannot be read: %s", folder,
			strerror(errno));
	while (n < POLICY_FILES_MAX && (file = readdir(files))) {
		names[n] = policy_file_name(file->d_name, arena);
		n += names[n] != NULL;
	}
	closedir(files);
	qsort(names, n, sizeof(*names), by_text);
	*names_r = names;
	*n_r = n;
	return 0;
}

int policy_file_read(const char *path, struct buf *out, struct err *err_r)
{
	return policy_env_real.read_file(path, out, err_r, policy_env_real.arg);
}
