/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many rollouts in one process, with the program's own engine, adapters and
 * store, against a fake Cloud Run and Prometheus in a second process:
 *
 *   fleet_bench [ROLLOUTS [SECONDS [BREACHES [INTERVAL [KIND [START_S]]]]]]
 *   default: 1 10 50, and 1s for one rollout, else 30s; threshold. The other
 *   kind is evidence, whose check is four queries. Starts are spread over
 *   START_S seconds: 30, and 60 for evidence, which asks more before it starts.
 *
 * Prints the revert overhead (breaching answer written by the server, PATCH
 * read by it; plain HTTP, journal made durable in between), processor time,
 * memory and descriptors of the process that drives, what a check costs it with
 * all that belongs to one (query, answer, decision, journal), and the longest
 * turn of its loop. Where the machine was too busy for all queries that were due
 * the load is too low by as much: `in time` is what it would have been. $TMPDIR
 * is where the state file is made, in a folder that is removed at the end.
 */
#define _GNU_SOURCE /* dladdr, nftw */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rng.h"
#include "fake_world.h"
#include "io/clock.h"
#include "io/loop.h"
#include "live/fleet.h"
#include "live/world.h"
#include "policy/policy_load.h"
#include "store/store.h"

#define BROKEN_SHOWN_MAX 3 /* the rest is counted */
#define SLOS             4
#define QUERIES          4 /* of a check of kind evidence */
#define WARM_UP_S        4

static int n_rollouts = 1, seconds = 10, n_breaches = 50, start_s;
static const char *interval;
static bool evidence;
static struct rng rng;

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "fleet_bench: %s: %s\n", what, err->text);
	exit(1);
}

/* ---- the driver ---- */

static struct loop *loop;
static struct fleet *fleet;
static struct driver *drivers[FAKES_MAX];
static int n_started, n_ended, n_broken;
static double overhead_ms[FAKES_MAX];
static int n_overheads;

static struct policy *make_policy(int port)
{
	struct policy *policy;
	struct buf text, problems;
	struct err err;
	int i;

	buf_init(&text, 65536);
	buf_init(&problems, 65536);
	buf_addf(&text,
		"version: 1\nname: fleet\nmetrics: {url: "
		"'http://127.0.0.1:%d'}\nsettle: 0s\n"
		"steps: [{percent: 10, bake: 10d}, {percent: 100, bake: 1m}]\n"
		"slos:\n",
		port);
	for (i = 0; evidence && i < SLOS; i++)
		buf_addf(&text,
			"  - {name: slo-%d, kind: evidence, objective: 1%%, "
			"interval: %s, total: "
			"'all_%d{revision=\"{{revision}}\"}'"
			", bad: 'bad_%d{revision=\"{{revision}}\"}'}\n",
			i, interval, i, i);
	for (i = 0; !evidence && i < SLOS; i++)
		buf_addf(&text,
			"  - {name: slo-%d, max: 1%%, fail_after: 1, interval: "
			"%s, query: 'rate(x_%d{revision=\"{{candidate}}\"}"
			"[{{window}}])'}\n",
			i, interval, i);
	policy = policy_parse("fleet.yaml", text.data, text.len,
		&policy_env_real, &problems, &err);
	if (!policy) {
		fprintf(stderr, "%s", problems.data);
		exit(1);
	}
	buf_fini(&text);
	buf_fini(&problems);
	return policy;
}

static void ended(
	struct driver *driver, int status, const struct err *err, void *arg)
{
	struct fake *fake = arg;
	int i = (int)(fake - fakes);

	n_ended++;
	if (status != 5) {
		if (n_broken++ < BROKEN_SHOWN_MAX)
			fprintf(stderr, "%s ended with %d: %s\n",
				driver_id(driver), status,
				err ? err->text : driver_state(driver)->reason);
	} else if (fake->patched_us) {
		overhead_ms[n_overheads++] =
			(double)(fake->patched_us - fake->answered_us) / 1000;
	}
	fleet_drop(fleet, &drivers[i]);
}

static struct world world;
static struct policy *policy;

