/* SPDX-License-Identifier: Apache-2.0 */
/* The world of many services; see fake_world.h. */
#include "fake_world.h"

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/server.h"
#include "metrics/labels.h"

struct fake *fakes;
volatile long *n_queries;

static bool evidence;

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
		fakes[i].patched_us = clock_boot_us();
	fakes[i].percent = percent_in(request_body(request, &len));
	fakes[i].generation++;
	request_answer(
		request, 200, "application/json", done, sizeof(done) - 1);
}

/* Requests, or the bad ones among them, as a counter would have them: 5 and 45
 * a second, one in a thousand bad, and nine of ten when they shall be found. */
static double counter(int i, bool candidate, bool bad)
{
	double s = (double)clock_boot_us() / 1e6,
	       all = (candidate ? 5 : 45) * s;

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
		fakes[i].worse_us = clock_boot_us();
	buf_addf(out,
		"%s{\"metric\":{\"__name__\":\"c\",\"" LABEL_ROLE
		"\":\"%s\",\"revision\":\"s%05d-%c\"},\"value\":[1,\"%.0f\"]}",
		out->data[out->len - 1] == '[' ? "" : ",",
		roles[2 * (bad != NULL) + (at != candidate)], i,
		at == candidate ? 'b' : 'a',
		counter(i, at == candidate, bad != NULL));
	if (fakes[i].worse_us && !fakes[i].patched_us)
		fakes[i].answered_us = clock_boot_us();
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
		fakes[i].answered_us = clock_boot_us();
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
	fprintf(stderr, "fake world: %s: %s\n", what, err->text);
	exit(1);
}

static pid_t server_pid;

static void stop_server(void)
{
	kill(server_pid, SIGTERM);
	waitpid(server_pid, NULL, 0);
}

static void map_fakes(void)
{
	fakes = mmap(NULL, FAKES_MAX * sizeof(*fakes) + sizeof(*n_queries),
		PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fakes == MAP_FAILED) {
		perror("fake world");
		exit(1);
	}
	n_queries = (volatile long *)(fakes + FAKES_MAX);
}

void fake_world_start(bool counters, int *port_r)
{
	pid_t bench = getpid();
	struct server *server;
	struct loop *loop;
	struct err err;
	int fds[2], port;

	evidence = counters;
	map_fakes();
	if (pipe(fds) < 0 || (server_pid = fork()) < 0) {
		perror("fake world");
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
