/* SPDX-License-Identifier: Apache-2.0 */
/* The keyboard; see tty.h. */
#include "cli/tty.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* That end the process, and are of no use to anybody else. */
static const int fatal[] = {
	SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS};
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

static struct termios before;
static struct sigaction actions[FATAL];
static volatile sig_atomic_t entered;

bool tty_is_ours(void)
{
	return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Safe in a signal's handler. TCSANOW: a terminal that is stopped is not waited
 * for. From the background it would stop us, and is another's. */
static void tty_restore(void)
{
	if (entered && tty_is_ours())
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	entered = 0;
}

static void on_fatal(int signo)
{
	size_t i;

	tty_restore();
	for (i = 0; i < FATAL; i++) {
		if (fatal[i] == signo)
			sigaction(signo, &actions[i], NULL);
	}
	raise(signo);
}

static void take_fatal(void)
{
	struct sigaction action = {.sa_handler = on_fatal};
	size_t i;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < FATAL; i++)
		sigaction(fatal[i], &action, &actions[i]);
}

bool tty_enter(void)
{
	static bool prepared;
	struct termios keys;

	if (entered)
		return true;
	if (!isatty(STDIN_FILENO) || !tty_is_ours() ||
		tcgetattr(STDIN_FILENO, &before) < 0)
		return false;
	if (!prepared) {
		prepared = true;
		take_fatal();
		atexit(tty_restore);
	}
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	entered = 1;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0)
		return true;
	entered = 0;
	return false;
}

void tty_leave(void)
{
	tty_restore();
}
