/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many requests a second the sandbox's front door carries on one core:
 *
 *   front_bench TIDEGATE [SECONDS]                    default: 5 seconds
 *
 * A sandbox of its own is started, with two revisions that share the traffic;
 * kept connections ask it without a pause. What counts is the processor time
 * of the sandbox, so that the load beside it does not.
 */
#define _GNU_SOURCE /* strcasestr */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS 64
#define ANSWER_MAX  8192

struct connection {
	char answer[ANSWER_MAX + 1];
	size_t len;
};

static struct connection connections[CONNECTIONS];
static struct pollfd fds[CONNECTIONS];

static void die(const char *what)
{
	fprintf(stderr, "front_bench: %s\n", what);
	exit(1);
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The sandbox says on one line where its doors are. */
static pid_t start_sandbox(const char *program, int *port_r)
{
	static const char front[] = "\"front\": \"http://127.0.0.1:";
	char line[1024] = "", *at;
	int out[2];
	pid_t pid;
	FILE *f;

	if (pipe(out) < 0 || (pid = fork()) < 0)
		die("no process");
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		execlp(program, program, "sandbox", "--revision",
			"a:latency=1ms,errors=1%", "--revision",
			"b:latency=1ms,errors=1%", (char *)NULL);
		_exit(127);
	}
	close(out[1]);
	f = fdopen(out[0], "r");
	at = f && fgets(line, sizeof(line), f) ? strstr(line, front) : NULL;
	if (!at)
		die("the sandbox does not say where its front door is");
	*port_r = atoi(at + sizeof(front) - 1);
	return pid;
}

static void ask(int i)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: front\r\n\r\n";

	connections[i].len = 0;
	if (write(fds[i].fd, request, sizeof(request) - 1) !=
		(ssize_t)sizeof(request) - 1)
		die("a request cannot be sent");
}

static void connect_all(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	int i;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((unsigned short)port);
	for (i = 0; i < CONNECTIONS; i++) {
		fds[i].fd = socket(AF_INET, SOCK_STREAM, 0);
		fds[i].events = POLLIN;
		if (fds[i].fd < 0 ||
			connect(fds[i].fd, (void *)&to, sizeof(to)) < 0)
			die("cannot connect to the front door");
		ask(i);
	}
}

static int is_whole(const struct connection *c)
{
	const char *end = strstr(c->answer, "\r\n\r\n");
	const char *length = strcasestr(c->answer, "\r\nContent-Length:");

	return end && length && length < end &&
	       c->len >= (size_t)(end + 4 - c->answer) +
				 strtoul(length + 17, NULL, 10);
}

/* True: that was an answer. */
static int take(int i)
{
	struct connection *c = &connections[i];
	ssize_t n = read(fds[i].fd, c->answer + c->len, ANSWER_MAX - c->len);

	if (n <= 0)
		die("the front door closed a connection, or said too much");
	c->len += (size_t)n;
	c->answer[c->len] = '\0';
	if (!is_whole(c))
		return 0;
	ask(i);
	return 1;
}

int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[2]) : 5, start, cpu;
	struct rusage used;
	long answers = 0;
	int port, i;
	pid_t sandbox;

	if (argc < 2 || seconds <= 0) {
		fputs("usage: front_bench TIDEGATE [SECONDS]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	sandbox = start_sandbox(argv[1], &port);
	connect_all(port);
	for (start = now_s(); now_s() - start < seconds;) {
		if (poll(fds, CONNECTIONS, 1000) < 0)
			die("poll");
		for (i = 0; i < CONNECTIONS; i++)
			if (fds[i].revents)
				answers += take(i);
	}
	kill(sandbox, SIGKILL);
	wait4(sandbox, NULL, 0, &used);
	cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	      (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	printf("front door  %ld answers in %.1f s: %.0f per CPU second\n",
		answers, now_s() - start, (double)answers / cpu);
	return 0;
}
