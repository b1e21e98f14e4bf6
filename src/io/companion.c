/* SPDX-License-Identifier: Apache-2.0 */
/* A program beside this one; see companion.h. */
#define _GNU_SOURCE /* pipe2 */

#include "io/companion.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/clock.h"

struct companion {
	pid_t pid;
	int pidfd, out; /* -1: closed */
};

/* Nothing is inherited but the standard streams: other descriptors of ours are
 * closed by exec. */
static _Noreturn void become(const char *const *argv, int out, pid_t parent)
{
	sigset_t none;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (getppid() == parent && dup2(out, STDOUT_FILENO) >= 0)
		execv(argv[0], (char *const *)argv);
	_exit(127);
}

static bool is_readable(int fd, int64_t deadline_ms)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};
	int64_t left_ms;
	int n;

	do {
		left_ms = deadline_ms - clock_awake_ms();
		n = poll(&look, 1, left_ms > 0 ? (int)left_ms : 0);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Byte by byte: it is one short line, and what follows stays where it is. */
static int read_line(struct companion *companion, const char *name,
	int64_t deadline_ms, struct buf *line, struct err *err_r)
{
	char c = '\0';
	ssize_t n;

	while (!line->overflow && is_readable(companion->out, deadline_ms)) {
		n = read(companion->out, &c, 1);
		if (n == 0)
			return err_set(err_r, ERR_IO,
				"%s ended before it was ready", name);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && c == '\n')
			return 0;
		if (n > 0)
			buf_addc(line, c);
	}
	return err_set(err_r, ERR_IO, "%s does not say that it is ready", name);
}

struct companion *companion_start(const char *const *argv, int64_t wait_ms,
	struct buf *line, struct err *err_r)
{
	struct companion *companion = xcalloc(1, sizeof(*companion));
	pid_t parent = getpid();
	int ends[2];

	companion->pidfd = companion->out = -1;
	if (pipe2(ends, O_CLOEXEC) == 0) {
		companion->out = ends[0];
		companion->pid = fork();
		if (companion->pid == 0)
			become(argv, ends[1], parent);
		close(ends[1]);
	}
	if (companion->pid > 0)
		companion->pidfd =
			(int)syscall(SYS_pidfd_open, companion->pid, 0);
	if (companion->pidfd < 0)
		err_set(err_r, ERR_IO, "cannot run %s: %s", argv[0],
			strerror(errno));
	else if (read_line(companion, argv[0], clock_awake_ms() + wait_ms, line,
			 err_r) == 0)
		return companion;
	companion_stop(&companion);
	return NULL;
}

void companion_stop(struct companion **companion_p)
{
	struct companion *companion = *companion_p;

	if (!companion)
		return;
	*companion_p = NULL;
	if (companion->pid > 0) {
		kill(companion->pid, SIGTERM);
		if (companion->pidfd < 0 ||
			!is_readable(companion->pidfd,
				clock_awake_ms() + COMPANION_GRACE_MS))
			kill(companion->pid, SIGKILL);
		while (waitpid(companion->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (companion->pidfd >= 0)
		close(companion->pidfd);
	if (companion->out >= 0)
		close(companion->out);
	free(companion);
}
