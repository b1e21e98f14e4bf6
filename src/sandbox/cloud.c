/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on their way; see cloud.h. Pure. Each is logged, meets its faults,
 * is answered by admin_routes.c, and may wait for an operation:
 *
 *   ARRIVED ─(slow, before)─> cloud_call_run ──> ANSWERED ─(slow, after)─> end
 *                                │ └──> WAITING ──┘
 *                                └─> reset: end; or HANGING ─(delay)─> end
 */
#include "sandbox/cloud.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sandbox/foreign.h"

enum call_state {
	CALL_ARRIVED, /* has had no effect yet */
	CALL_WAITING, /* for the operation that the reply names */
	CALL_HANGING,
	CALL_ANSWERED, /* the reply is on its way */
};

struct cloud_call {
	struct cloud *cloud;
	char *method, *path, *target, *authorization, *body;
	size_t body_len;
	uint64_t seq; /* in the log */
	struct fault_plan plan;
	struct admin_reply reply;
	bool over_quota;
	enum call_state state;
	int64_t due_ms; /* of what comes next */
	cloud_fn fn; /* NULL: forgotten */
	void *arg;
	TAILQ_ENTRY(cloud_call) entry;
};

void cloud_init(
	struct cloud *cloud, const struct model_config *config, int64_t now_ms)
{
	*cloud = (struct cloud){
		.model = model_new(config, now_ms), .now_ms = now_ms};
	TAILQ_INIT(&cloud->calls);
	sandbox_log_init(&cloud->log);
}

static void cloud_call_free(struct cloud_call *call)
{
	TAILQ_REMOVE(&call->cloud->calls, call, entry);
	call->cloud->n_calls--;
	fault_plan_fini(&call->plan);
	json_decref(call->reply.body);
	free(call->method);
	free(call->path);
	free(call->target);
	free(call->authorization);
	free(call->body);
	free(call);
}

void cloud_fini(struct cloud *cloud)
{
	while (!TAILQ_EMPTY(&cloud->calls))
		cloud_call_free(TAILQ_FIRST(&cloud->calls));
	model_free(&cloud->model);
	sandbox_faults_fini(&cloud->faults);
	sandbox_log_fini(&cloud->log);
}

static struct cloud_call *cloud_call_new(
	struct cloud *cloud, const struct admin_request *request)
{
	struct cloud_call *call = xcalloc(1, sizeof(*call));

	call->cloud = cloud;
	call->method = xstrdup(request->method);
	call->path = xstrdup(request->path);
	call->target = xstrdup(request->target);
	call->authorization = xstrdup(request->authorization);
	if (request->body)
		call->body = xmemdup0(request->body, request->body_len);
	call->body_len = request->body_len;
	TAILQ_INSERT_TAIL(&cloud->calls, call, entry);
	cloud->n_calls++;
	return call;
}

static void cloud_call_count(struct cloud_call *call)
{
	struct cloud *cloud = call->cloud;
	unsigned quota = cloud->quota[sandbox_counts_kind(call->method)];
	unsigned n =
		sandbox_counts_add(&cloud->counts, call->method, cloud->now_ms);

	call->over_quota = quota && n > quota;
}

struct cloud_call *cloud_call_start(struct cloud *cloud,
	const struct admin_request *request, int64_t now_ms, cloud_fn fn,
	void *arg)
{
	const struct fault *slow;
	struct cloud_call *call;

	if (cloud->n_calls == CLOUD_CALLS_MAX)
		return NULL;
	cloud->now_ms = now_ms;
	call = cloud_call_new(cloud, request);
	call->fn = fn;
	call->arg = arg;
	call->seq = sandbox_log_add(&cloud->log, now_ms, call->method,
		call->target, call->body, call->body_len);
	cloud_call_count(call);
	sandbox_faults_match(&cloud->faults, request, now_ms, &call->plan);
	slow = &call->plan.slot[SLOT_SLOW];
	call->due_ms = now_ms + (slow->id && !slow->after ? slow->delay_ms : 0);
	return call;
}

void cloud_call_forget(struct cloud_call **call)
{
	if (*call)
		(*call)->fn = NULL;
	*call = NULL;
}

/* `answered` false: the connection breaks. */
static void cloud_call_end(struct cloud_call *call, bool answered)
{
	struct cloud *cloud = call->cloud;

	if (answered)
		sandbox_log_done(&cloud->log, call->seq, call->reply.status,
			cloud->now_ms);
	if (call->fn)
		call->fn(answered ? &call->reply : NULL, call->arg);
	cloud_call_free(call);
}

static void cloud_call_go_on(
	struct cloud_call *call, enum call_state state, int64_t delay_ms)
{
	call->state = state;
	call->due_ms = call->cloud->now_ms + delay_ms;
}

/* The fault was checked when it was asked for; what has become impossible
 * since then does not happen. */
static void cloud_call_drift(struct cloud_call *call, const struct fault *fault)
{
	struct rpc_error error = {.code = RPC_OK};
	struct cloud *cloud = call->cloud;

	if (fault->id)
		(void)!foreign_do(cloud->model, fault->drift, false,
			cloud->now_ms, &error);
}

