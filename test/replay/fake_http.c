/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP on the virtual clock; see fake_http.h. */
#include "fake_http.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "fake_loop.h"
#include "io/http.h"

#define SERVERS_MAX        8
#define TIMEOUT_MS_DEFAULT 30000

void (*fake_http_on_send)(const struct fake_request *request);
void (*fake_http_on_answer)(
	const char *method, const char *target, const struct http_reply *reply);

struct http_call {
	struct fake_exchange *exchange; /* NULL: over, or never sent */
	http_fn fn;
	void *arg;
	struct timer *timeout, *arrival;
	struct fake_answer answer;
	int64_t started_ms;
	char *method, *target;
};

struct fake_exchange {
	LIST_ENTRY(fake_exchange) link;
	struct http_call *call; /* NULL: nobody waits for the answer */
	fake_server_fn server;
	char *method, *target, *authorization, *body;
	size_t body_len;
};

static struct {
	const char *origin[SERVERS_MAX];
	fake_server_fn fn[SERVERS_MAX];
	size_t n_servers;
	LIST_HEAD(, fake_exchange) exchanges;
	bool cut;
	struct http_call *ending; /* its callback runs */
} net;

static void exchange_free(struct fake_exchange *exchange)
{
	if (exchange->call)
		exchange->call->exchange = NULL;
	LIST_REMOVE(exchange, link);
	free(exchange->method);
	free(exchange->target);
	free(exchange->authorization);
	free(exchange->body);
	free(exchange);
}

void fake_http_reset(void)
{
	while (!LIST_EMPTY(&net.exchanges))
		exchange_free(LIST_FIRST(&net.exchanges));
	net.n_servers = 0;
	net.ending = NULL;
	fake_http_on_send = NULL;
	fake_http_on_answer = NULL;
	net.cut = false;
}

void fake_http_serve(const char *origin, fake_server_fn fn)
{
	assert(net.n_servers < SERVERS_MAX);
	net.origin[net.n_servers] = origin;
	net.fn[net.n_servers++] = fn;
}

void fake_http_cut(bool cut)
{
	net.cut = cut;
}

/* ---- the way back ---- */

static void call_free(struct http_call *call)
{
	free(call->answer.body);
	free(call->method);
	free(call->target);
	free(call);
}

static void call_end(struct http_call *call, const struct http_reply *reply)
{
	http_fn fn = call->fn;
	void *arg = call->arg;

	timer_cancel(&call->timeout);
	timer_cancel(&call->arrival);
	if (call->exchange)
		call->exchange->call = NULL;
	net.ending = call;
	fn(reply, arg);
	net.ending = NULL;
	call_free(call);
}

static void call_answered(void *arg)
{
	struct http_call *call = arg;
	struct fake_answer *answer = &call->answer;
	struct err err;
	struct http_reply reply = {
		.status = answer->status,
		.body = answer->body ? answer->body : "",
		.content_type = "application/json",
		.retry_after_ms = answer->retry_after_ms,
		.latency_us = (fake_now() - call->started_ms) * 1000,
		.call = call,
	};

	call->arrival = NULL;
	reply.body_len = strlen(reply.body);
	if (answer->fate == FATE_RESET) {
		err_set(&err, ERR_UNAVAILABLE, "the connection was reset");
		reply.status = 0;
		reply.err = &err;
		reply.maybe_sent = true;
	}
	if (fake_http_on_answer)
		fake_http_on_answer(call->method, call->target, &reply);
	call_end(call, &reply);
}

static void call_timed_out(void *arg)
{
	struct http_call *call = arg;
	struct http_reply reply = {.body = "",
		.content_type = "",
		.maybe_sent = true,
		.call = call};
	struct err err;

	call->timeout = NULL;
	err_set(&err, ERR_TIMEOUT, "no answer within %lld ms",
		(long long)(fake_now() - call->started_ms));
	reply.err = &err;
	call_end(call, &reply);
}

