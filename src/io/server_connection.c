/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the server: its bytes, its deadlines, whose turn it is. A
 * request's way: head, body, its owner, the answer, and again.
 *
 * One read and one request in each turn, however much has arrived. The next
 * request is looked at when the answer before it has left, so that a peer that
 * does not read cannot make us hold more than one. A connection is freed from
 * its own callbacks or at the end of a turn, never inside a call of an owner.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server_parts.h"

#define READ_MAX           (16 * 1024) /* bytes in a turn */
#define ANSWER_HEADERS_MAX (128 * 1024)
#define RATE_MIN           4 /* bytes per ms that a peer takes of an answer */
#define COMPACT_MIN        (64 * 1024)

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void connection_flush(void *arg);
static void on_readable(int fd, int what, void *arg);

/* ---- state ---- */

/* Whoever has not asked anything yet can be closed for somebody who does. */
static bool state_is_spare(enum connection_state state)
{
	return state == CONNECTION_HEAD || state == CONNECTION_LINGERING;
}

void connection_set_state(
	struct connection *connection, enum connection_state state)
{
	struct server *server = connection->server;

	if (connection->is_spare)
		TAILQ_REMOVE(&server->spare, connection, spare_link);
	connection->state = state;
	connection->is_spare = state_is_spare(state);
	if (connection->is_spare)
		TAILQ_INSERT_TAIL(&server->spare, connection, spare_link);
	/* All that is left to send is there by now. */
	if (state == CONNECTION_SENDING)
		connection_set_deadline(connection,
			server->limits.send_ms +
				(int64_t)connection_unsent(connection) /
					RATE_MIN);
}

bool connection_is_idle(const struct connection *connection)
{
	return connection->state == CONNECTION_HEAD && !connection->in.len;
}

size_t connection_unsent(const struct connection *connection)
{
	return connection->out.len - connection->sent;
}

static void unsent_count(struct connection *connection)
{
	size_t *unsent = &connection->server->counts.unsent;

	*unsent -= connection->counted;
	connection->counted = connection_unsent(connection);
	*unsent += connection->counted;
}

static void reads_set(struct connection *connection, bool wanted)
{
	if (!wanted)
		watch_cancel(&connection->reads);
	else if (!connection->reads)
		connection->reads = watch_start(connection->server->loop,
			connection->fd, WATCH_READ, on_readable, connection);
}

/* What is not looked at yet has a limit; beyond it the peer waits. */
static void reads_set_by_room(struct connection *connection)
{
	reads_set(
		connection, !connection->input_ended &&
				    connection->in.len <=
					    connection->server->rules.head_max);
}

/* ---- its end ---- */

static void reset_set(int fd)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* A request that somebody has stays his. */
static void request_leave(struct connection *connection)
{
	struct server_request *request = connection->request;

	if (!request)
		return;
	if (connection->state == CONNECTION_SERVING)
		request->connection = NULL;
	else
		request_free(request);
	connection->request = NULL;
}

void connection_free(struct connection *connection)
{
	struct server *server = connection->server;

	if (connection->stream)
		connection->stream_closed(connection);
	request_leave(connection);
	watch_cancel(&connection->reads);
	watch_cancel(&connection->writes);
	timer_cancel(&connection->timer);
	timer_cancel(&connection->next);
	if (connection->flushes)
		loop_defer_cancel(server->loop, connection_flush, connection);
	if (connection->is_spare)
		TAILQ_REMOVE(&server->spare, connection, spare_link);
	TAILQ_REMOVE(&server->connections, connection, link);
	if (connection->is_reset)
		reset_set(connection->fd);
	close(connection->fd);
	server->counts.unsent -= connection->counted;
	server->counts.connections--;
	buf_fini(&connection->in);
	buf_fini(&connection->out);
	free(connection);
}

void connection_kill(struct connection *connection, bool with_reset)
{
	connection->is_dead = true;
	connection->is_reset = with_reset;
	connection_wants_to_send(connection);
}

/* The peer has the last answer before it hears that bytes of its were not
 * read, which would make it forget the answer. */
static void linger_start(struct connection *connection)
{
	shutdown(connection->fd, SHUT_WR);
	connection_set_state(connection, CONNECTION_LINGERING);
	buf_fini(&connection->in);
	reads_set(connection, true);
	connection_set_deadline(
		connection, connection->server->limits.linger_ms);
}

static void refuse(struct connection *connection, enum gate_refusal refusal)
{
	struct server *server = connection->server;
	bool with_body = true;

	server->counts.refused[refusal]++;
	server->counts.answers[gate_row(refusal)->status / 100]++;
	if (connection->request) {
		with_body = strcmp(connection->request->head.method, "HEAD");
		request_free(connection->request);
	}
	connection->closes = true;
	refusal_print(&connection->out, server, refusal, with_body);
	connection_set_state(connection, CONNECTION_SENDING);
	connection_wants_to_send(connection);
}

/* ---- deadlines ---- */

