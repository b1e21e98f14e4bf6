/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the HTTP server of the daemon costs:
 *
 *   server_bench [REQUESTS [CONNECTIONS [STREAMS [SECONDS]]]]
 *   default: 200000 1000 200 5
 *
 * Requests of 16 kept connections, each small, by processor time of the server's
 * thread alone; memory of a connection that is idle after its first request;
 * that many streams with an event of 500 bytes a second. The peers are in a
 * process of their own.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/clock.h"
#include "io/loop.h"
#include "io/server.h"
#include "io/usage.h"

#define PEERS           16
#define CONNECTIONS_MAX 100000
#define EVENT_BYTES     500

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct server_stream **streams;
static int n_streams;

static void die(const char *what)
{
	fprintf(stderr, "server_bench: %s\n", what);
	exit(1);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static void turn_for(struct loop *loop, int64_t ms)
{
	struct err err;

	timer_start(loop, ms, stop, loop);
	if (loop_run(loop, &err))
		die(err.text);
}

static void serve(struct server_request *request, void *arg)
{
	static const char json[] = "{\"rollouts\":[]}\n";

	if (strcmp(request_path(request), "/stream") != 0) {
		request_answer(request, 200, "application/json", json,
			sizeof(json) - 1);
		return;
	}
	streams[n_streams] =
		request_stream(request, 200, "text/event-stream", NULL, NULL);
	if (!streams[n_streams++])
		die("a stream was refused");
}

static struct server *listen_any(struct loop *loop)
{
	const struct server_options options = {.address = "127.0.0.1:0",
		.behind_proxy = true,
		.connections_max = CONNECTIONS_MAX,
		.streams_max = CONNECTIONS_MAX};
	struct err err;
	struct server *server =
		server_listen(loop, &options, serve, NULL, &err);

	if (!server)
		die(err.text);
	return server;
}

/* ---- peers ---- */

static int connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
		die("cannot connect");
	return fd;
}

static void ask(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		exit(1);
}

static void hear(int fd)
{
	char bytes[4096];

	if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
		exit(1);
}

static void peers_ask(int port, int n_requests)
{
	int fds[PEERS];

	for (int i = 0; i < PEERS; i++)
		fds[i] = connect_to(port);
	for (int n = 0; n < n_requests; n += PEERS) {
		for (int i = 0; i < PEERS; i++)
			ask(fds[i], GET("/api/v1/rollouts"));
		for (int i = 0; i < PEERS; i++)
			hear(fds[i]);
	}
}

static void peers_stay(int port, const char *text, int n)
{
	int *fds = calloc((size_t)n, sizeof(*fds));

	if (!fds)
		exit(1);
	for (int i = 0; i < n; i++) {
		fds[i] = connect_to(port);
		ask(fds[i], text);
		hear(fds[i]);
	}
	for (int i = 0;; i = (i + 1) % n)
		hear(fds[i]);
}

static void peers_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* ---- figures ---- */

static void bench_requests(struct loop *loop, int n_requests)
{
	struct server *server = listen_any(loop);
	const struct server_counts *counts = server_counts(server);
	int64_t cpu_us, wall_us;
	pid_t pid = fork();

	if (!pid) {
		peers_ask(server_port(server), n_requests);
		_exit(0);
	}
	cpu_us = clock_cpu_us();
	wall_us = clock_boot_us();
	while (counts->requests < (uint64_t)n_requests)
		turn_for(loop, 20);
	cpu_us = clock_cpu_us() - cpu_us;
	wall_us = clock_boot_us() - wall_us;
	peers_end(pid);
	printf("%d requests: %.0f per second of its processor time, %.0f per "
	       "second\n",
		n_requests, n_requests * 1e6 / (double)cpu_us,
		n_requests * 1e6 / (double)wall_us);
	server_free(&server);
}

static void bench_idle(struct loop *loop, int n)
{
	struct server *server = listen_any(loop);
	const struct server_counts *counts = server_counts(server);
	struct process_usage before, after;
	pid_t pid;

	usage_read(&before);
	pid = fork();
	if (!pid)
		peers_stay(server_port(server), GET("/api/v1/rollouts"), n);
	while (counts->requests < (uint64_t)n)
		turn_for(loop, 20);
	turn_for(loop, 20);
	usage_read(&after);
	peers_end(pid);
	printf("%d idle connections: %.0f bytes each\n", n,
		(double)(after.resident - before.resident) / n);
	server_free(&server);
}

static void bench_streams(struct loop *loop, int n, int seconds)
{
	struct server *server = listen_any(loop);
	char event[EVENT_BYTES];
	int64_t cpu_us;
	pid_t pid;

	memset(event, 'e', sizeof(event));
	streams = calloc((size_t)n, sizeof(*streams));
	if (!streams)
		die("memory");
	pid = fork();
	if (!pid)
		peers_stay(server_port(server), GET("/stream"), n);
	while (n_streams < n)
		turn_for(loop, 20);
	cpu_us = clock_cpu_us();
	for (int s = 0; s < seconds; s++) {
		for (int i = 0; i < n; i++)
			if (!server_stream_send(
				    streams[i], event, sizeof(event)))
				die("a stream was behind");
		turn_for(loop, 1000);
	}
	cpu_us = clock_cpu_us() - cpu_us;
	peers_end(pid);
	printf("%d streams, an event each second: %.4f of a core\n", n,
		(double)cpu_us / 1e6 / seconds);
	free(streams);
	server_free(&server);
}

static int argument(int argc, char **argv, int i, int fallback)
{
	return argc > i ? atoi(argv[i]) : fallback;
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct err err;
	struct loop *loop;

	/* Both ends of each connection are somebody's descriptor. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	loop = loop_new(&err);
	if (!loop)
		die(err.text);
	bench_requests(loop, argument(argc, argv, 1, 200000));
	bench_idle(loop, argument(argc, argv, 2, 1000));
	bench_streams(
		loop, argument(argc, argv, 3, 200), argument(argc, argv, 4, 5));
	loop_free(&loop);
	return 0;
}
