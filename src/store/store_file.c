/* SPDX-License-Identifier: Apache-2.0 */
/* Where the state file lies, and whether it may be one; see store_file.h. */
#define _GNU_SOURCE /* O_TMPFILE */
#include "store/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"
#include "store/store.h"

#define LINKS_MAX 40 /* as the kernel has it */

bool store_log_is_empty(const char *path)
{
	char *wal = xasprintf("%s-wal", path);
	struct stat st;
	bool empty = stat(wal, &st) ? errno == ENOENT : st.st_size == 0;

	xfree(&wal);
	return empty;
}

int64_t store_file_changed_us(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1
			       : st.st_mtim.tv_sec * INT64_C(1000000) +
					 st.st_mtim.tv_nsec / 1000;
}

bool store_file_is_in_memory(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

char *store_immutable_uri(const char *path)
{
	struct buf uri;

	buf_init(&uri, 3 * STORE_PATH_MAX + 32);
	buf_adds(&uri, "file:");
	for (; *path; path++) {
		if (strchr("?#%", *path))
			buf_addf(&uri, "%%%02X", (unsigned char)*path);
		else
			buf_addc(&uri, *path);
	}
	buf_adds(&uri, "?immutable=1");
	return buf_steal(&uri);
}

/* What a link of this path leads to, which need not be there; NULL: it is none. */
static char *follow(const char *path)
{
	char to[STORE_PATH_MAX + 1];
	const char *slash = strrchr(path, '/');
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n <= 0)
		return NULL;
	to[n] = '\0';
	return xasprintf("%.*s%s",
		*to == '/' || !slash ? 0 : (int)(slash - path) + 1, path, to);
}

char *store_file_resolve(const char *path)
{
	/* A relative path must not be taken for a name such as ":memory:". */
	char *to = xasprintf("%s%s", *path == '/' ? "" : "./", path), *next;

	for (int i = 0; i < LINKS_MAX && (next = follow(to)); i++) {
		xfree(&to);
		to = next;
	}
	return to;
}

/* Each missing folder on the way is made for the owner alone. */
static int make_folders(char *path, struct err *err_r)
{
	char *p;
	int rc;

	for (p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		rc = mkdir(path, 0700);
		*p = '/';
		if (rc && errno != EEXIST && errno != EISDIR)
			return err_set(err_r, ERR_STORE,
				"the folder of the state file %s cannot be "
				"made: %s",
				path, strerror(errno));
	}
	return 0;
}

int store_file_make_folders(const char *path, struct err *err_r)
{
	char *folders = xstrdup(path);
	int rc = make_folders(folders, err_r);

	xfree(&folders);
	return rc;
}

static int write_durably(int fd, const char *bytes, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, bytes, len);
		if (n < 0 && errno != EINTR)
			return -1;
		bytes += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	return fsync(fd);
}

/* Gives a name to a file that has none; 0: that cannot be done. */
static int publish(int fd, const char *path)
{
	char unnamed[64];

	snprintf(unnamed, sizeof(unnamed), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, unnamed, AT_FDCWD, path, AT_SYMLINK_FOLLOW) ==
				       0 ||
			       errno == EEXIST
		       ? 1
		       : 0;
}

/* A process that dies on the way leaves nothing: the file has no name yet. */
static int make_in(int folder, const char *name, const char *path,
	const void *bytes, size_t len, struct err *err_r)
{
	int fd = open(name, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600), rc = 0;

	if (fd < 0)
		return 0;
	if (write_durably(fd, bytes, len) == 0)
		rc = publish(fd, path);
	close(fd);
	if (rc > 0 && fsync(folder))
		return err_set(err_r, ERR_DISK,
			"the name of the state file %s cannot be written: %s",
			path, strerror(errno));
	return rc;
}

int store_file_make_whole(
	const char *path, const void *bytes, size_t len, struct err *err_r)
{
	const char *slash = strrchr(path, '/');
	char *name = xasprintf("%.*s", (int)(slash - path) + 1, path);
	int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (folder >= 0) {
		rc = make_in(folder, name, path, bytes, len, err_r);
		close(folder);
	}
	xfree(&name);
	return rc;
}

int store_file_make(const char *path, struct err *err_r)
{
	int fd;

	if (access(path, F_OK) == 0)
		return 0;
	if (store_file_make_folders(path, err_r) < 0)
		return -1;
	/* O_EXCL: closing a file that another connection of this process has
	 * open would drop its locks. */
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno != EEXIST)
		return err_set(err_r, ERR_STORE,
			"the state file %s cannot be made: %s", path,
			strerror(errno));
	if (fd >= 0)
		close(fd);
	return 0;
}

int store_file_check(const char *path, struct err *err_r)
{
	struct stat st;

	if (stat(path, &st)) {
		if (errno == ENOENT)
			return err_set(err_r, ERR_NOT_FOUND,
				"there is no state file %s: no rollout was run "
				"with it; give --state or set $TIDEGATE_STATE",
				path);
		return err_set(err_r, ERR_STORE,
			"the state file %s cannot be opened: %s", path,
			strerror(errno));
	}
	if (!S_ISREG(st.st_mode))
		return err_set(err_r, ERR_STORE,
			"%s is not a regular file: give another --state", path);
	return 0;
}

struct store_place store_file_place(const char *path, int which)
{
	static const char *const suffix[STORE_PLACES] = {"", "-wal", "-shm"};
	char *full = xasprintf("%s%s", path, suffix[which]);
	struct store_place place = {0};
	struct stat st;

	if (stat(full, &st) == 0)
		place = (struct store_place){st.st_dev, st.st_ino};
	xfree(&full);
	return place;
}

char *store_default_path(void)
{
	const char *path = getenv("TIDEGATE_STATE");
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	const struct passwd *entry;

	if (path && *path)
		return xstrdup(path);
	/* The XDG rules: a relative path there is to be ignored. */
	if (state && *state == '/')
		return xasprintf("%s/tidegate/tidegate.db", state);
	if (!home || *home != '/') {
		entry = getpwuid(geteuid());
		home = entry ? entry->pw_dir : NULL;
	}
	/* Without a home there is no default: store_open says so. */
	return home && *home == '/'
		       ? xasprintf("%s/.local/state/tidegate/tidegate.db", home)
		       : xstrdup("");
}
