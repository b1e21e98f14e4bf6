/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that were handed over; see listen_fds.h. */
#include "io/listen_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

static bool number_parse(const char *text, long max, long *number_r)
{
	size_t digits = text ? strspn(text, "0123456789") : 0;

	if (!digits || digits > 10 || text[digits])
		return false;
	*number_r = strtol(text, NULL, 10);
	return *number_r <= max;
}

/* Whether the names' entry for this place is `name`. */
static bool name_is(const char *names, int place, const char *name)
{
	for (; place > 0 && names; place--) {
		names = strchr(names, ':');
		names = names ? names + 1 : NULL;
	}
	return names && strcspn(names, ":") == strlen(name) &&
	       strncmp(names, name, strlen(name)) == 0;
}

static bool option_is(int fd, int option, int wanted)
{
	int value;
	socklen_t len = sizeof(value);

	return !getsockopt(fd, SOL_SOCKET, option, &value, &len) &&
	       value == wanted;
}

static int fd_check(int fd, struct err *err_r)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) ||
		fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return err_set(err_r, ERR_INVALID,
			"descriptor %d was handed over and is none: %s", fd,
			strerror(errno));
	if (!option_is(fd, SO_TYPE, SOCK_STREAM) ||
		!option_is(fd, SO_ACCEPTCONN, 1))
		return err_set(err_r, ERR_INVALID,
			"descriptor %d was handed over and is no stream socket "
			"that listens (ListenStream=, Accept=no)",
			fd);
	return 0;
}

static int fds_take(const char *name, const char *names, long n,
	struct listen_fds *fds, struct err *err_r)
{
	for (int i = 0; i < n; i++) {
		if (name && !name_is(names, i, name)) {
			/* Another name's, perhaps another part's. */
			(void)fcntl(LISTEN_FDS_START + i, F_SETFD, FD_CLOEXEC);
			continue;
		}
		if (fd_check(LISTEN_FDS_START + i, err_r))
			return -1;
		fds->fds[fds->n++] = LISTEN_FDS_START + i;
	}
	if (!fds->n)
		return err_set(err_r, ERR_INVALID,
			"no socket named \"%s\" was handed over "
			"(FileDescriptorName= of the socket unit)",
			name ? name : "");
	return 0;
}

int listen_fds_take(
	const char *name, struct listen_fds *fds_r, struct err *err_r)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *names = getenv("LISTEN_FDNAMES");
	long pid, n;
	int rc;

	*fds_r = (struct listen_fds){.n = 0};
	if (!number_parse(pid_text, INT32_MAX, &pid) || pid != getpid())
		return err_set(err_r, ERR_INVALID,
			"no socket was handed over to this process "
			"(LISTEN_PID); is it started by a socket unit?");
	if (!number_parse(getenv("LISTEN_FDS"), LISTEN_FDS_MAX, &n) || n == 0)
		return err_set(err_r, ERR_INVALID,
			"LISTEN_FDS is to be 1 to %d", LISTEN_FDS_MAX);
	rc = fds_take(name, names, n, fds_r, err_r);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}