static void start_one(int i)
{
	struct driver_options options = {
		.starter = "bench", .wish = {.again = true}, .wait_ms = -1};
	struct observer observer = {.end = ended, .arg = &fakes[i]};
	char service[64];
	struct err err;

	snprintf(service, sizeof(service),
		"projects/p/locations/r/services/s%05d", i);
	options.service = service;
	fakes[i] = (struct fake){.generation = 1};
	drivers[i] = fleet_run(fleet, policy, &options, &observer, &err);
	if (!drivers[i])
		die("fleet_run", &err);
	n_started++;
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long private_kib(void)
{
	char line[256];
	long kib = 0, v;
	FILE *f = fopen("/proc/self/smaps_rollup", "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Private_Dirty: %ld", &v) == 1)
			kib = v;
	}
	if (f)
		fclose(f);
	return kib;
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 3;
}

/* Starts are spread over the interval, as they are in life. */
static int64_t begin_us, measure_us;
static double measure_cpu;
static long measure_queries;
static int64_t start_every_us, breach_every_us;
static int n_breached;
static long idle_kib;

static void breach_one(void)
{
	int i = n_breached++ *
		(n_rollouts /
			(n_breaches < n_rollouts ? n_breaches : n_rollouts));

	if (i < n_rollouts && drivers[i])
		fakes[i].breach = 1;
}

static void report_load(void)
{
	double wall = (double)(clock_boot_us() - measure_us) / 1e6;
	double cpu = cpu_s() - measure_cpu;
	long queries = *n_queries - measure_queries;
	double due = (double)n_rollouts * SLOS * (evidence ? QUERIES : 1) *
		     wall * 1000 / (double)policy->slos[0].interval_ms;

	printf("load        %d rollouts, %d SLOs: %.3f core, %.1f KiB private "
	       "per rollout (%ld KiB in all), %d descriptors\n",
		n_rollouts, SLOS, cpu / wall,
		(double)(private_kib() - idle_kib) / n_rollouts, private_kib(),
		descriptors());
	printf("queries     %ld in %.1f s: %.0f per CPU second; %.0f were due, "
	       "in time %.3f core\n",
		queries, wall, (double)queries / cpu, due,
		cpu / (double)queries * due / wall);
}

static void tick(void *arg)
{
	int64_t now = clock_boot_us();
	static bool reported;

	while (n_started < n_rollouts &&
		now - begin_us >= n_started * start_every_us)
		start_one(n_started);
	if (n_started == n_rollouts && !measure_us &&
		now - begin_us >= n_rollouts * start_every_us +
					  WARM_UP_S * INT64_C(1000000)) {
		measure_us = now;
		measure_cpu = cpu_s();
		measure_queries = *n_queries;
	}
	if (measure_us && !reported &&
		now - measure_us >= seconds * INT64_C(1000000)) {
		reported = true;
		report_load();
		breach_every_us = now;
	}
	if (reported && n_breached < n_breaches && n_breached < n_rollouts &&
		now >= breach_every_us) {
		breach_one();
		breach_every_us = now + 20000 + (int64_t)rng_below(&rng, 30000);
	}
	if (reported && n_ended >= (n_breaches < n_rollouts ? n_breaches
							    : n_rollouts)) {
		loop_stop(loop);
		return;
	}
	timer_start(loop, 2, tick, NULL);
}

/* One rollout at a time, again and again: the overhead alone, and whether
 * memory grows with what was. */
static int n_rounds;
static long early_kib; /* after a tenth of them */