static void deadline_passed(struct connection *connection)
{
	struct server *server = connection->server;

	if (connection->state == CONNECTION_STREAMING &&
		connection->stream_deadline(connection))
		return;
	if (connection->state != CONNECTION_LINGERING)
		server->counts.timeouts++;
	if (connection->state == CONNECTION_HEAD && connection->in.len) {
		refuse(connection, GATE_HEAD_LATE);
	} else if (connection->state == CONNECTION_BODY) {
		refuse(connection, GATE_BODY_LATE);
	} else {
		connection->is_reset = connection_unsent(connection) > 0;
		connection_free(connection);
	}
}

/* The timer may be early, because a deadline moves more often than it comes. */
static void on_timer(void *arg)
{
	struct connection *connection = arg;
	int64_t left_ms =
		connection->deadline_ms - loop_now(connection->server->loop);

	connection->timer = NULL;
	if (connection->is_dead || connection->state == CONNECTION_SERVING)
		return;
	if (left_ms > 0)
		connection_set_deadline(connection, left_ms);
	else
		deadline_passed(connection);
}

void connection_set_deadline(struct connection *connection, int64_t in_ms)
{
	struct loop *loop = connection->server->loop;

	connection->deadline_ms = loop_now(loop) + in_ms;
	if (connection->timer &&
		connection->timer_ms <= connection->deadline_ms)
		return;
	timer_cancel(&connection->timer);
	connection->timer = timer_start(loop, in_ms, on_timer, connection);
	connection->timer_ms = connection->deadline_ms;
}

/* ---- a request ---- */

static void request_serve(struct connection *connection)
{
	struct server_request *request = connection->request;
	struct server *server = connection->server;

	connection_set_state(connection, CONNECTION_SERVING);
	server->counts.requests++;
	server->fn(request, server->arg); /* it may free the server */
}

/* How many of the bytes are the body's. */
static size_t body_take(
	struct connection *connection, const char *bytes, size_t len)
{
	struct server_request *request = connection->request;
	size_t wanted = request->pass.body_len - request->body.len;

	if (len > wanted)
		len = wanted;
	buf_add(&request->body, bytes, len);
	return len;
}

static void in_consume(struct connection *connection, size_t len)
{
	struct buf *in = &connection->in;

	memmove(in->data, in->data + len, in->len - len);
	buf_truncate(in, in->len - len);
	if (!in->len)
		buf_fini(in);
}

static bool body_is_complete(const struct connection *connection)
{
	return connection->request->body.len ==
	       connection->request->pass.body_len;
}

static void body_start(struct connection *connection)
{
	struct server_request *request = connection->request;

	connection->closes = request->pass.closes;
	buf_init(&request->body, request->pass.body_len);
	if (connection->in.len)
		in_consume(
			connection, body_take(connection, connection->in.data,
					    connection->in.len));
	reads_set_by_room(connection);
	if (body_is_complete(connection)) {
		request_serve(connection);
		return;
	}
	if (connection->input_ended) { /* the rest will not come */
		connection_free(connection);
		return;
	}
	connection_set_state(connection, CONNECTION_BODY);
	connection_set_deadline(connection, connection->server->limits.body_ms);
	if (request->pass.continues && !request->body.len) {
		buf_adds(&connection->out, continue_line);
		connection_wants_to_send(connection);
	}
}

static void head_complete(struct connection *connection)
{
	struct server *server = connection->server;
	struct server_request *request = xcalloc(1, sizeof(*request));
	enum gate_refusal refusal;

	request->server = server;
	request->connection = connection;
	request->peer = connection->peer;
	request->is_lenient = !server->rules.strict;
	buf_init(&request->body, 0);
	buf_init(&request->headers, ANSWER_HEADERS_MAX);
	LIST_INSERT_HEAD(&server->requests, request, link);
	connection->request = request;
	refusal = request_head_parse(
		&request->head, connection->in.data, connection->scan.head_len);
	if (!refusal)
		refusal = gate_check(
			&server->rules, &request->head, &request->pass);
	if (!refusal && server->counts.unsent > server->limits.unsent_max)
		refusal = GATE_UNSENT;
	if (refusal) {
		refuse(connection, refusal);
		return;
	}
	in_consume(connection, connection->scan.head_len);
	connection->scan = (struct head_scan){0};
	body_start(connection);
}

static void head_advance(struct connection *connection)
{
	enum gate_refusal refusal =
		head_scan(&connection->scan, connection->in.data,
			connection->in.len, connection->server->rules.head_max);

	if (refusal)
		refuse(connection, refusal);
	else if (connection->scan.head_len)
		head_complete(connection);
	else if (connection->input_ended)
		connection_free(connection);
	else
		reads_set_by_room(connection);
}

static void on_next(void *arg)
{
	struct connection *connection = arg;

	connection->next = NULL;
	if (!connection->is_dead && connection->state == CONNECTION_HEAD)
		head_advance(connection);
}