static void cloud_call_refuse(struct cloud_call *call)
{
	struct rpc_error error;
	bool writes = sandbox_counts_kind(call->method) == COUNT_WRITES;

	rpc_error_set(&error, RPC_RESOURCE_EXHAUSTED,
		"Quota exceeded for quota metric '%s requests' and limit '%s "
		"requests per minute per region' of service "
		"'run.googleapis.com'.",
		writes ? "Write" : "Read", writes ? "Write" : "Read");
	admin_reply_error(&call->reply, &error);
}

static void cloud_call_ask(struct cloud_call *call)
{
	struct cloud *cloud = call->cloud;
	struct admin_request request = {
		.method = call->method,
		.path = call->path,
		.target = call->target,
		.authorization = call->authorization,
		.body = call->body,
		.body_len = call->body_len,
	};
	struct routes before = {NULL, 0};

	if (call->over_quota) {
		cloud_call_refuse(call);
		return;
	}
	if (cloud->written)
		routes_copy(&before, &cloud->model->spec);
	admin_routes_answer(cloud->model, &cloud->rules, &request, &call->plan,
		cloud->now_ms, &call->reply);
	if (cloud->written && call->reply.status == 200 &&
		strcmp(call->method, "PATCH") == 0)
		cloud->written(&before);
	routes_fini(&before);
}

/* The fault's status takes the place of the answer. */
static void cloud_call_spoil(struct cloud_call *call, const struct fault *fault)
{
	struct rpc_error error;

	rpc_error_set(
		&error, rpc_code_of_http(fault->status), "%s", fault->text);
	error.http = fault->status;
	error.retry_ms = fault->retry_ms;
	admin_reply_error(&call->reply, &error);
	if (fault->body[0])
		call->reply.html = fault->body;
}

static void cloud_call_answer(struct cloud_call *call)
{
	const struct fault *slow = &call->plan.slot[SLOT_SLOW];

	cloud_call_go_on(call, CALL_ANSWERED,
		slow->id && slow->after ? slow->delay_ms : 0);
}

static void cloud_call_run(struct cloud_call *call)
{
	const struct fault *answer = &call->plan.slot[SLOT_ANSWER];

	cloud_call_drift(call, &call->plan.slot[SLOT_DRIFT_BEFORE]);
	if (!answer->id || answer->after)
		cloud_call_ask(call);
	cloud_call_drift(call, &call->plan.slot[SLOT_DRIFT_AFTER]);
	if (answer->id && answer->kind == FAULT_RESET) {
		cloud_call_end(call, false);
		return;
	}
	if (answer->id && answer->kind == FAULT_HANG) {
		cloud_call_go_on(call, CALL_HANGING, answer->delay_ms);
		return;
	}
	if (answer->id)
		cloud_call_spoil(call, answer);
	if (call->reply.wait_for[0])
		cloud_call_go_on(call, CALL_WAITING, call->reply.wait_ms);
	else
		cloud_call_answer(call);
}

static void cloud_call_waited(struct cloud_call *call)
{
	char operation[MODEL_ID_MAX];

	memcpy(operation, call->reply.wait_for, sizeof(operation));
	json_decref(call->reply.body);
	admin_routes_waited(call->cloud->model, operation, &call->reply);
	cloud_call_answer(call);
}

static void cloud_call_step(struct cloud_call *call)
{
	switch (call->state) {
	case CALL_ARRIVED:
		cloud_call_run(call);
		return;
	case CALL_WAITING:
		cloud_call_waited(call);
		return;
	case CALL_HANGING:
		cloud_call_end(call, false);
		return;
	case CALL_ANSWERED:
		cloud_call_end(call, true);
		return;
	}
}

/* A call that waits is due when its operation is done or gone, too. */
static int64_t cloud_call_due_ms(const struct cloud_call *call)
{
	const struct model_operation *operation;

	if (call->state != CALL_WAITING)
		return call->due_ms;
	operation =
		model_find_operation(call->cloud->model, call->reply.wait_for);
	return operation && !operation->done ? call->due_ms : 0;
}

static struct cloud_call *cloud_call_first(const struct cloud *cloud)
{
	struct cloud_call *call, *first = NULL;

	TAILQ_FOREACH(call, &cloud->calls, entry) {
		if (!first ||
			cloud_call_due_ms(call) < cloud_call_due_ms(first))
			first = call;
	}
	return first;
}

int64_t cloud_next_ms(const struct cloud *cloud)
{
	const struct cloud_call *first = cloud_call_first(cloud);
	int64_t model_ms = model_next_ms(cloud->model);
	int64_t call_ms = first ? cloud_call_due_ms(first) : MODEL_NEVER;

	return call_ms < model_ms ? call_ms : model_ms;
}

void cloud_advance(struct cloud *cloud, int64_t now_ms)
{
	int64_t next_ms;

	while ((next_ms = cloud_next_ms(cloud)) <= now_ms) {
		if (cloud->now_ms < next_ms)
			cloud->now_ms = next_ms;
		if (!model_advance(cloud->model, cloud->now_ms))
			cloud_call_step(cloud_call_first(cloud));
	}
	cloud->now_ms = now_ms;
}

void cloud_reset_calls(struct cloud *cloud, bool only_hanging)
{
	struct cloud_call *call, *next;

	for (call = TAILQ_FIRST(&cloud->calls); call; call = next) {
		next = TAILQ_NEXT(call, entry);
		if (call->state == CALL_HANGING || !only_hanging)
			cloud_call_end(call, false);
	}
}
