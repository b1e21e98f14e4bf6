/* A report as a file: the whole of it or nothing; see report.h. */
#define _GNU_SOURCE /* mkostemp */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "report/report.h"

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
	return fsync(fd);
}

int report_save(const char *path, const struct buf *text, struct err *err_r)
{
	char *draft;
	mode_t mask;
	int fd, rc = -1;

	if (text->overflow)
		return err_set(err_r, ERR_LIMIT,
			"the report is larger than %d bytes", REPORT_BYTES_MAX);
	draft = xasprintf("%s.XXXXXX", path);
	fd = mkostemp(draft, O_CLOEXEC);
	if (fd >= 0) {
		/* Others may read it, as any file that one makes. */
		mask = umask(0);
		umask(mask);
		rc = fchmod(fd, 0666 & ~mask) ? -1 : write_all(fd, text);
		rc = close(fd) ? -1 : rc;
		if (rc == 0)
			rc = rename(draft, path);
	}
	if (rc)
		err_set(err_r, ERR_IO, "cannot write the report %.300s: %s",
			path, strerror(errno));
	if (rc && fd >= 0)
		unlink(draft);
	free(draft);
	return rc;
}
