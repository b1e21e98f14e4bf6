/* SPDX-License-Identifier: Apache-2.0 */
/* What this process uses, out of /proc; see usage.h. */
#include "io/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/clock.h"

#define STAT_MAX 4096

/* Fields of /proc/self/stat that follow the name, from 3 on; see proc(5). */
enum {
	STAT_FIRST = 3,
	STAT_UTIME = 14,
	STAT_STIME = 15,
	STAT_START = 22,
	STAT_VSIZE = 23,
	STAT_RSS = 24,
	STAT_FIELDS
};

static void usage_read_text(const char *path, char text[STAT_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, STAT_MAX - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
}

/* The name may hold anything, brackets too. */
static void usage_read_stat(struct process_usage *usage)
{
	long long field[STAT_FIELDS] = {0};
	double tick = (double)sysconf(_SC_CLK_TCK);
	char text[STAT_MAX], *p;
	int i;

	usage_read_text("/proc/self/stat", text);
	p = strrchr(text, ')');
	if (!p || strlen(p) < 4)
		return;
	for (p += 4, i = STAT_FIRST + 1; i < STAT_FIELDS; i++)
		field[i] = strtoll(p, &p, 10);
	usage->cpu_s = (double)(field[STAT_UTIME] + field[STAT_STIME]) / tick;
	usage->virtual = field[STAT_VSIZE];
	usage->resident = field[STAT_RSS] * sysconf(_SC_PAGESIZE);
	usage->started_ms = clock_wall_ms() - clock_boot_ms() +
			    (int64_t)((double)field[STAT_START] * 1e3 / tick);
}

/* Kernels since 6.2 say how many there are without a walk. */
static int64_t usage_count_fds(void)
{
	const struct dirent *entry;
	struct stat st;
	int64_t n = 0;
	DIR *folder;

	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return st.st_size;
	folder = opendir("/proc/self/fd");
	if (!folder)
		return -1;
	while ((entry = readdir(folder)))
		n += entry->d_name[0] != '.';
	closedir(folder);
	return n - 1; /* the folder itself */
}

void usage_read(struct process_usage *usage_r)
{
	struct rlimit limit;

	*usage_r = (struct process_usage){
		.resident = -1, .virtual = -1, .fds = -1, .fds_max = -1};
	usage_read_stat(usage_r);
	usage_r->fds = usage_count_fds();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
		limit.rlim_cur != RLIM_INFINITY)
		usage_r->fds_max = (int64_t)limit.rlim_cur;
}

int64_t usage_allow_files(int64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return wanted;
	if (limit.rlim_cur < (rlim_t)wanted) {
		limit.rlim_cur = (rlim_t)wanted < limit.rlim_max
					 ? (rlim_t)wanted
					 : limit.rlim_max;
		(void)!setrlimit(RLIMIT_NOFILE, &limit);
		(void)!getrlimit(RLIMIT_NOFILE, &limit);
	}
	return limit.rlim_cur < (rlim_t)wanted ? (int64_t)limit.rlim_cur
					       : wanted;
}
