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
 * the load is too low by as much: `in time` is what it would have been. $TMPDIR is where the state file is made, in a folder that is
 * removed at the end.
 */
#define _GNU_SOURCE /* dladdr, nftw */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/rng.h"
#include "io/loop.h"
#include "io/server.h"
#include "live/fleet.h"
#include "live/world.h"
#include "metrics/labels.h"
#include "policy/policy_load.h"
#include "store/store.h"

#define ROLLOUTS_MAX     20000
#define BROKEN_SHOWN_MAX 3 /* the rest is counted */
#define SLOS             4
#define QUERIES          4 /* of a check of kind evidence */
#define WARM_UP_S        4

/* One service, as the server sees it; shared by both processes. */
struct fake {
	int percent; /* of the candidate */
	int generation;
	volatile int breach; /* answer the next query with a bad value */
	volatile int64_t answered_us, patched_us; /* 0: not yet */
	int64_t worse_us; /* evidence: since when the counters are bad */
};

static struct fake *fakes;
static volatile long *n_queries; /* answered; shared, too */
static int n_rollouts = 1, seconds = 10, n_breaches = 50, start_s;
static const char *interval;
static bool evidence;
static struct rng rng;

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- the server ---- */

static void add_target(
	struct buf *out, const char *revision, int percent, bool first)
{
	buf_addf(out,
		"%s{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\","
		"\"revision\":\"%s\",\"percent\":%d}",
		first ? "" : ",", revision, percent);
}

static void add_split(struct buf *out, int i)
{
	char name[32];

	snprintf(name, sizeof(name), "s%05d-a", i);
	add_target(out, name, 100 - fakes[i].percent, true);
	if (fakes[i].percent) {
		snprintf(name, sizeof(name), "s%05d-b", i);
		add_target(out, name, fakes[i].percent, false);
	}
}

static void answer_service(struct server_request *request, int i)
{
	struct buf out;

	buf_init(&out, 4096);
	buf_addf(&out,
		"{\"name\":\"projects/p/locations/r/services/s%05d\","
		"\"generation\":\"%d\",\"observedGeneration\":\"%d\","
		"\"etag\":\"\\\"%d\\\"\",\"latestReadyRevision\":"
		"\"projects/p/locations/r/services/s%05d/revisions/s%05d-b\","
		"\"terminalCondition\":{\"type\":\"Ready\",\"state\":"
		"\"CONDITION_SUCCEEDED\"},\"traffic\":[",
		i, fakes[i].generation, fakes[i].generation,
		fakes[i].generation, i, i);
	add_split(&out, i);
	buf_adds(&out, "],\"trafficStatuses\":[");
	add_split(&out, i);
	buf_adds(&out, "]}");
	request_answer(request, 200, "application/json", out.data, out.len);
	buf_fini(&out);
}

/* What the body gives to …-b; good enough for bodies of our own. */
static int percent_in(const char *body)
{
	const char *at = strstr(body, "-b\"");

	at = at ? strstr(at, "\"percent\":") : NULL;
	return at ? atoi(at + 10) : 0;
}

static void answer_patch(struct server_request *request, int i)
{
	static const char done[] = "{\"done\":true}";
	size_t len;

	if (fakes[i].answered_us && !fakes[i].patched_us)
		fakes[i].patched_us = now_us();
	fakes[i].percent = percent_in(request_body(request, &len));
	fakes[i].generation++;
	request_answer(
		request, 200, "application/json", done, sizeof(done) - 1);
}

/* Requests, or the bad ones among them, as a counter would have them: 5 and 45
 * a second, one in a thousand bad, and nine of ten when they shall be found. */
static double counter(int i, bool candidate, bool bad)
{
	double s = (double)now_us() / 1e6, all = (candidate ? 5 : 45) * s;

	if (!bad)
		return floor(all);
	if (candidate && fakes[i].worse_us)
		return floor(all / 1000 +
			     4.5 * (s - (double)fakes[i].worse_us / 1e6));
	return floor(all / 1000);
}

/* One query of a joint one, as far as `end` in the form: its series. */
static void add_counter(struct buf *out, const char *query, const char *end)
{
	static const char *const roles[] = {
		"total", "baseline-total", "bad", "baseline-bad"};
	const char *candidate = strstr(query, "-b%22"), *bad;
	const char *at = candidate && candidate < end ? candidate
						      : strstr(query, "-a%22");
	int i = at ? atoi(at - 5) : 0;

	bad = strstr(query, "bad_");
	bad = bad && bad < end ? bad : NULL;
	if (fakes[i].breach && !fakes[i].worse_us)
		fakes[i].worse_us = now_us();
	buf_addf(out,
		"%s{\"metric\":{\"__name__\":\"c\",\"" LABEL_ROLE
		"\":\"%s\",\"revision\":\"s%05d-%c\"},\"value\":[1,\"%.0f\"]}",
		out->data[out->len - 1] == '[' ? "" : ",",
		roles[2 * (bad != NULL) + (at != candidate)], i,
		at == candidate ? 'b' : 'a',
		counter(i, at == candidate, bad != NULL));
	if (fakes[i].worse_us && !fakes[i].patched_us)
		fakes[i].answered_us = now_us();
}

