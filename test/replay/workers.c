/* SPDX-License-Identifier: Apache-2.0 */
/* Processes side by side; see workers.h. */
#include "workers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS_MAX 8

static int workers_count(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > WORKERS_MAX ? WORKERS_MAX : (int)n;
}

int workers_run(int (*work)(int worker, int n))
{
	int n = workers_count(), status, failed = 0;

	fflush(stdout);
	for (int i = 0; i < n; i++) {
		switch (fork()) {
		case -1:
			perror("fork");
			exit(1);
		case 0:
			status = work(i, n);
			exit(status);
		}
	}
	while (wait(&status) > 0)
		failed += status != 0;
	return failed != 0;
}
