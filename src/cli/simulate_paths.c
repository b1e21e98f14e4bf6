/* SPDX-License-Identifier: Apache-2.0 */
/* Folders of recordings; see simulate.h. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/xalloc.h"
#include "cli/simulate.h"

#define RECORDINGS_MAX 1000000

static void add(struct path_list *list, const char *path)
{
	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 16;
		list->item =
			xrealloc(list->item, list->size, sizeof(*list->item));
	}
	list->item[list->n++] = path;
}

static bool is_recording(const char *name)
{
	size_t len = strlen(name);

	return *name != '.' && len > 5 && !strcmp(name + len - 5, ".json");
}

/* Bytes, not letters: the same everywhere. */
static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_folder(
	struct path_list *list, const char *folder, struct err *err_r)
{
	size_t from = list->n, len = strlen(folder);
	const char *slash = len && folder[len - 1] == '/' ? "" : "/";
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return err_set(err_r, ERR_POLICY, "%s: cannot be read: %s",
			folder, strerror(errno));
	while ((entry = readdir(dir)) && list->n <= RECORDINGS_MAX) {
		if (is_recording(entry->d_name))
			add(list, arena_printf(&list->arena, "%s%s%s", folder,
					  slash, entry->d_name));
	}
	closedir(dir);
	if (list->n == from)
		return err_set(err_r, ERR_USAGE,
			"there is no recording (*.json) in %s", folder);
	qsort(list->item + from, list->n - from, sizeof(*list->item), by_bytes);
	list->has_folder = true;
	return 0;
}

int simulate_paths(
	struct path_list *list, char *const *args, size_t n, struct err *err_r)
{
	struct stat st;
	size_t i;

	*list = (struct path_list){.n = 0};
	arena_init(&list->arena);
	for (i = 0; i < n; i++) {
		if (stat(args[i], &st) != 0 || !S_ISDIR(st.st_mode))
			add(list, args[i]);
		else if (add_folder(list, args[i], err_r) < 0)
			return -1;
	}
	if (list->n > RECORDINGS_MAX)
		return err_set(err_r, ERR_USAGE, "more than %d recordings",
			RECORDINGS_MAX);
	return 0;
}

void path_list_fini(struct path_list *list)
{
	free(list->item);
	arena_fini(&list->arena);
	*list = (struct path_list){.n = 0};
}
