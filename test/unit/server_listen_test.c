/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the server listens: addresses as people write them, Unix sockets and
 * what an earlier process left of them, sockets that were handed over.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "io/listen_fds.h"
#include "io/loop.h"
#include "io/server.h"
#include "until.h"

#define GET "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

struct world {
	struct loop *loop;
	char folder[64];
	char path[96], address[104]; /* of a socket in it */
	struct server_peer peer; /* of the last request */
	int n_served;
};

static void on_request(struct server_request *request, void *arg)
{
	struct world *w = arg;

	w->n_served++;
	w->peer = *request_peer(request);
	request_answer(request, 200, NULL, "served", 6);
}

static void world_init(struct world *w)
{
	struct err err;

	*w = (struct world){.folder = "/tmp/tidegate-listen-XXXXXX"};
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/socket", w->folder);
	snprintf(w->address, sizeof(w->address), "unix:%s", w->path);
	w->loop = loop_new(&err);
}

static void world_fini(struct world *w)
{
	assert_int_equal(rmdir(w->folder), 0); /* nothing is left in it */
	loop_free(&w->loop);
}

static struct server *listen_on(
	struct world *w, const char *address, struct err *err_r)
{
	const struct server_options options = {.address = address};

	return server_listen(w->loop, &options, on_request, w, err_r);
}

static void asks_well(struct world *w, int fd)
{
	char bytes[4096] = "";
	int before = w->n_served;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, GET, strlen(GET)), strlen(GET));
	RUN_UNTIL(
		w->loop, recv(fd, bytes, sizeof(bytes) - 1, MSG_DONTWAIT) > 0);
	assert_non_null(strstr(bytes, "served"));
	assert_int_equal(w->n_served, before + 1);
	close(fd);
}

static int connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

static int connect_tcp(int family, int port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(family, SOCK_STREAM, 0);
	int rc = family == AF_INET
			 ? connect(fd, (struct sockaddr *)&v4, sizeof(v4))
			 : connect(fd, (struct sockaddr *)&v6, sizeof(v6));

	if (!rc)
		return fd;
	close(fd);
	return -1;
}

static void addresses_are_as_people_write_them(void **state)
{
	static const char *const good[] = {
		"127.0.0.1:0", "localhost:0", "0.0.0.0:0"};
	static const char *const bad[] = {"", ":0", "127.0.0.1",
		"127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1",
		"[::1:0", "::1:0", "example.com:80", "[127.0.0.1]:0",
		"http://127.0.0.1:0", "unix:socket", "unix:", "8080"};
	struct server *server;
	struct world w;
	struct err err;

	world_init(&w);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		server = listen_on(&w, good[i], &err);
		assert_non_null(server);
		assert_in_range(server_port(server), 1, 65535);
		asks_well(&w, connect_tcp(AF_INET, server_port(server)));
		assert_int_equal(w.peer.kind, PEER_LOOPBACK);
		assert_string_equal(w.peer.address, "127.0.0.1");
		server_free(&server);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(listen_on(&w, bad[i], &err));
		assert_int_equal(err.code, ERR_INVALID);
	}
	assert_null(listen_on(&w, "192.0.2.1:0", &err));
	assert_int_equal(err.code, ERR_IO);
	world_fini(&w);
}

static void both_families_come_by_one_socket(void **state)
{
	struct server *server;
	struct world w;
	struct err err;
	int fd;

	world_init(&w);
	server = listen_on(&w, "[::]:0", &err);
	if (!server) { /* a machine without IPv6 */
		world_fini(&w);
		skip();
	}
	fd = connect_tcp(AF_INET6, server_port(server));
	if (fd >= 0) {
		asks_well(&w, fd);
		assert_string_equal(w.peer.address, "::1");
		assert_int_equal(w.peer.kind, PEER_LOOPBACK);
	}
	asks_well(&w, connect_tcp(AF_INET, server_port(server)));
	assert_string_equal(w.peer.address, "127.0.0.1");
	assert_int_equal(w.peer.kind, PEER_LOOPBACK);
	server_free(&server);
	world_fini(&w);
}

