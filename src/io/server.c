/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server as a whole; see server.h: what it was told, accepting and its
 * limits, the end. How a connection goes is server_connection.c's.
 */
#define _GNU_SOURCE /* accept4 */
#include "io/server.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server_parts.h"
#include "io/usage.h"

#define ACCEPT_MAX  64 /* in a turn */
#define REFUSAL_MAX (4 * 1024) /* bytes */
#define SANDBOX_MS  120000 /* of a peer that neither sends nor reads */

/* ---- accepting ---- */

static bool is_from_one_peer(const struct in6_addr *a, const struct in6_addr *b)
{
	/* A network of IPv6 is one peer: it has as many addresses as it likes. */
	size_t len = IN6_IS_ADDR_V4MAPPED(a) ? sizeof(*a) : 8;

	return memcmp(a, b, len) == 0;
}

static bool peer_has_room(
	const struct server *server, const struct connection *asking)
{
	const struct connection *connection;
	int n = 0;

	if (server->limits.behind_proxy || asking->peer.kind == PEER_UNIX)
		return true;
	TAILQ_FOREACH(connection, &server->connections, link) {
		if (is_from_one_peer(&connection->from, &asking->from))
			n++;
	}
	return n < server->limits.per_peer_max;
}

/* Somebody who has not asked anything yet goes for somebody who may. */
static bool server_has_room(struct server *server)
{
	struct connection *oldest = TAILQ_FIRST(&server->spare);

	if (server->counts.connections < server->limits.connections_max)
		return true;
	if (!oldest)
		return false;
	connection_free(oldest);
	return true;
}

/* Not waited for: what the kernel does not take at once is not told. */
static void connection_refuse(
	struct server *server, struct connection *connection)
{
	struct buf out;

	server->counts.refused[GATE_CONNECTIONS]++;
	buf_init(&out, REFUSAL_MAX);
	refusal_print(&out, server, GATE_CONNECTIONS, true);
	(void)!send(connection->fd, out.data, out.len, MSG_NOSIGNAL);
	buf_fini(&out);
	close(connection->fd);
	free(connection);
}

static void on_accepted(struct server *server, int fd)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));
	int on = 1;

	server->counts.accepted++;
	connection->server = server;
	connection->fd = fd;
	peer_read(connection);
	if (!peer_has_room(server, connection) || !server_has_room(server)) {
		connection_refuse(server, connection);
		return;
	}
	/* Events are small, and each is one write. */
	if (connection->peer.kind != PEER_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	server->counts.connections++;
	connection_start(connection);
}

static void on_acceptable(int fd, int what, void *arg);

static void listeners_watch(struct server *server)
{
	for (int i = 0; i < server->n_listeners; i++) {
		struct listener *listener = &server->listeners[i];

		if (listener->fd >= 0 && !listener->watch)
			listener->watch =
				watch_start(server->loop, listener->fd,
					WATCH_READ, on_acceptable, server);
	}
}

static void on_pause_over(void *arg)
{
	struct server *server = arg;

	server->pause = NULL;
	listeners_watch(server);
}

/* Without descriptors the kernel would say again and again that somebody
 * waits. */
static void accept_pause(struct server *server, int error)
{
	log_line(LOG_WARN,
		"event=accept-paused connections=%d pause_ms=%lld text=\"%s\"",
		server->counts.connections, (long long)server->limits.pause_ms,
		strerror(error));
	server->counts.accept_pauses++;
	for (int i = 0; i < server->n_listeners; i++)
		watch_cancel(&server->listeners[i].watch);
	server->pause = timer_start(
		server->loop, server->limits.pause_ms, on_pause_over, server);
}

