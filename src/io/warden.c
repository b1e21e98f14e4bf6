/* SPDX-License-Identifier: Apache-2.0 */
/* A process that outlives us for a moment; see warden.h. */
#define _GNU_SOURCE /* closefrom, memrchr, CLONE_PARENT */

#include "io/warden.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUR_DEATH SIGPWR /* nobody else has a use for it */

#define STAT_BYTES 512

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
static _Noreturn void ward(const struct charge *charge, pid_t group)
{
	sigset_t death;

	if (getppid() == group)
		_exit(0); /* see warden_start */
	sigemptyset(&death);
	sigaddset(&death, OUR_DEATH);
	setpgid(0, group);
	prctl(PR_SET_NAME, "tidegate-warden");
	prctl(PR_SET_PDEATHSIG, OUR_DEATH);
	closefrom(0);
	watch_parent(charge, &death);
	if (getpgrp() == group)
		kill(-group, SIGKILL);
	_exit(0);
}

void charge_set(struct charge *charge, int64_t stopped_ms_max)
{
	charge->parent = getpid();
	charge->stopped_s_max = stopped_ms_max / 1000;
	snprintf(charge->stat, sizeof(charge->stat), "/proc/%d/stat",
		(int)charge->parent);
}

/* A fork with the parent of who calls: what libc adds to one is for handlers and
 * locks, of which the warden uses none. There are kernels (gVisor) that make a child
 * of who calls in place of it, which ends at once. */
pid_t warden_start(const struct charge *charge)
{
	pid_t group = getpid();
	long pid = syscall(
		SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0L);

	if (pid == 0)
		ward(charge, group);
	return pid > 0 && waitpid((pid_t)pid, NULL, 0) < 0 ? (pid_t)pid : 0;
}

pid_t warden_start_late(const struct charge *charge, pid_t group)
{
	pid_t pid = fork();

	if (pid == 0)
		ward(charge, group);
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
