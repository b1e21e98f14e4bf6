/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a load costs, and how true it is:
 *
 *   load_bench WORKBENCH [USERS [SECONDS]]      default: 500 users, 20 s
 *
 * A server in a process of its own answers after 10 to 400 ms and keeps a
 * histogram of what it took. First as many requests a second as there are users:
 * the generator's processor time, its p95 beside the server's. Then the server
 * stalls for 2 s: what the load says beside what a generator would that times
 * requests from when they are sent. Last the program WORKBENCH is told to stop
 * under load: how long that takes, and what arrives after it.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "action/load_codec.h"
#include "base/rng.h"
#include "base/secret.h"
#include "base/xalloc.h"
#include "io/clock.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/server.h"
#include "load/generator.h"

#define STALL_AT_MS 6000
#define STALL_MS    2000
#define HELD_MAX    100000
#define RAMP_MS     5000

static void die(const char *what)
{
	fprintf(stderr, "load_bench: %s\n", what);
	exit(1);
}

/* ---- the server ---- */

/* What the other process sees, in memory that both have. */
struct answering {
	struct server_request *request;
	int64_t came_us;
};

static struct {
	struct loop *loop;
	struct histogram took;
	struct rng rng;
	int64_t first_us, last_us;
	uint64_t n;
	bool stalls;
} service;

static bool stands_still(void)
{
	int64_t since_ms = (clock_boot_us() - service.first_us) / 1000;

	return service.stalls && since_ms >= STALL_AT_MS &&
	       since_ms < STALL_AT_MS + STALL_MS;
}

static void answer(void *arg)
{
	struct answering *a = arg;

	if (stands_still()) {
		timer_start(service.loop, 1, answer, a);
		return;
	}
	request_answer(a->request, 200, "application/json", "{\"a\":1}", 7);
	histogram_add(&service.took, clock_boot_us() - a->came_us);
	free(a);
}

/* Most are quick, some are slow: 10 to 400 ms. */
static int64_t draw_ms(void)
{
	return 10 + (int64_t)(390 * pow(rng_unit(&service.rng), 3));
}