static void a_unix_socket_says_who_comes(void **state)
{
	struct server *server;
	struct world w;
	struct stat st;
	struct err err;
	char *who;

	world_init(&w);
	server = listen_on(&w, w.address, &err);
	assert_non_null(server);
	assert_int_equal(server_port(server), 0);
	assert_int_equal(stat(w.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	asks_well(&w, connect_unix(w.path));
	assert_int_equal(w.peer.kind, PEER_UNIX);
	assert_int_equal(w.peer.uid, getuid());
	assert_int_equal(w.peer.pid, getpid());
	who = xasprintf("unix:uid=%u,pid=%d", getuid(), getpid());
	assert_string_equal(w.peer.address, who);
	free(who);
	server_free(&server);
	assert_int_equal(access(w.path, F_OK), -1);
	world_fini(&w);
}

static void its_mode_is_what_was_asked_for(void **state)
{
	struct world w;
	const struct server_options options = {
		.address = w.address, .unix_mode = 0666};
	struct server *server;
	struct stat st;
	struct err err;
	mode_t before = umask(0077);

	world_init(&w);
	server = server_listen(w.loop, &options, on_request, &w, &err);
	assert_non_null(server);
	assert_int_equal(stat(w.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0666);
	assert_int_equal(umask(before), 0077);
	server_free(&server);
	world_fini(&w);
}

static void what_is_there_is_replaced_when_nobody_answers(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct server *server, *second;
	struct world w;
	struct err err;
	int fd;

	world_init(&w);
	/* Left by a process that was killed. */
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", w.path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	server = listen_on(&w, w.address, &err);
	assert_non_null(server);
	/* Somebody answers: it stays his. */
	second = listen_on(&w, w.address, &err);
	assert_null(second);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.text, "another process answers"));
	asks_well(&w, connect_unix(w.path));
	/* Somebody else's by now: it is not removed. */
	assert_int_equal(unlink(w.path), 0);
	second = listen_on(&w, w.address, &err);
	assert_non_null(second);
	server_free(&server);
	asks_well(&w, connect_unix(w.path));
	server_free(&second);
	world_fini(&w);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	struct world w;
	struct err err;
	char *path;
	int fd;

	world_init(&w);
	fd = open(w.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_null(listen_on(&w, w.address, &err));
	assert_non_null(strstr(err.text, "is no socket"));
	assert_int_equal(unlink(w.path), 0);
	/* A link to nothing is something, too. */
	assert_int_equal(symlink("/nonexistent", w.path), 0);
	assert_null(listen_on(&w, w.address, &err));
	assert_int_equal(unlink(w.path), 0);
	path = xasprintf("unix:%s/no/socket", w.folder);
	assert_null(listen_on(&w, path, &err));
	assert_int_equal(err.code, ERR_IO);
	free(path);
	path = xasprintf("unix:/%0200d", 0);
	assert_null(listen_on(&w, path, &err));
	assert_non_null(strstr(err.text, "at most 107 bytes"));
	free(path);
	world_fini(&w);
}

/* ---- handed over ---- */

static int bound_socket(int type, int *port_r)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, type, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port_r = ntohs(address.sin_port);
	return fd;
}

static void env_hand(pid_t pid, const char *n, const char *names)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", (int)pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", n, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

/* In a child, whose descriptors 3 and 4 they are. Its exit status says what was
 * not as it should be. */
static int child_serves(int first, int second)
{
	struct world w = {0};
	struct server *server;
	struct err err;

	if (dup2(first, 13) < 0 || dup2(second, 14) < 0 || dup2(13, 3) < 0 ||
		dup2(14, 4) < 0)
		return 2;
	w.loop = loop_new(&err);
	env_hand(getpid(), "2", "other:http");
	server = listen_on(&w, "systemd:http", &err);
	if (!server || !server_port(server))
		return 3;
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") ||
		getenv("LISTEN_FDNAMES"))
		return 4;
	if (!(fcntl(3, F_GETFD) & FD_CLOEXEC) ||
		!(fcntl(4, F_GETFD) & FD_CLOEXEC) ||
		!(fcntl(4, F_GETFL) & O_NONBLOCK))
		return 5;
	while (!w.n_served)
		until_turn(w.loop);
	server_drain(server);
	while (!server_is_idle(server))
		until_turn(w.loop);
	server_free(&server);
	loop_free(&w.loop);
	return 0;
}

