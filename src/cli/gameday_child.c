/* SPDX-License-Identifier: Apache-2.0 */
/* Another verb of tidegate as a process; see gameday.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "cli/gameday.h"
#include "io/program.h"

#define PROGRAM  "tidegate"
#define LINE_MAX (1024 * 1024) /* a longer one is never whole */

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	(void)number;
	stopped = 1;
}

void gameday_catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool gameday_was_stopped(void)
{
	return stopped != 0;
}

/* In the child. */
static void become(const char *path, struct gameday_words *words,
	bool ends_with_us, int out)
{
	setsid();
	if (ends_with_us)
		prctl(PR_SET_PDEATHSIG, SIGTERM);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	dup2(out, STDOUT_FILENO);
	execv(path, (char *const *)words->item);
	_exit(127);
}

int gameday_child_start(struct gameday_child *child,
	struct gameday_words *words, bool ends_with_us, struct err *err_r)
{
	char *path = program_find(PROGRAM, err_r);

	if (!path)
		return -1;
	words->item[0] = path;
	*child = (struct gameday_child){.pid = -1};
	child->out = memfd_create("gameday", MFD_CLOEXEC);
	if (child->out >= 0)
		child->pid = fork();
	if (child->pid == 0)
		become(path, words, ends_with_us, child->out);
	words->item[0] = "";
	if (child->pid < 0)
		(void)err_set(err_r, ERR_IO, "%s cannot be run: %s", path,
			strerror(errno));
	free(path);
	if (child->pid < 0)
		gameday_child_close(child);
	return child->pid < 0 ? -1 : 0;
}

json_t *gameday_child_line(struct gameday_child *child)
{
	struct stat st = {0};
	char *text, *end = NULL;
	json_t *line = NULL;
	size_t most;
	ssize_t n;

	if (fstat(child->out, &st) < 0 || st.st_size <= child->read)
		return NULL;
	most = (size_t)(st.st_size - child->read);
	if (most > LINE_MAX)
		most = LINE_MAX;
	text = xcalloc(1, most);
	n = pread(child->out, text, most, child->read);
	if (n > 0)
		end = memchr(text, '\n', (size_t)n);
	if (end) {
		child->read += end + 1 - text;
		line = json_loadb(text, (size_t)(end - text), 0, NULL);
		if (!line) /* no JSON: of no use to anybody, but a line */
			line = json_object();
	}
	free(text);
	return line;
}

bool gameday_child_ended(struct gameday_child *child, int *status_r)
{
	int status;

	if (waitpid(child->pid, &status, WNOHANG) == 0)
		return false;
	*status_r = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return true;
}

void gameday_child_stop(struct gameday_child *child)
{
	if (!child->asked)
		kill(child->pid, SIGINT);
	child->asked = true;
}

void gameday_child_close(struct gameday_child *child)
{
	if (child->out >= 0)
		close(child->out);
	child->out = -1;
}

int gameday_child_run(struct gameday_words *words, json_t **last_r,
	int *status_r, struct err *err_r)
{
	struct gameday_child child;
	json_t *line;

	*last_r = NULL;
	if (gameday_child_start(&child, words, false, err_r) < 0)
		return -1;
	while (!gameday_child_ended(&child, status_r))
		context_pause(GAMEDAY_LOOK_MS);
	while ((line = gameday_child_line(&child))) {
		json_decref(*last_r);
		*last_r = line;
	}
	gameday_child_close(&child);
	return 0;
}