static void single_tick(void *arg)
{
	if (!drivers[0]) {
		if (n_rounds == n_breaches / 10)
			early_kib = private_kib();
		if (n_rounds++ == n_breaches) {
			printf("memory      %ld KiB private after %d rollouts, "
			       "%ld KiB after %d\n",
				early_kib, n_breaches / 10, private_kib(),
				n_breaches);
			loop_stop(loop);
			return;
		}
		start_one(0);
	} else if (driver_state(drivers[0])->checking &&
		   driver_state(drivers[0])->check[0].passes > 0) {
		fakes[0].breach = 1;
	}
	timer_start(loop, 5, single_tick, NULL);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report_overhead(void)
{
	if (!n_overheads)
		return;
	qsort(overhead_ms, (size_t)n_overheads, sizeof(double), by_size);
	printf("revert      %d reverts: median %.3f ms, p99 %.3f ms, max %.3f "
	       "ms (answer written to PATCH read)\n",
		n_overheads, overhead_ms[n_overheads / 2],
		overhead_ms[n_overheads * 99 / 100],
		overhead_ms[n_overheads - 1]);
}

/* The name of a function of this program, by its debug information. */
static void print_name(void (*fn)(void))
{
	char command[128], name[128] = "?";
	Dl_info info;
	FILE *pipe;

	if (!fn || !dladdr((void *)fn, &info))
		return;
	snprintf(command, sizeof(command), "addr2line -f -e /proc/%d/exe %#tx",
		(int)getpid(), (char *)fn - (char *)info.dli_fbase);
	pipe = popen(command, "r");
	if (!pipe)
		return;
	if (fgets(name, sizeof(name), pipe))
		name[strcspn(name, "\n")] = '\0';
	pclose(pipe);
	printf(", most of it in %s", name);
}

static void report_turn(const char *which, struct loop_turn turn)
{
	printf("turn        the %s took %.1f ms, %.1f ms of processor time",
		which, (double)turn.wall_us / 1000, (double)turn.cpu_us / 1000);
	print_name(turn.what);
	printf("\n");
}

static void report_turns(void)
{
	report_turn("longest", loop_longest_turn(loop));
	report_turn("busiest", loop_busiest_turn(loop));
}

static char folder[128];

static int remove_one(
	const char *path, const struct stat *st, int what, struct FTW *at)
{
	return remove(path);
}

static void remove_folder(void)
{
	if (nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) < 0)
		perror(folder);
}

/* It is removed when this process exits; the server has been started before and
 * does not do it. */
static void make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%.100s/fleet-bench-XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(folder)) {
		perror(folder);
		exit(1);
	}
	atexit(remove_folder);
}

static void stop_early(int signo, void *arg)
{
	exit(128 + signo);
}

static void drive(int port)
{
	char endpoint[64], db[160];
	struct world_options options = {.project = "p", .region = "r"};
	struct err err;

	make_folder();
	snprintf(db, sizeof(db), "%s/state.db", folder);
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%d/", port);
	setenv("CLOUDSDK_AUTH_ACCESS_TOKEN", "bench-token", 1);
	policy = make_policy(port);
	setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN", endpoint, 1);
	options.store = store_open(db, STORE_CREATE, &err);
	if (!options.store || world_open(&world, &options, &err) < 0)
		die("world", &err);
	loop = world.loop;
	if (loop_on_signal(loop, SIGINT, stop_early, NULL, &err) < 0 ||
		loop_on_signal(loop, SIGTERM, stop_early, NULL, &err) < 0)
		die("signals", &err);
	loop_measure_turns(loop);
	fleet = fleet_new(&world, &err);
	if (!fleet)
		die("fleet", &err);
	idle_kib = private_kib();
	begin_us = clock_boot_us();
	if (n_rollouts > 1)
		start_every_us = start_s * INT64_C(1000000) / n_rollouts;
	timer_start(loop, 0, n_rollouts == 1 ? single_tick : tick, NULL);
	if (loop_run(loop, &err) < 0)
		die("loop", &err);
	report_turns();
	report_overhead();
	if (n_broken)
		printf("broken      %d rollouts did not end as they should\n",
			n_broken);
}

int main(int argc, char **argv)
{
	int port;

	if (argc > 1)
		n_rollouts = atoi(argv[1]);
	if (argc > 2)
		seconds = atoi(argv[2]);
	if (argc > 3)
		n_breaches = atoi(argv[3]);
	evidence = argc > 5 && strcmp(argv[5], "evidence") == 0;
	interval = argc > 4 ? argv[4] : n_rollouts == 1 ? "1s" : "30s";
	start_s = argc > 6 ? atoi(argv[6]) : evidence ? 60 : 30;
	if (n_rollouts < 1 || n_rollouts > FAKES_MAX || n_breaches < 1 ||
		n_breaches > FAKES_MAX || start_s < 0) {
		fputs("usage: fleet_bench [ROLLOUTS [SECONDS [BREACHES "
		      "[INTERVAL [threshold|evidence [START_S]]]]]]\n",
			stderr);
		return 2;
	}
	rng_init(&rng, 1);
	fake_world_start(evidence, &port);
	drive(port);
	return 0;
}