static void sockets_that_are_handed_over_stay_the_managers(void **state)
{
	int other_port, port, status, fd;
	int other = bound_socket(SOCK_STREAM, &other_port);
	int http = bound_socket(SOCK_STREAM, &port);
	char bytes[4096] = "";
	ssize_t n;
	pid_t pid;

	assert_int_equal(listen(other, 8), 0);
	assert_int_equal(listen(http, 8), 0);
	fflush(NULL);
	pid = fork();
	if (!pid)
		_exit(child_serves(other, http));
	fd = connect_tcp(AF_INET, port);
	assert_int_equal(write(fd, GET, strlen(GET)), strlen(GET));
	n = recv(fd, bytes, sizeof(bytes) - 1, 0);
	assert_true(n > 0);
	assert_non_null(strstr(bytes, "HTTP/1.1 200 OK\r\n"));
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* It still listens: who comes now waits for the next process. */
	fd = connect_tcp(AF_INET, port);
	assert_true(fd >= 0);
	close(fd);
	close(http);
	close(other);
}

/* What LISTEN_FDS says is looked at; in a child, whose 3 it is. */
static int child_refuses(int fd, pid_t pid, const char *n, const char *names)
{
	struct listen_fds fds;
	struct err err;

	if (dup2(fd, 3) < 0)
		return 2;
	env_hand(pid ? pid : getpid(), n, names);
	if (!listen_fds_take("http", &fds, &err))
		return 1;
	return err.code == ERR_INVALID ? 0 : 3;
}

static void what_was_not_handed_over_is_not_taken(void **state)
{
	int port, status;
	int tcp = bound_socket(SOCK_STREAM, &port);
	int udp = bound_socket(SOCK_DGRAM, &port);
	int listening = bound_socket(SOCK_STREAM, &port);
	const struct {
		int fd;
		pid_t pid; /* 0: its own */
		const char *n, *names;
	} rows[] = {
		{listening, 1, "1", "http"}, /* another process' */
		{listening, 0, "0", "http"},
		{listening, 0, "-1", "http"},
		{listening, 0, "1x", "http"},
		{listening, 0, "99999999999", "http"},
		{listening, 0, "9", "http"},
		{listening, 0, "1", "https"},
		{listening, 0, "1", "htt"},
		{listening, 0, "1", NULL},
		{listening, 0, "1", ":http"},
		{tcp, 0, "1", "http"}, /* does not listen */
		{udp, 0, "1", "http"},
		{STDOUT_FILENO, 0, "1", "http"},
	};

	assert_int_equal(listen(listening, 8), 0);
	fflush(NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(child_refuses(rows[i].fd, rows[i].pid, rows[i].n,
				rows[i].names));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("row %zu: %d", i, status);
	}
	close(tcp);
	close(udp);
	close(listening);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_as_people_write_them),
		cmocka_unit_test(both_families_come_by_one_socket),
		cmocka_unit_test(a_unix_socket_says_who_comes),
		cmocka_unit_test(its_mode_is_what_was_asked_for),
		cmocka_unit_test(what_is_there_is_replaced_when_nobody_answers),
		cmocka_unit_test(what_is_no_socket_is_left_alone),
		cmocka_unit_test(
			sockets_that_are_handed_over_stay_the_managers),
		cmocka_unit_test(what_was_not_handed_over_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
