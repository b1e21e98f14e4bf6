/* SPDX-License-Identifier: Apache-2.0 */
/* Answers as JSON; see sandbox_answer.h. */
#include "sandbox/sandbox_answer.h"

#include <stdlib.h>

#include "base/buf.h"
#include "io/server.h"

#define JSON_TYPE     "application/json; charset=UTF-8"
#define JSON_TEXT_MAX (64 * 1024 * 1024)

void sandbox_answer_json(struct server_request *request, int status,
	const json_t *body, bool is_indented)
{
	size_t flags = JSON_REAL_PRECISION(12) |
		       (is_indented ? JSON_INDENT(2) : JSON_COMPACT);
	char *text = json_dumps(body, flags);
	struct buf line;

	buf_init(&line, JSON_TEXT_MAX);
	buf_addf(&line, "%s\n", text ? text : "{}");
	request_answer(request, status, JSON_TYPE, line.data, line.len);
	buf_fini(&line);
	free(text);
}

void sandbox_answer_error(
	struct server_request *request, const struct rpc_error *error)
{
	json_t *body = rpc_error_body(error);

	sandbox_answer_json(request, rpc_error_http(error), body, true);
	json_decref(body);
}
