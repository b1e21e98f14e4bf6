/* SPDX-License-Identifier: Apache-2.0 */
/* A process that outlives us for a moment; see warden.h. */
#define _GNU_SOURCE /* closefrom, memrchr */

#include "io/warden.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUR_DEATH SIGPWR /* nobody else has a use for it */

#define STAT_BYTES 512

/* Whom it watches. */
struct charge {
	pid_t group, parent;
	int64_t stopped_s_max; /* 0: for ever */
	char stat[32]; /* of the parent, in /proc */
};

/* By a signal or a debugger; false where that is hidden. */
static bool is_stopped(const struct charge *charge)
{
	char text[STAT_BYTES];
	const char *name_end;
	ssize_t n;
	int fd = open(charge->stat, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	/* The name in parentheses may hold anything, also parentheses. */
	name_end = n > 0 ? memrchr(text, ')', (size_t)n) : NULL;
	return name_end && name_end + 2 < text + n &&
	       (name_end[2] == 'T' || name_end[2] == 't');
}

/* Returns when the group is to end. */
static void watch_parent(const struct charge *charge, const sigset_t *death)
{
	const struct timespec second = {.tv_sec = 1};
	int64_t stopped_s = 0;

	while (getppid() == charge->parent) {
		if (!charge->stopped_s_max) {
			(void)!sigwaitinfo(death, NULL);
			continue;
		}
		(void)!sigtimedwait(death, NULL, &second);
		stopped_s = is_stopped(charge) ? stopped_s + 1 : 0;
		if (stopped_s > charge->stopped_s_max)
			return;
	}
}

/* With all signals blocked, of which the group gets some: only calls that are
 * safe in a signal's handler, since we may have threads. It holds no pipe, whose
 * end others wait for. */
static _Noreturn void ward(const struct charge *charge)
{
	sigset_t death;

	sigemptyset(&death);
	sigaddset(&death, OUR_DEATH);
	setpgid(0, charge->group);
	prctl(PR_SET_NAME, "tidegate-warden");
	prctl(PR_SET_PDEATHSIG, OUR_DEATH);
	closefrom(0);
	watch_parent(charge, &death);
	if (getpgrp() == charge->group)
		kill(-charge->group, SIGKILL);
	_exit(0);
}

pid_t warden_start(pid_t group, int64_t stopped_ms_max)
{
	struct charge charge = {.group = group,
		.parent = getpid(),
		.stopped_s_max = stopped_ms_max / 1000};
	sigset_t all, before;
	pid_t pid;

	snprintf(charge.stat, sizeof(charge.stat), "/proc/%d/stat",
		(int)charge.parent);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		ward(&charge);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid > 0 ? pid : 0;
}

void warden_stop(pid_t *warden)
{
	if (!*warden)
		return;
	kill(*warden, SIGKILL);
	waitpid(*warden, NULL, 0);
	*warden = 0;
}
