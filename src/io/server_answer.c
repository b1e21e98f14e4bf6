/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that are given at once; see server.h. */
#include <string.h>

#include "io/server_parts.h"

void request_set_header(
	struct server_request *request, const char *name, const char *value)
{
	if (!http_token_is(name) || strpbrk(value, "\r\n"))
		return;
	buf_addf(&request->headers, "%s: %s\r\n", name, value);
}

static bool has_a_body(const struct server_request *request, int status)
{
	return strcmp(request->head.method, "HEAD") != 0 && status != 204 &&
	       status != 304;
}

void request_answer(struct server_request *request, int status,
	const char *content_type, const void *body, size_t len)
{
	struct connection *connection = request->connection;

	if (connection) {
		if (connection->server->draining)
			connection->closes = true;
		answer_head(request, status, content_type, (int64_t)len);
		if (has_a_body(request, status))
			buf_add(&connection->out, body, len);
		connection_set_state(connection, CONNECTION_SENDING);
	}
	request_free(request);
	if (connection)
		connection_wants_to_send(connection);
}

void request_problem(struct server_request *request, int status,
	const char *code, const char *detail)
{
	struct buf body;

	buf_init(&body, PROBLEM_MAX);
	problem_print(&body, status, code, detail);
	if (body.overflow) { /* a detail beyond reason */
		buf_clear(&body);
		problem_print(&body, status, code, NULL);
	}
	request_answer(request, status, PROBLEM_TYPE, body.data, body.len);
	buf_fini(&body);
}

void request_reset(struct server_request *request)
{
	struct connection *connection = request->connection;

	request_free(request);
	if (connection)
		connection_kill(connection, true);
}
