/* SPDX-License-Identifier: Apache-2.0 */
/* Whole texts into files; see file.h. */
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"

#define DRAFTS_MAX 100 /* that a crash may have left */

/* False: the caller has given up, errno says so. */
static bool is_wanted(const struct file_order *order)
{
	if (!order->is_wanted || order->is_wanted(order->arg))
		return true;
	errno = ECANCELED;
	return false;
}

static int write_all(int fd, const struct buf *text)
{
	size_t done = 0;
	ssize_t n;

	while (done < text->len) {
		n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* Closes it in any case; errno is that of the first thing that failed. */
static int write_and_close(const struct file_order *order, int fd)
{
	int rc = is_wanted(order) ? write_all(fd, order->text) : -1, saved;

	/* EINVAL: there is no disk behind it. */
	if (rc == 0 && order->how == FILE_REPLACE && fsync(fd) &&
		errno != EINVAL)
		rc = -1;
	saved = errno;
	if (close(fd) && rc == 0)
		return -1;
	errno = saved;
	return rc;
}

/* ---- by rename ---- */

bool file_is_replaced(const char *path)
{
	struct stat st;

	return lstat(path, &st) ? errno == ENOENT : S_ISREG(st.st_mode);
}

/* A new file beside `path`, with the rights of any that one makes. */
static int draft_open(const char *path, char **draft_r)
{
	int fd = -1, i;

	for (i = 0; fd < 0 && i < DRAFTS_MAX; i++) {
		*draft_r = xasprintf("%s.%ld-%d", path, (long)getpid(), i);
		fd = open(*draft_r, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			0666);
		if (fd < 0)
			xfree(draft_r);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

static int rename_over(const struct file_order *order)
{
	char *draft;
	int fd = draft_open(order->path, &draft), rc, saved;

	if (fd < 0)
		return -1;
	rc = write_and_close(order, fd);
	if (rc == 0)
		rc = is_wanted(order) ? rename(draft, order->path) : -1;
	saved = errno;
	if (rc)
		unlink(draft);
	free(draft);
	errno = saved;
	return rc;
}

/* ---- through ---- */

/* One of our own streams, by a name such as /dev/stdout: to open it anew would
 * cut off what stands in the file behind it. -1: it is none. */
static int stream_dup(const char *path)
{
	struct stat named, st;
	int fd;

	if (stat(path, &named))
		return -1;
	for (fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fstat(fd, &st) == 0 && st.st_dev == named.st_dev &&
			st.st_ino == named.st_ino)
			return fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	}
	return -1;
}

static int write_through(const struct file_order *order)
{
	static const int flags = O_WRONLY | O_NOCTTY | O_CLOEXEC;
	int fd = stream_dup(order->path);

	if (fd < 0)
		fd = open(order->path, flags | O_TRUNC);
	if (fd < 0 && errno == ENOENT) /* a symlink to what is to be made */
		fd = open(order->path, flags | O_TRUNC | O_CREAT, 0666);
	return fd < 0 ? -1 : write_and_close(order, fd);
}

static int append(const struct file_order *order)
{
	int fd = open(order->path,
		O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);

	return fd < 0 ? -1 : write_and_close(order, fd);
}

/* ---- kept between runs ---- */

/* Who put it there, if not we; NULL: we did. */
static const char *find_stranger(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return "it cannot be looked at";
	if (!S_ISREG(st.st_mode))
		return "it is not a regular file";
	if (st.st_uid != geteuid())
		return "it belongs to another user";
	return st.st_nlink == 1 ? NULL : "it has another name, too";
}

int file_open_kept(const char *path, struct err *err_r)
{
	/* O_NONBLOCK: the open itself does not wait for a FIFO's writer. */
	int fd = open(path,
		O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			O_NOCTTY | O_CLOEXEC,
		0666);
	const char *wrong;

	if (fd < 0 && errno != ELOOP)
		return err_set(err_r, ERR_IO, "cannot write %.300s: %s", path,
			strerror(errno));
	wrong = fd < 0 ? "it is a symlink" : find_stranger(fd);
	if (!wrong)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set(err_r, ERR_IO, "cannot write %.300s: %s; remove it",
		path, wrong);
}

int file_write(const struct file_order *order, struct err *err_r)
{
	int rc = order->how == FILE_APPEND       ? append(order)
		 : file_is_replaced(order->path) ? rename_over(order)
						 : write_through(order);

	if (rc == 0)
		return 0;
	return err_set(err_r, ERR_IO, "cannot write %.300s: %s", order->path,
		strerror(errno));
}

int file_replace(const char *path, const struct buf *text, struct err *err_r)
{
	const struct file_order order = {FILE_REPLACE, path, text, NULL, NULL};

	return file_write(&order, err_r);
}

int file_append(const char *path, const struct buf *text, struct err *err_r)
{
	const struct file_order order = {FILE_APPEND, path, text, NULL, NULL};

	return file_write(&order, err_r);
}