static void answer_counter(struct server_request *request, const char *body)
{
	static const char arm[] = "label_replace";
	const char *at = strstr(body, arm), *next;
	struct buf out;

	buf_init(&out, 4096);
	buf_adds(&out, "{\"status\":\"success\",\"data\":{\"resultType\":"
		       "\"vector\",\"result\":[");
	for (; at; at = next) {
		next = strstr(at + 1, arm);
		add_counter(&out, at, next ? next : body + strlen(body));
		++*n_queries;
	}
	buf_adds(&out, "]}}");
	request_answer(request, 200, "application/json", out.data, out.len);
	buf_fini(&out);
}

/* Nothing is known of the time before. */
static const char no_past[] = "{\"status\":\"success\",\"data\":"
			      "{\"resultType\":\"matrix\",\"result\":[]}}";

static void answer_query(struct server_request *request)
{
	char out[128];
	size_t len;
	const char *at = strstr(request_body(request, &len), "-b");
	int i = at ? atoi(at - 5) : 0, n;
	bool bad = at && fakes[i].breach;

	n = snprintf(out, sizeof(out),
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\","
		"\"result\":[{\"metric\":{},\"value\":[1,\"%s\"]}]}}",
		bad ? "0.9" : "0.001");
	request_answer(request, 200, "application/json", out, (size_t)n);
	++*n_queries;
	if (bad && !fakes[i].answered_us)
		fakes[i].answered_us = now_us();
}

/* Both revisions are there and ready: the last letter of the path is which. */
static void answer_revision(
	struct server_request *request, const char *path, int i)
{
	char out[256], which = path[strlen(path) - 1];
	int n = snprintf(out, sizeof(out),
		"{\"name\":\"projects/p/locations/r/services/s%05d/revisions/"
		"s%05d-%c\",\"service\":\"s%05d\",\"conditions\":[{\"type\":"
		"\"Ready\",\"state\":\"CONDITION_SUCCEEDED\"}]}",
		i, i, which == 'a' ? 'a' : 'b', i);

	request_answer(request, 200, "application/json", out, (size_t)n);
}

static void serve(struct server_request *request, void *arg)
{
	const char *path = request_path(request);
	const char *at = strstr(path, "/services/s");
	int i = at ? atoi(at + 11) : 0;
	size_t len;

	if (!at && strstr(path, "query_range"))
		request_answer(request, 200, "application/json", no_past,
			sizeof(no_past) - 1);
	else if (!at && evidence)
		answer_counter(request, request_body(request, &len));
	else if (!at)
		answer_query(request);
	else if (strstr(path, "/revisions/"))
		answer_revision(request, path, i);
	else if (strcmp(request_method(request), "PATCH") == 0)
		answer_patch(request, i);
	else
		answer_service(request, i);
}

static void die(const char *what, const struct err *err)
{
	fprintf(stderr, "fleet_bench: %s: %s\n", what, err->text);
	exit(1);
}

static pid_t server_pid;

static void stop_server(void)
{
	kill(server_pid, SIGTERM);
	waitpid(server_pid, NULL, 0);
}

/* It ends with this process, also when that is killed. */
static void start_server(int *port_r)
{
	pid_t bench = getpid();
	struct server *server;
	struct loop *loop;
	struct err err;
	int fds[2], port;

	if (pipe(fds) < 0 || (server_pid = fork()) < 0) {
		perror("fleet_bench");
		exit(1);
	}
	if (server_pid) {
		atexit(stop_server);
		if (read(fds[0], port_r, sizeof(*port_r)) !=
			(ssize_t)sizeof(*port_r))
			exit(1);
		return;
	}
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != bench)
		exit(1);
	loop = loop_new(&err);
	server = loop ? server_new(loop, 0, serve, NULL, &err) : NULL;
	if (!server)
		die("server", &err);
	port = server_port(server);
	if (write(fds[1], &port, sizeof(port)) != (ssize_t)sizeof(port) ||
		loop_run(loop, &err) < 0)
		exit(1);
	exit(0);
}

/* ---- the driver ---- */

static struct loop *loop;
static struct fleet *fleet;
static struct driver *drivers[ROLLOUTS_MAX];
static int n_started, n_ended, n_broken;
static double overhead_ms[ROLLOUTS_MAX];
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
	double wall = (double)(now_us() - measure_us) / 1e6;
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
	int64_t now = now_us();
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
	fleet = fleet_new(&world);
	idle_kib = private_kib();
	begin_us = now_us();
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
	if (n_rollouts < 1 || n_rollouts > ROLLOUTS_MAX || n_breaches < 1 ||
		n_breaches > ROLLOUTS_MAX || start_s < 0) {
		fputs("usage: fleet_bench [ROLLOUTS [SECONDS [BREACHES "
		      "[INTERVAL [threshold|evidence [START_S]]]]]]\n",
			stderr);
		return 2;
	}
	rng_init(&rng, 1);
	fakes = mmap(NULL, ROLLOUTS_MAX * sizeof(*fakes) + sizeof(*n_queries),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fakes == MAP_FAILED)
		return 1;
	n_queries = (volatile long *)(fakes + ROLLOUTS_MAX);
	start_server(&port);
	drive(port);
	return 0;
}
