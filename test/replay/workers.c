/* SPDX-License-Identifier: Apache-2.0 */
/* Processes side by side; see workers.h. */
#include "workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 8

static int workers_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (int)n;
}

/* Shared with them: what a worker did last is known when it has died. */
static uint64_t *doing;
static int self;

void workers_do(uint64_t seed)
{
	doing[self] = seed;
}

static void start(pid_t pids[WORKERS_MAX], int n, int (*work)(int, int))
{
	for (self = 0; self < n; self++) {
		pids[self] = fork();
		if (pids[self] < 0) {
			perror("fork");
			exit(1);
		}
		if (pids[self] == 0)
			exit(work(self, n));
	}
}

int workers_run(int (*work)(int worker, int n))
{
	int n = workers_count(), status, failed = 0;
	pid_t pids[WORKERS_MAX];

	fflush(stdout);
	doing = mmap(NULL, WORKERS_MAX * sizeof(*doing), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (doing == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	start(pids, n, work);
	for (int i = 0; i < n; i++) {
		if (waitpid(pids[i], &status, 0) == pids[i] && status == 0)
			continue;
		failed = 1;
		printf("seed %llu was not played to its end: %s %d\n",
			(unsigned long long)doing[i],
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status)
					    : WEXITSTATUS(status));
	}
	munmap(doing, WORKERS_MAX * sizeof(*doing));
	return failed;
}