static bool is_passing(int error)
{
	return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

static void on_acceptable(int fd, int what, void *arg)
{
	struct server *server = arg;

	for (int i = 0; i < ACCEPT_MAX; i++) {
		int accepted =
			accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (accepted >= 0) {
			on_accepted(server, accepted);
		} else if (!is_passing(errno)) {
			if (errno != EAGAIN)
				accept_pause(server, errno);
			return;
		}
	}
}

/* ---- what it was told ---- */

static void texts_copy(char **to, const char *const *from)
{
	for (int i = 0; i < SERVER_HOSTS_MAX && from && from[i]; i++)
		to[i] = xstrdup(from[i]);
}

static void texts_free(char **texts)
{
	for (int i = 0; texts[i]; i++)
		free(texts[i]);
}

static void limits_complete(struct server_options *limits)
{
#define DEFAULT(member, value) \
	limits->member = limits->member ? limits->member : (value)
	DEFAULT(body_max, GATE_BODY_MAX);
	DEFAULT(head_ms, SERVER_HEAD_MS);
	DEFAULT(body_ms, SERVER_BODY_MS);
	DEFAULT(idle_ms, SERVER_IDLE_MS);
	DEFAULT(send_ms, SERVER_SEND_MS);
	DEFAULT(linger_ms, SERVER_LINGER_MS);
	DEFAULT(pause_ms, SERVER_PAUSE_MS);
	DEFAULT(heartbeat_ms, SERVER_HEARTBEAT_MS);
	DEFAULT(connections_max, SERVER_CONNECTIONS_MAX);
	DEFAULT(per_peer_max, SERVER_PER_PEER_MAX);
	DEFAULT(streams_max, SERVER_STREAMS_MAX);
	DEFAULT(unsent_max, SERVER_UNSENT_MAX);
#undef DEFAULT
}

/* What is asked of us leaves descriptors for what we ask ourselves: a crowd of
 * visitors must not keep a rollout from its revert. */
static int connections_allowed(void)
{
	int64_t files =
		usage_allow_files(SERVER_CONNECTIONS_MAX + SERVER_SPARE_FILES);

	return files < 2 * SERVER_SPARE_FILES
		       ? (int)(files / 2)
		       : (int)(files - SERVER_SPARE_FILES);
}

static struct server *server_make(struct loop *loop,
	const struct server_options *options, server_fn fn, void *arg)
{
	struct server *server = xcalloc(1, sizeof(*server));

	server->loop = loop;
	server->fn = fn;
	server->arg = arg;
	server->limits = *options;
	limits_complete(&server->limits);
	TAILQ_INIT(&server->connections);
	TAILQ_INIT(&server->spare);
	LIST_INIT(&server->requests);
	return server;
}

struct server *server_new(
	struct loop *loop, int port, server_fn fn, void *arg, struct err *err_r)
{
	const struct server_options options = {
		.behind_proxy = true,
		.connections_max = INT_MAX,
		.streams_max = INT_MAX,
		.unsent_max = SIZE_MAX,
		.idle_ms = SANDBOX_MS,
		.body_ms = SANDBOX_MS,
		.send_ms = SANDBOX_MS,
	};
	struct server *server;
	char address[32];

	if (port < 0 || port > 65535) {
		err_set(err_r, ERR_INVALID,
			"port %d is not between 0 and 65535 (0: any)", port);
		return NULL;
	}
	server = server_make(loop, &options, fn, arg);
	server->rules = (struct gate_rules){
		.head_max = SERVER_HEADERS_MAX, .body_max = SERVER_BODY_MAX};
	snprintf(address, sizeof(address), "127.0.0.1:%d", port);
	if (listeners_open(server, address, 0, err_r))
		server_free(&server);
	else
		listeners_watch(server);
	return server;
}

struct server *server_listen(struct loop *loop,
	const struct server_options *options, server_fn fn, void *arg,
	struct err *err_r)
{
	static const char *const local[] = {
		"localhost", "127.0.0.1", "[::1]", NULL};
	struct server *server = server_make(loop, options, fn, arg);
	const char *const *hosts = options->hosts;

	if (!options->connections_max)
		server->limits.connections_max = connections_allowed();
	server->has_headers = true;
	if (listeners_open(
		    server, options->address, options->unix_mode, err_r)) {
		server_free(&server);
		return NULL;
	}
	if (!hosts && listeners_are_local(server))
		hosts = local;
	texts_copy(server->hosts, hosts);
	texts_copy(server->open_paths, options->open_paths);
	server->rules = (struct gate_rules){
		.strict = true,
		.head_max = GATE_HEAD_MAX,
		.body_max = server->limits.body_max,
		.hosts = hosts ? (const char *const *)server->hosts : NULL,
		.open_paths = (const char *const *)server->open_paths,
	};
	listeners_watch(server);
	return server;
}

/* ---- its end ---- */

static void listeners_close(struct server *server)
{
	timer_cancel(&server->pause);
	for (int i = 0; i < server->n_listeners; i++)
		listener_close(&server->listeners[i]);
	server->n_listeners = 0;
}

void server_drain(struct server *server)
{
	struct connection *connection, *next;

	server->draining = true;
	listeners_close(server);
	for (connection = TAILQ_FIRST(&server->connections); connection;
		connection = next) {
		next = TAILQ_NEXT(connection, link);
		if (connection_is_idle(connection))
			connection_free(connection);
	}
}

bool server_is_idle(const struct server *server)
{
	return TAILQ_EMPTY(&server->connections);
}

/* The owner of a request may still read it; it is freed with the answer. */
static void requests_orphan(struct server *server)
{
	struct server_request *request;

	while ((request = LIST_FIRST(&server->requests))) {
		LIST_REMOVE(request, link);
		request->server = NULL;
	}
}

void server_free(struct server **server_p)
{
	struct server *server = *server_p;
	struct connection *connection;

	if (!server)
		return;
	listeners_close(server);
	while ((connection = TAILQ_FIRST(&server->connections)))
		connection_free(connection);
	requests_orphan(server);
	texts_free(server->hosts);
	texts_free(server->open_paths);
	free(server);
	*server_p = NULL;
}

int server_port(const struct server *server)
{
	return server->port;
}

const struct server_counts *server_counts(const struct server *server)
{
	return &server->counts;
}
