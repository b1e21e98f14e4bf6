/*
 * The admin API on the wire: each request is logged, meets its faults, is
 * answered by admin_routes.c, and may wait for an operation. The routes are
 * listed there.
 *
 *   call_start ─(slow, before)─> call_run ─> call_finish ─(slow, after)─> sent
 *                                   │  └──> call_wait ──> call_finish
 *                                   └─> reset, or hang until dropped
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

#define DRIFT_MODIFIER "somebody-else@example.com"

struct admin_api_call {
	struct sandbox *sandbox;
	struct server_request *request;
	uint64_t seq; /* in the log */
	struct fault_plan plan;
	struct admin_reply reply;
	bool waits; /* for the operation that the reply names */
	bool hangs;
	struct timer *timer;
	struct admin_api_call *next, **link;
};

static void call_run(void *arg);
static void call_wait(struct admin_api_call *call);
static void call_wait_over(void *arg);
static void call_finish(struct admin_api_call *call);
static void call_send(void *arg);
static void call_hang_over(void *arg);

static void call_free(struct admin_api_call *call)
{
	*call->link = call->next;
	if (call->next)
		call->next->link = call->link;
	call->sandbox->n_calls--;
	timer_cancel(&call->timer);
	fault_plan_fini(&call->plan);
	json_decref(call->reply.body);
	free(call);
}

/* Gives the request up without an answer. */
static void call_reset(struct admin_api_call *call)
{
	request_reset(call->request);
	call_free(call);
}

static void call_after(
	struct admin_api_call *call, int64_t delay_ms, loop_fn fn)
{
	call->timer = timer_start(call->sandbox->loop, delay_ms, fn, call);
}

void admin_api_start(struct sandbox *sandbox, struct server_request *request)
{
	struct admin_api_call *call;
	struct rpc_error error;
	const char *body;
	size_t len;

	if (sandbox->n_calls == SANDBOX_CALLS_MAX) {
		rpc_error_set(&error, RPC_RESOURCE_EXHAUSTED,
			"More than %d requests are under way.",
			SANDBOX_CALLS_MAX);
		sandbox_answer_error(request, &error);
		return;
	}
	call = xcalloc(1, sizeof(*call));
	call->sandbox = sandbox;
	call->request = request;
	call->next = sandbox->calls;
	call->link = &sandbox->calls;
	if (sandbox->calls)
		sandbox->calls->link = &call->next;
	sandbox->calls = call;
	sandbox->n_calls++;
	body = request_body(request, &len);
	call->seq = sandbox_log_add(&sandbox->log, loop_now(sandbox->loop),
		request_method(request), request_target(request), body, len);
	sandbox_faults_match(&sandbox->faults, request_method(request),
		request_path(request), loop_now(sandbox->loop), &call->plan);
	if (call->plan.slot[SLOT_SLOW].id && !call->plan.slot[SLOT_SLOW].after)
		call_after(call, call->plan.slot[SLOT_SLOW].delay_ms, call_run);
	else
		call_run(call);
}

static void drift(struct admin_api_call *call, const struct fault *fault)
{
	struct rpc_error error = {.code = RPC_OK};
	struct sandbox *sandbox = call->sandbox;

	if (!fault->id)
		return;
	/* It was checked when it was asked for; what has become impossible
	 * since then does not happen. */
	if (admin_routes_drift(sandbox->model, fault->drift, DRIFT_MODIFIER,
		    false, loop_now(sandbox->loop), &error) == 0)
		sandbox->changed(sandbox);
}

static void call_ask(struct admin_api_call *call)
{
	struct sandbox *sandbox = call->sandbox;
	struct admin_request request = {
		.method = request_method(call->request),
		.path = request_path(call->request),
		.target = request_target(call->request),
		.authorization = request_header(call->request, "Authorization"),
	};

	request.body = request_body(call->request, &request.body_len);
	admin_routes_answer(sandbox->model, &sandbox->rules, &request,
		&call->plan, loop_now(sandbox->loop), &call->reply);
	sandbox->changed(sandbox);
}