static void serve(struct server_request *request, void *arg)
{
	struct answering *a;

	if (!strcmp(request_path(request), "/seen")) {
		char text[200];
		int n = snprintf(text, sizeof(text), "%llu %lld %lld %lld",
			(unsigned long long)service.n,
			(long long)service.last_us,
			(long long)histogram_quantile_us(&service.took, 0.95),
			(long long)histogram_quantile_us(&service.took, 0.99));

		request_answer(request, 200, "text/plain", text, (size_t)n);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->request = request;
	a->came_us = service.last_us = clock_boot_us();
	if (!service.n++)
		service.first_us = a->came_us;
	timer_start(service.loop, service.stalls ? 5 : draw_ms(), answer, a);
}

static void be_server(int out, bool stalls)
{
	const struct server_options options = {.address = "127.0.0.1:0",
		.behind_proxy = true,
		.connections_max = 10000};
	struct server *server;
	struct err err;
	int port;

	service.stalls = stalls;
	rng_init(&service.rng, 1);
	service.loop = loop_new(&err);
	server = server_listen(service.loop, &options, serve, NULL, &err);
	if (!server)
		die(err.text);
	port = server_port(server);
	if (write(out, &port, sizeof(port)) != sizeof(port))
		die("pipe");
	if (loop_run(service.loop, &err) < 0)
		die(err.text);
}

static pid_t server_start(int *port_r, bool stalls)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		die("pipe");
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		be_server(ends[1], stalls);
	if (pid < 0 ||
		read(ends[0], port_r, sizeof(*port_r)) != sizeof(*port_r))
		die("no server");
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void server_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- what it has seen ---- */

struct seen {
	unsigned long long n;
	long long last_us, p95_us, p99_us;
	struct loop *loop;
};

static void told(const struct http_reply *reply, void *arg)
{
	struct seen *seen = arg;

	if (reply->status != 200 ||
		sscanf(reply->body, "%llu %lld %lld %lld", &seen->n,
			&seen->last_us, &seen->p95_us, &seen->p99_us) != 4)
		die("the server does not say what it has seen");
	loop_stop(seen->loop);
}

static struct seen look(int port)
{
	struct seen seen = {0};
	char url[64];
	struct http_request request = {.url = url};
	struct http *http;
	struct err err;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/seen", port);
	seen.loop = loop_new(&err);
	http = http_new(seen.loop, &err);
	if (!http)
		die(err.text);
	(void)http_start(http, &request, told, &seen);
	if (loop_run(seen.loop, &err) < 0)
		die(err.text);
	http_free(&http);
	loop_free(&seen.loop);
	return seen;
}

/* ---- loads ---- */

struct run {
	struct loop *loop;
	struct load_figures figures;
};

static void live(
	const struct tally *tally, const struct tally_now *now, void *arg)
{
}

static void over(const struct tally *tally, const struct err *err, void *arg)
{
	struct run *run = arg;

	if (err)
		die(err->text);
	tally_figures(tally, &run->figures);
	run->figures.reason = NULL;
	loop_stop(run->loop);
}

static int64_t cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
	       u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void order_print(
	struct buf *order, int port, int users, int seconds, int think_ms)
{
	const struct load_stage stages[] = {
		{RAMP_MS, users}, {seconds * 1000, users}};
	struct action_load load = {.stages = stages,
		.n_stages = 2,
		.think_ms = think_ms,
		.warmup_ms = think_ms == 1000 ? RAMP_MS : 0,
		.request_timeout_ms = 10000};
	char *url = xasprintf("http://127.0.0.1:%d/", port);

	load.only = (struct load_request){.method = "GET",
		.url = secret_hold(url, strlen(url)),
		.weight = 1};
	load.expect.limits.failed = 1;
	load_order_print(order, &load, &(struct template_values){0}, false);
	secret_free(&load.only.url);
	free(url);
}

static struct load_figures make_load(
	int port, int users, int seconds, int think_ms)
{
	struct run run = {0};
	const struct generator_events events = {live, over, &run};
	struct generator *generator;
	struct load_spec *spec;
	struct buf order;
	struct err err;

	buf_init(&order, LOAD_ORDER_MAX);
	order_print(&order, port, users, seconds, think_ms);
	spec = load_spec_parse(order.data, order.len, &err);
	if (!spec)
		die(err.text);
	run.loop = loop_new(&err);
	generator = generator_start(run.loop, spec, &events, &err);
	if (!generator || loop_run(run.loop, &err) < 0)
		die(err.text);
	generator_free(&generator);
	loop_free(&run.loop);
	load_spec_free(&spec);
	buf_fini(&order);
	return run.figures;
}

static void bench_cost(int users, int seconds)
{
	int64_t cpu = cpu_us(), began = clock_boot_us(), wall;
	struct load_figures f;
	struct rusage usage;
	struct seen seen;
	int port;
	pid_t pid = server_start(&port, false);

	f = make_load(port, users, seconds, 1000);
	wall = clock_boot_us() - began;
	cpu = cpu_us() - cpu;
	seen = look(port);
	server_end(pid);
	getrusage(RUSAGE_SELF, &usage);
	printf("%d users, think 1s: %.1f requests/s, %llu failed, %llu "
	       "dropped, %.3f cores, %ld MiB\n",
		users, f.rate, (unsigned long long)f.failed,
		(unsigned long long)f.dropped, (double)cpu / (double)wall,
		usage.ru_maxrss / 1024);
	printf("  p95 %.2f ms, the server's own %.2f ms: %+.2f %%\n", f.p95_ms,
		(double)seen.p95_us / 1000,
		100 * (1000 * f.p95_ms / (double)seen.p95_us - 1));
}

/* Ten users, a request each 50 ms: a stall of 2 s holds ten requests, and makes
 * the 400 after them late. */
static void bench_stall(void)
{
	struct load_figures f;
	struct seen seen;
	int port;
	pid_t pid = server_start(&port, true);

	f = make_load(port, 10, 10, 50);
	seen = look(port);
	server_end(pid);
	printf("a stall of 2 s, %llu requests: p99 %.1f ms from when they were "
	       "due, %.1f ms from when they were sent\n",
		(unsigned long long)f.requests, f.p99_ms,
		(double)seen.p99_us / 1000);
}

/* ---- the end ---- */

struct stopping {
	struct loop *loop;
	struct process *process;
	int64_t called_us, took_us;
	pid_t server;
};

static void ended(const struct process_end *end, void *arg)
{
	die("the load ended by itself");
}

static void leave(void *arg)
{
	struct stopping *s = arg;

	loop_stop(s->loop);
}

static void cancel(void *arg)
{
	struct stopping *s = arg;

	s->called_us = clock_boot_us();
	process_cancel(&s->process);
	s->took_us = clock_boot_us() - s->called_us;
	timer_start(s->loop, PROCESS_GRACE_MS + 500, leave, s);
}

static void bench_stop(const char *workbench, int users)
{
	const char *argv[] = {workbench, "load", "-", NULL};
	struct stopping s = {0};
	struct process_spec spec = {.argv = argv, .timeout_ms = 3600000};
	struct buf order;
	struct seen seen;
	struct err err;
	int port;

	s.server = server_start(&port, false);
	buf_init(&order, LOAD_ORDER_MAX);
	order_print(&order, port, users, 3600, 1000);
	spec.input = order.data;
	s.loop = loop_new(&err);
	s.process = process_start(s.loop, &spec, ended, &s);
	timer_start(s.loop, RAMP_MS + 3000, cancel, &s);
	if (loop_run(s.loop, &err) < 0)
		die(err.text);
	seen = look(port);
	server_end(s.server);
	buf_fini(&order);
	loop_free(&s.loop);
	printf("stopped under %d users: the call takes %lld us, the last "
	       "request arrived %.2f ms after it, of %llu\n",
		users, (long long)s.took_us,
		(double)(seen.last_us - s.called_us) / 1000, seen.n);
}

int main(int argc, char **argv)
{
	int users = argc > 2 ? atoi(argv[2]) : 500;
	int seconds = argc > 3 ? atoi(argv[3]) : 20;

	if (argc < 2 || users < 1 || seconds < 1)
		die("usage: load_bench WORKBENCH [USERS [SECONDS]]");
	bench_cost(users, seconds);
	bench_stall();
	bench_stop(argv[1], users);
	return 0;
}