static void head_wait(struct connection *connection)
{
	struct server *server = connection->server;

	connection_set_state(connection, CONNECTION_HEAD);
	reads_set_by_room(connection);
	connection_set_deadline(connection, connection->in.len
						    ? server->limits.head_ms
						    : server->limits.idle_ms);
	if (connection->in.len)
		connection->next =
			timer_start(server->loop, 0, on_next, connection);
	else if (server->draining || connection->input_ended)
		connection_free(connection);
}

/* ---- bytes that come ---- */

static void in_add(struct connection *connection, const char *bytes, size_t len)
{
	buf_add(&connection->in, bytes, len);
	reads_set_by_room(connection);
}

static void bytes_of_head(
	struct connection *connection, const char *bytes, size_t len)
{
	/* Of a new connection the time since accept counts. */
	if (!connection->in.len && connection->had_request)
		connection_set_deadline(
			connection, connection->server->limits.head_ms);
	connection->had_request = true;
	in_add(connection, bytes, len);
	if (!connection->next)
		head_advance(connection);
}

static void bytes_of_body(
	struct connection *connection, const char *bytes, size_t len)
{
	size_t taken = body_take(connection, bytes, len);

	if (taken < len)
		in_add(connection, bytes + taken, len - taken);
	if (body_is_complete(connection))
		request_serve(connection);
}

static void bytes_came(
	struct connection *connection, const char *bytes, size_t len)
{
	switch (connection->state) {
	case CONNECTION_HEAD:
		bytes_of_head(connection, bytes, len);
		break;
	case CONNECTION_BODY:
		bytes_of_body(connection, bytes, len);
		break;
	case CONNECTION_SERVING:
	case CONNECTION_SENDING:
		in_add(connection, bytes, len);
		break;
	case CONNECTION_STREAMING:
		in_add(connection, bytes, len);
		if (!connection->reads) /* its end would not be noticed */
			connection_free(connection);
		break;
	case CONNECTION_LINGERING:
		break;
	}
}

/* The peer sends no more, and may still read: all that it has asked whole is
 * answered. Who waits for events is taken to be gone. */
static void input_ended(struct connection *connection)
{
	bool has_asked =
		connection->state == CONNECTION_SERVING ||
		connection->state == CONNECTION_SENDING ||
		(connection->state == CONNECTION_HEAD && connection->next);

	if (!has_asked) {
		connection_free(connection);
		return;
	}
	connection->input_ended = true;
	reads_set(connection, false);
}

static void on_readable(int fd, int what, void *arg)
{
	struct connection *connection = arg;
	char bytes[READ_MAX];
	ssize_t n;

	if (connection->is_dead)
		return;
	n = read(fd, bytes, sizeof(bytes));
	if (n > 0)
		bytes_came(connection, bytes, (size_t)n);
	else if (n == 0)
		input_ended(connection);
	else if (errno != EAGAIN && errno != EINTR)
		connection_free(connection);
}

/* ---- bytes that go ---- */

static void on_writable(int fd, int what, void *arg)
{
	struct connection *connection = arg;

	connection_wants_to_send(connection);
}

static void out_compact(struct connection *connection)
{
	struct buf *out = &connection->out;
	size_t left = connection_unsent(connection);

	if (left && (connection->sent < COMPACT_MIN || connection->sent < left))
		return;
	memmove(out->data, out->data + connection->sent, left);
	buf_truncate(out, left);
	connection->sent = 0;
	if (!left)
		buf_fini(out);
}

/* All of it has left. */
static void sent_all(struct connection *connection)
{
	watch_cancel(&connection->writes);
	if (connection->state != CONNECTION_SENDING)
		return;
	if (connection->closes)
		linger_start(connection);
	else
		head_wait(connection);
}

/* false: the peer is gone. */
static bool out_write(struct connection *connection)
{
	struct buf *out = &connection->out;

	while (connection_unsent(connection)) {
		ssize_t n = send(connection->fd, out->data + connection->sent,
			connection_unsent(connection), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		connection->sent += (size_t)n;
		connection->progress_ms = loop_now(connection->server->loop);
	}
	return true;
}

/* At the end of a turn. */
static void connection_flush(void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->server->loop;

	connection->flushes = false;
	if (connection->is_dead || connection->out.overflow ||
		!out_write(connection)) {
		connection_free(connection);
		return;
	}
	out_compact(connection);
	unsent_count(connection);
	if (!connection_unsent(connection))
		sent_all(connection);
	else if (!connection->writes)
		connection->writes = watch_start(loop, connection->fd,
			WATCH_WRITE, on_writable, connection);
}

void connection_wants_to_send(struct connection *connection)
{
	if (connection->flushes)
		return;
	connection->flushes = true;
	loop_defer(connection->server->loop, connection_flush, connection);
}

void connection_start(struct connection *connection)
{
	struct server *server = connection->server;

	buf_init(&connection->in, server->rules.head_max + READ_MAX);
	buf_init(&connection->out, SERVER_ANSWER_MAX);
	TAILQ_INSERT_TAIL(&server->connections, connection, link);
	connection_set_state(connection, CONNECTION_HEAD);
	reads_set(connection, true);
	connection_set_deadline(connection, server->limits.head_ms);
}
