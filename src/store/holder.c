/* SPDX-License-Identifier: Apache-2.0 */
/* Processes as /proc shows them; see holder.h. */
#include "store/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STAT_BYTES_MAX 2048
#define STAT_START     22 /* number of the field in proc(5) */

static void file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

/* State letter and start time; false when it cannot be read. */
static bool process_read(int64_t pid, char *state_r, int64_t *start_r)
{
	char path[64], text[STAT_BYTES_MAX], *p;
	int field;

	snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
	file_read(path, text, sizeof(text));
	/* The name in parentheses may hold anything, also parentheses. */
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return false;
	*state_r = p[2];
	for (p += 2, field = 3; field < STAT_START; field++) {
		p = strchr(p, ' ');
		if (!p)
			return false;
		p++;
	}
	*start_r = strtoll(p, NULL, 10);
	return true;
}

void holder_self(struct holder *holder_r)
{
	struct holder *h = holder_r;
	char state;

	*h = (struct holder){.pid = getpid()};
	if (gethostname(h->host, sizeof(h->host) - 1))
		snprintf(h->host, sizeof(h->host), "unknown");
	file_read("/proc/sys/kernel/random/boot_id", h->boot, sizeof(h->boot));
	if (readlink("/proc/self/ns/pid", h->pid_space,
		    sizeof(h->pid_space) - 1) < 0)
		h->pid_space[0] = '\0';
	if (!process_read(h->pid, &state, &h->start))
		h->start = 0;
}

enum holder_state holder_state(const struct holder *holder)
{
	struct holder self;
	int64_t start;
	char state;

	holder_self(&self);
	if (strcmp(self.host, holder->host) != 0 || !*self.boot ||
		strcmp(self.boot, holder->boot) != 0 || !*self.pid_space ||
		strcmp(self.pid_space, holder->pid_space) != 0)
		return HOLDER_UNKNOWN;
	if (holder->pid <= 0 || holder->pid > INT32_MAX)
		return HOLDER_UNKNOWN;
	if (kill((pid_t)holder->pid, 0) && errno == ESRCH)
		return HOLDER_DEAD;
	/* It is there but hidden, or it is a later one with its number. */
	if (!process_read(holder->pid, &state, &start) || holder->start == 0)
		return HOLDER_UNKNOWN;
	if (state == 'Z' || state == 'X' || start != holder->start)
		return HOLDER_DEAD;
	/* It is stopped, by a signal or a debugger. Whether it goes on is not
	 * known. */
	if (state == 'T' || state == 't')
		return HOLDER_UNKNOWN;
	return HOLDER_ALIVE;
}
