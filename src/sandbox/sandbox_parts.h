/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sandbox is made of; private to sandbox.c, admin_api.c and
 * control_api.c.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_PARTS_H
#define TIDEGATE_SANDBOX_SANDBOX_PARTS_H

#include "io/loop.h"
#include "sandbox/cloud.h"
#include "sandbox/front_door.h"

struct http;
struct load;
struct metrics_api;
struct server;
struct server_request;

struct sandbox {
	struct loop *loop;
	int64_t start_ms; /* the time of day when the loop's was 0 */
	struct http *http;
	struct server *server;
	struct front_door *front;
	struct metrics_api *metrics;
	enum metrics_names metrics_names; /* of what /metrics has */
	struct cloud cloud; /* the token of its rules is owned: `token` */
	char *token;
	struct timer *timer; /* for what the cloud does next */
	struct load *load; /* NULL: others make the requests */
	void (*changed)(struct sandbox *sandbox); /* after each change */
};

/* The sandbox is another machine to its clients: its time of day runs on and is
 * not set while it runs. */
static inline int64_t sandbox_now(const struct sandbox *sandbox)
{
	return sandbox->start_ms + loop_now(sandbox->loop);
}

/* admin_api.c: requests under /v2/. */
void admin_api_start(struct sandbox *sandbox, struct server_request *request);

/* control_api.c: requests under /sandbox. */
void control_api_answer(
	struct sandbox *sandbox, struct server_request *request);
/* The new fault's number, or -1. */
MUST_CHECK int control_fault(
	struct sandbox *sandbox, const json_t *body, struct rpc_error *error);
MUST_CHECK int control_traffic(
	struct sandbox *sandbox, const char *text, struct rpc_error *error);

#endif
