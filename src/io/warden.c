/* SPDX-License-Identifier: Apache-2.0 */
/* A process that outlives us for a moment; see warden.h. */
#define _GNU_SOURCE /* closefrom */

#include "io/warden.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUR_DEATH SIGPWR /* nobody else has a use for it */

/* With all signals blocked, of which the group gets some: only calls that are
 * safe in a signal's handler, since we may have threads. It holds no pipe, whose
 * end others wait for. */
static _Noreturn void ward(pid_t group, pid_t parent)
{
	sigset_t death;

	sigemptyset(&death);
	sigaddset(&death, OUR_DEATH);
	setpgid(0, group);
	prctl(PR_SET_NAME, "tidegate-warden");
	prctl(PR_SET_PDEATHSIG, OUR_DEATH);
	closefrom(0);
	while (getppid() == parent)
		(void)!sigwaitinfo(&death, NULL);
	if (getpgrp() == group)
		kill(-group, SIGKILL);
	_exit(0);
}

pid_t warden_start(pid_t group)
{
	pid_t parent = getpid(), pid;
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		ward(group, parent);
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
