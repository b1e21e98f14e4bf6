/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From exec to the first byte of the first request, in paired runs against
 * curl, and the memory of both at that moment:
 *
 *   start_bench TIDEGATE POLICY [RUNS [fresh]]      default: 40 runs
 *
 * TIDEGATE is the program, POLICY any policy that loads; curl is found in PATH.
 * $TMPDIR is where the state file is: its disk is waited for before a request
 * leaves, and /dev/shm tells the program's own time. It is there already but for
 * the first run; with `fresh` each run makes it. `cpu` is what a process
 * used, which a busy machine changes less than the time on the wall; `private`
 * what only it has and no file holds (pages of libraries are in `resident`).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX 1000

struct sample {
	double ms, cpu_ms;
	long resident_kib, private_kib;
};

static char url[128], state[256];
static int listener;

static double now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static double ms_of(const struct timeval *t)
{
	return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

static void open_listener(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (void *)&at, len) < 0 ||
		listen(listener, 16) < 0 ||
		getsockname(listener, (void *)&at, &len) < 0) {
		perror("start_bench");
		exit(1);
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", ntohs(at.sin_port));
}

static void read_memory(pid_t pid, struct sample *sample)
{
	char path[64], line[256];
	long v;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %ld", &v) == 1)
			sample->resident_kib = v;
		if (sscanf(line, "Private_Dirty: %ld", &v) == 1)
			sample->private_kib = v;
	}
	if (f)
		fclose(f);
}

static struct sample run_once(const char *const *argv)
{
	struct sample sample = {0};
	struct rusage used;
	double start = now_ms();
	pid_t pid = fork();
	char byte;
	int fd;

	if (pid == 0) {
		if (!freopen("/dev/null", "w", stdout) ||
			!freopen("/dev/null", "w", stderr))
			_exit(126);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	fd = accept(listener, NULL, NULL);
	if (fd < 0 || read(fd, &byte, 1) != 1) {
		fprintf(stderr, "start_bench: %s sent nothing\n", argv[0]);
		exit(1);
	}
	sample.ms = now_ms() - start;
	read_memory(pid, &sample);
	kill(pid, SIGKILL);
	wait4(pid, NULL, 0, &used);
	sample.cpu_ms = ms_of(&used.ru_utime) + ms_of(&used.ru_stime);
	close(fd);
	return sample;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), by_size);
	return values[n / 2];
}

enum figure { WALL, CPU, RESIDENT, PRIVATE, FIGURES };

static double figure_of(const struct sample *s, enum figure figure)
{
	const double values[FIGURES] = {s->ms, s->cpu_ms,
		(double)s->resident_kib, (double)s->private_kib};

	return values[figure];
}

static double middle(const struct sample *s, int n, enum figure figure)
{
	static double values[RUNS_MAX];
	int i;

	for (i = 0; i < n; i++)
		values[i] = figure_of(&s[i], figure);
	return median(values, n);
}

static void report(const char *name, const struct sample *s, int n)
{
	printf("%-10s median %6.2f ms to the first request (cpu %5.2f), "
	       "resident %5.0f KiB, private %5.0f KiB\n",
		name, middle(s, n, WALL), middle(s, n, CPU),
		middle(s, n, RESIDENT), middle(s, n, PRIVATE));
}

static double ratio(const struct sample *a, const struct sample *b, int n,
	enum figure figure)
{
	static double values[RUNS_MAX];
	int i;

	for (i = 0; i < n; i++)
		values[i] = figure_of(&a[i], figure) / figure_of(&b[i], figure);
	return median(values, n);
}

static void remove_state(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char path[280];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", state, suffixes[i]);
		unlink(path);
	}
}

static void report_size(const char *program)
{
	char command[512];
	struct stat st;
	char *stripped = state; /* its name is free again */

	snprintf(state, sizeof(state), "/tmp/start-bench-%d.strip",
		(int)getpid());
	snprintf(command, sizeof(command), "strip -o %s %s", stripped, program);
	if (system(command) == 0 && stat(stripped, &st) == 0)
		printf("binary     %lld bytes stripped\n",
			(long long)st.st_size);
	unlink(stripped);
}

int main(int argc, char **argv)
{
	static struct sample ours[RUNS_MAX], curls[RUNS_MAX];
	const char *run[] = {NULL, "run", "bench", "--policy", NULL, "--state",
		state, "--project", "p", "--region", "r", NULL};
	const char *curl[] = {"curl", "-s", url, NULL};
	const char *tmp = getenv("TMPDIR");
	int i, n = argc > 3 ? atoi(argv[3]) : 40;

	if (argc < 3 || n < 1 || n > RUNS_MAX) {
		fputs("usage: start_bench TIDEGATE POLICY [RUNS [fresh]]\n",
			stderr);
		return 2;
	}
	run[0] = argv[1];
	run[4] = argv[2];
	open_listener();
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", url, 1);
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "bench-token", 1);
	setenv("PROMETHEUS_URL", url, 0);
	snprintf(state, sizeof(state), "%.200s/start-bench-%d.db",
		tmp ? tmp : "/tmp", (int)getpid());
	run_once(run);
	run_once(curl);
	for (i = 0; i < n; i++) {
		if (argc > 4)
			remove_state();
		ours[i] = run_once(run);
		curls[i] = run_once(curl);
	}
	report("tidegate", ours, n);
	report("curl", curls, n);
	printf("ratio      median %.2f in pairs (cpu %.2f), resident %.2f\n",
		ratio(ours, curls, n, WALL), ratio(ours, curls, n, CPU),
		ratio(ours, curls, n, RESIDENT));
	remove_state();
	report_size(argv[1]);
	return 0;
}
