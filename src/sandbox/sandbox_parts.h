/*
 * What the sandbox is made of; private to sandbox.c, admin_api.c and
 * control_api.c.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_PARTS_H
#define TIDEGATE_SANDBOX_SANDBOX_PARTS_H

#include "sandbox/admin_routes.h"
#include "sandbox/front_door.h"
#include "sandbox/model.h"
#include "sandbox/sandbox_faults.h"
#include "sandbox/sandbox_log.h"

#define SANDBOX_CALLS_MAX 4096 /* admin requests under way at once */

struct admin_api_call;
struct http;
struct loop;
struct server;
struct server_request;

struct sandbox {
	struct loop *loop;
	struct http *http;
	struct server *server;
	struct front_door *front;
	struct model *model;
	struct admin_rules rules; /* its token is owned: `token` */
	char *token;
	struct sandbox_faults faults;
	struct sandbox_log log;
	struct admin_api_call *calls; /* not answered yet */
	size_t n_calls;
	int64_t clock_ahead_ms; /* what its answers' Date says over ours */
	struct timer *timer; /* for what the model does next */
	void (*changed)(struct sandbox *sandbox); /* after each change */
};

/* admin_api.c: requests under /v2/. */
void admin_api_start(struct sandbox *sandbox, struct server_request *request);
/* Looks again at the requests that wait for an operation. */
void admin_api_wake(struct sandbox *sandbox);
/* Breaks the connections of all requests that were not answered yet, or only
 * of those that a fault lets hang. */
void admin_api_drop(struct sandbox *sandbox, bool only_hanging);

/* control_api.c: requests under /sandbox. */
void control_api_answer(
	struct sandbox *sandbox, struct server_request *request);
MUST_CHECK int control_traffic(
	struct sandbox *sandbox, const char *text, struct rpc_error *error);

#endif
