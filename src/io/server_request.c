/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says; see server.h. It answers nothing. */
#include <stdlib.h>

#include "io/server_parts.h"

void request_free(struct server_request *request)
{
	if (request->server)
		LIST_REMOVE(request, link);
	if (request->connection)
		request->connection->request = NULL;
	request_head_fini(&request->head);
	request_uri_fini(&request->pass.uri);
	buf_fini(&request->body);
	buf_fini(&request->headers);
	free(request);
}

const char *request_method(const struct server_request *request)
{
	return request->head.method;
}

const char *request_path(const struct server_request *request)
{
	return request->pass.uri.path;
}

const char *request_target(const struct server_request *request)
{
	return request->head.target;
}

const char *request_query(struct server_request *request, const char *name)
{
	return request_uri_parameter(&request->pass.uri, name);
}

const char *request_header(
	const struct server_request *request, const char *name)
{
	int n;
	const char *value = request_head_find(&request->head, name, &n);

	return n == 1 || request->is_lenient ? value : NULL;
}

const char *request_body(struct server_request *request, size_t *len_r)
{
	*len_r = request->body.len;
	return request->body.data;
}

const struct server_peer *request_peer(const struct server_request *request)
{
	return &request->peer;
}