void fake_http_answer(
	struct fake_exchange *exchange, const struct fake_answer *answer)
{
	struct http_call *call = exchange->call;

	if (call && answer->fate != FATE_SILENT && !net.cut) {
		call->answer = *answer;
		call->arrival =
			timer_start(NULL, FAKE_LATENCY_MS + answer->delay_ms,
				call_answered, call);
	} else {
		free(answer->body);
	}
	exchange_free(exchange);
}

/* ---- the way there ---- */

static void exchange_arrives(void *arg)
{
	struct fake_exchange *exchange = arg;
	struct fake_request request = {exchange->method, exchange->target,
		exchange->authorization, exchange->body, exchange->body_len};
	struct fake_answer answer = {.status = 200};

	exchange->server(exchange, &request, &answer);
	if (answer.fate != FATE_LATER)
		fake_http_answer(exchange, &answer);
}

static fake_server_fn server_of(const char *url, const char **target_r)
{
	size_t len;

	for (size_t i = 0; i < net.n_servers; i++) {
		len = strlen(net.origin[i]);
		if (strncmp(url, net.origin[i], len) == 0 && url[len] == '/') {
			*target_r = url + len;
			return net.fn[i];
		}
	}
	fprintf(stderr, "nobody serves %s\n", url);
	abort();
}

static char *authorization_of(const struct http_request *request)
{
	if (!request->bearer)
		return NULL;
	return xasprintf("Bearer %s", secret_reveal(request->bearer));
}

static struct fake_exchange *exchange_new(
	const struct http_request *request, struct http_call *call)
{
	struct fake_exchange *exchange = xcalloc(1, sizeof(*exchange));
	const char *method = request->method, *target;

	if (!method)
		method = request->body ? "POST" : "GET";
	exchange->server = server_of(request->url, &target);
	exchange->call = call;
	exchange->method = xstrdup(method);
	exchange->target = xstrdup(target);
	exchange->authorization = authorization_of(request);
	exchange->body = xmemdup0(request->body ? request->body : "",
		request->body ? request->body_len : 0);
	exchange->body_len = request->body ? request->body_len : 0;
	LIST_INSERT_HEAD(&net.exchanges, exchange, link);
	return exchange;
}

static void tell_sent(const struct fake_exchange *exchange)
{
	struct fake_request request = {exchange->method, exchange->target,
		exchange->authorization, exchange->body, exchange->body_len};

	fake_http_on_send(&request);
}

struct http_call *http_start(struct http *http,
	const struct http_request *request, http_fn fn, void *arg)
{
	struct http_call *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->arg = arg;
	call->started_ms = fake_now();
	fake_instant();
	if (fake_is_dead())
		return call;
	call->timeout = timer_start(NULL,
		request->timeout_ms ? request->timeout_ms : TIMEOUT_MS_DEFAULT,
		call_timed_out, call);
	call->exchange = exchange_new(request, call);
	call->method = xstrdup(call->exchange->method);
	call->target = xstrdup(call->exchange->target);
	if (fake_http_on_send)
		tell_sent(call->exchange);
	if (net.cut)
		return call;
	fake_world_after(FAKE_LATENCY_MS, exchange_arrives, call->exchange);
	return call;
}

void http_cancel(struct http_call **call_p)
{
	struct http_call *call = *call_p;

	*call_p = NULL;
	if (!call || call == net.ending)
		return;
	timer_cancel(&call->timeout);
	timer_cancel(&call->arrival);
	if (call->exchange)
		call->exchange->call = NULL;
	call_free(call);
}

/* ---- the rest of io/http.h ---- */

/* Any server may be the metadata server. */
const char *http_reply_header(const struct http_reply *reply, const char *name)
{
	return strcmp(name, "Metadata-Flavor") == 0 ? "Google" : NULL;
}

int64_t http_reply_date_ms(const struct http_reply *reply)
{
	return 0;
}
