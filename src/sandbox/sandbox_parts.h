/*
 * What the sandbox is made of; private to sandbox.c, admin_api.c and
 * control_api.c.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_PARTS_H
#define TIDEGATE_SANDBOX_SANDBOX_PARTS_H

#include "sandbox/cloud.h"
#include "sandbox/front_door.h"

struct http;
struct loop;
struct metrics_api;
struct server;
struct server_request;

struct sandbox {
	struct loop *loop;
	struct http *http;
	struct server *server;
	struct front_door *front;
	struct metrics_api *metrics;
	struct cloud cloud; /* the token of its rules is owned: `token` */
	char *token;
	int64_t clock_ahead_ms; /* what its answers' Date says over ours */
	struct timer *timer; /* for what the cloud does next */
	void (*changed)(struct sandbox *sandbox); /* after each change */
};

/* admin_api.c: requests under /v2/. */
void admin_api_start(struct sandbox *sandbox, struct server_request *request);

/* control_api.c: requests under /sandbox. */
void control_api_answer(
	struct sandbox *sandbox, struct server_request *request);
MUST_CHECK int control_traffic(
	struct sandbox *sandbox, const char *text, struct rpc_error *error);

#endif