/* The fault takes the place of the answer. False: the call is gone or hangs. */
static bool call_spoil(struct admin_api_call *call, const struct fault *fault)
{
	struct rpc_error error;

	if (fault->kind == FAULT_RESET) {
		call_reset(call);
		return false;
	}
	if (fault->kind == FAULT_HANG) {
		call->hangs = true;
		call_after(call, fault->delay_ms, call_hang_over);
		return false;
	}
	rpc_error_set(
		&error, rpc_code_of_http(fault->status), "%s", fault->text);
	error.http = fault->status;
	error.retry_ms = fault->retry_ms;
	admin_reply_error(&call->reply, &error);
	return true;
}

static void call_run(void *arg)
{
	struct admin_api_call *call = arg;
	const struct fault *answer = &call->plan.slot[SLOT_ANSWER];

	call->timer = NULL;
	drift(call, &call->plan.slot[SLOT_DRIFT_BEFORE]);
	if (!answer->id || answer->after)
		call_ask(call);
	drift(call, &call->plan.slot[SLOT_DRIFT_AFTER]);
	if (answer->id && !call_spoil(call, answer))
		return;
	if (call->reply.wait_for[0])
		call_wait(call);
	else
		call_finish(call);
}

static void call_wait(struct admin_api_call *call)
{
	call->waits = true;
	call_after(call, call->reply.wait_ms, call_wait_over);
}

static void call_wait_over(void *arg)
{
	struct admin_api_call *call = arg;
	char operation[MODEL_ID_MAX];

	call->timer = NULL;
	call->waits = false;
	memcpy(operation, call->reply.wait_for, sizeof(operation));
	json_decref(call->reply.body);
	admin_routes_waited(call->sandbox->model, operation, &call->reply);
	call_finish(call);
}

void admin_api_wake(struct sandbox *sandbox)
{
	const struct model_operation *operation;
	struct admin_api_call *call;

	for (call = sandbox->calls; call; call = call->next) {
		if (!call->waits)
			continue;
		operation = model_find_operation(
			sandbox->model, call->reply.wait_for);
		if (operation && !operation->done)
			continue;
		timer_cancel(&call->timer); /* answered in the next turn */
		call_after(call, 0, call_wait_over);
	}
}

static void call_finish(struct admin_api_call *call)
{
	const struct fault *slow = &call->plan.slot[SLOT_SLOW];

	if (slow->id && slow->after)
		call_after(call, slow->delay_ms, call_send);
	else
		call_send(call);
}

/* The API's clock is another than ours; without that the server dates. */
static void set_date(struct admin_api_call *call)
{
	int64_t ahead_ms = call->sandbox->clock_ahead_ms;
	time_t at = (time_t)((loop_now(call->sandbox->loop) + ahead_ms) / 1000);
	char text[40];
	struct tm tm;

	if (!ahead_ms || !gmtime_r(&at, &tm))
		return;
	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	request_set_header(call->request, "Date", text);
}

static void call_send(void *arg)
{
	struct admin_api_call *call = arg;
	struct sandbox *sandbox = call->sandbox;
	char seconds[24];

	call->timer = NULL;
	sandbox_log_done(&sandbox->log, call->seq, call->reply.status,
		loop_now(sandbox->loop));
	if (call->reply.retry_ms) {
		snprintf(seconds, sizeof(seconds), "%lld",
			(long long)((call->reply.retry_ms + 999) / 1000));
		request_set_header(call->request, "Retry-After", seconds);
	}
	set_date(call);
	if (call->reply.status == 401)
		request_set_header(call->request, "WWW-Authenticate",
			"Bearer realm=\"sandbox\"");
	if (call->plan.slot[SLOT_ANSWER].body[0])
		request_answer(call->request, call->reply.status, "text/html",
			call->plan.slot[SLOT_ANSWER].body,
			strlen(call->plan.slot[SLOT_ANSWER].body));
	else
		sandbox_answer_json(call->request, call->reply.status,
			call->reply.body, call->reply.is_indented);
	call_free(call);
}

static void call_hang_over(void *arg)
{
	struct admin_api_call *call = arg;

	call->timer = NULL;
	call_reset(call);
}

void admin_api_drop(struct sandbox *sandbox, bool only_hanging)
{
	struct admin_api_call *call, *next;

	for (call = sandbox->calls; call; call = next) {
		next = call->next;
		if (call->hangs || !only_hanging)
			call_reset(call);
	}
}
