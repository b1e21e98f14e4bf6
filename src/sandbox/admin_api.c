/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API on the wire: what cloud.c makes of a request, with the headers
 * that belong to it. The routes are listed in admin_routes.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "io/server.h"
#include "sandbox/sandbox_answer.h"
#include "sandbox/sandbox_parts.h"

struct admin_api_call {
	struct sandbox *sandbox;
	struct server_request *request;
};

static void call_answered(const struct admin_reply *reply, void *arg);

void admin_api_start(struct sandbox *sandbox, struct server_request *request)
{
	struct admin_api_call *call = xcalloc(1, sizeof(*call));
	struct admin_request asked = {
		.method = request_method(request),
		.path = request_path(request),
		.target = request_target(request),
		.authorization = request_header(request, "Authorization"),
	};
	struct rpc_error error;

	*call = (struct admin_api_call){sandbox, request};
	asked.body = request_body(request, &asked.body_len);
	if (!cloud_call_start(&sandbox->cloud, &asked, sandbox_now(sandbox),
		    call_answered, call)) {
		rpc_error_set(&error, RPC_RESOURCE_EXHAUSTED,
			"More than %d requests are under way.",
			CLOUD_CALLS_MAX);
		sandbox_answer_error(request, &error);
		free(call);
		return;
	}
	sandbox->changed(sandbox);
}

/* The API's clock is another than ours; without that the server dates. */
static void set_date(struct admin_api_call *call)
{
	int64_t ahead_ms = call->sandbox->cloud.clock_ahead_ms;
	time_t at = (time_t)((sandbox_now(call->sandbox) + ahead_ms) / 1000);
	char text[40];
	struct tm tm;

	if (!ahead_ms || !gmtime_r(&at, &tm))
		return;
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	request_set_header(call->request, "Date", text);
}

static void set_headers(
	struct admin_api_call *call, const struct admin_reply *reply)
{
	char seconds[24];

	if (reply->retry_ms) {
		snprintf(seconds, sizeof(seconds), "%lld",
			(long long)((reply->retry_ms + 999) / 1000));
		request_set_header(call->request, "Retry-After", seconds);
	}
	set_date(call);
	if (reply->status == 401)
		request_set_header(call->request, "WWW-Authenticate",
			"Bearer realm=\"sandbox\"");
}

static void call_answered(const struct admin_reply *reply, void *arg)
{
	struct admin_api_call *call = arg;

	if (!reply) {
		request_reset(call->request);
		free(call);
		return;
	}
	set_headers(call, reply);
	if (reply->html)
		request_answer(call->request, reply->status, "text/html",
			reply->html, strlen(reply->html));
	else
		sandbox_answer_json(call->request, reply->status, reply->body,
			reply->is_indented);
	free(call);
}
