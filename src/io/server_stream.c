/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that go on, for server-sent events; see server.h. It frames what is
 * sent and lets go of peers that do not read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server_parts.h"

static bool may_stream(struct server_request *request)
{
	struct connection *connection = request->connection;
	struct server *server = request->server;

	if (connection && connection->input_ended) {
		request_reset(request);
		return false;
	}
	if (!connection) {
		request_free(request);
		return false;
	}
	if (server->counts.streams >= server->limits.streams_max) {
		const struct gate_row *row = gate_row(GATE_STREAMS);

		server->counts.refused[GATE_STREAMS]++;
		request_set_header(request, "Retry-After", "5");
		request_problem(request, row->status, row->code, row->instead);
		return false;
	}
	return true;
}

static void stream_free(struct server_stream *stream)
{
	stream->connection->stream = NULL;
	stream->connection->server->counts.streams--;
	free(stream);
}

static void stream_add(
	struct server_stream *stream, const void *bytes, size_t len)
{
	struct connection *connection = stream->connection;

	if (!len)
		return; /* an empty chunk would be the end */
	if (!connection_unsent(connection))
		connection->progress_ms = loop_now(connection->server->loop);
	if (stream->is_chunked)
		buf_addf(&connection->out, "%zx\r\n", len);
	buf_add(&connection->out, bytes, len);
	if (stream->is_chunked)
		buf_adds(&connection->out, "\r\n");
	connection_set_deadline(
		connection, connection->server->limits.heartbeat_ms);
	connection_wants_to_send(connection);
}

static void stream_closed(struct connection *connection)
{
	struct server_stream *stream = connection->stream;
	server_closed_fn fn = stream->fn;
	void *arg = stream->arg;

	stream_free(stream);
	if (fn)
		fn(arg);
}

static bool stream_deadline(struct connection *connection)
{
	struct server *server = connection->server;
	struct server_stream *stream = connection->stream;

	if (connection_unsent(connection)) {
		if (loop_now(server->loop) - connection->progress_ms >=
			server->limits.send_ms)
			return false;
	} else if (stream->heartbeat) {
		stream_add(
			stream, stream->heartbeat, strlen(stream->heartbeat));
	}
	connection_set_deadline(connection, server->limits.heartbeat_ms);
	return true;
}

struct server_stream *request_stream(struct server_request *request, int status,
	const char *content_type, server_closed_fn fn, void *arg)
{
	struct connection *connection = request->connection;
	struct server_stream *stream;
	bool is_chunked = request->head.minor > 0;

	if (!may_stream(request))
		return NULL;
	if (!is_chunked || connection->server->draining)
		connection->closes = true;
	answer_head(request, status, content_type,
		is_chunked ? ANSWER_CHUNKED : ANSWER_UNTIL_CLOSE);
	if (strcmp(request->head.method, "HEAD") == 0) {
		connection_set_state(connection, CONNECTION_SENDING);
		request_free(request);
		connection_wants_to_send(connection);
		return NULL;
	}
	stream = xcalloc(1, sizeof(*stream));
	stream->connection = connection;
	stream->fn = fn;
	stream->arg = arg;
	stream->is_chunked = is_chunked;
	connection->stream = stream;
	connection->stream_closed = stream_closed;
	connection->stream_deadline = stream_deadline;
	connection->server->counts.streams++;
	connection_set_state(connection, CONNECTION_STREAMING);
	request_free(request);
	connection->progress_ms = loop_now(connection->server->loop);
	connection_set_deadline(
		connection, connection->server->limits.heartbeat_ms);
	connection_wants_to_send(connection);
	return stream;
}

size_t server_stream_behind(const struct server_stream *stream)
{
	return connection_unsent(stream->connection);
}

bool server_stream_send(
	struct server_stream *stream, const void *bytes, size_t len)
{
	struct connection *connection = stream->connection;

	if (server_stream_behind(stream) > SERVER_BEHIND_MAX) {
		connection->server->counts.streams_dropped++;
		stream_free(stream);
		connection_kill(connection, true);
		return false;
	}
	stream_add(stream, bytes, len);
	return true;
}

void server_stream_heartbeat(struct server_stream *stream, const char *text)
{
	stream->heartbeat = text;
}

void server_stream_end(struct server_stream *stream)
{
	struct connection *connection = stream->connection;

	if (stream->is_chunked)
		buf_adds(&connection->out, "0\r\n\r\n");
	if (connection->server->draining)
		connection->closes = true;
	stream_free(stream);
	connection_set_state(connection, CONNECTION_SENDING);
	connection_wants_to_send(connection);
}
