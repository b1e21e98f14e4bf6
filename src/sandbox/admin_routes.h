/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of Cloud Run Admin API v2 that the sandbox has: what each request
 * is answered with. No I/O: faults, delays and waiting are for cloud.c.
 */
#ifndef TIDEGATE_SANDBOX_ADMIN_ROUTES_H
#define TIDEGATE_SANDBOX_ADMIN_ROUTES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/model.h"
#include "sandbox/sandbox_faults.h"

#define ADMIN_DENY_MAX       16
#define ADMIN_PERMISSION_MAX 64
#define ADMIN_WAIT_MS_MAX    60000
#define ADMIN_WAIT_MS        30000 /* when the request names none */

/* What the service is like to its clients, apart from its state. */
struct admin_rules {
	bool etag_is_strict; /* a stale etag is refused with 409 ABORTED */
	const char *token; /* the bearer; NULL: any that is not empty */
	char deny[ADMIN_DENY_MAX][ADMIN_PERMISSION_MAX]; /* not granted */
	size_t n_deny;
};

struct admin_reply {
	int status;
	json_t *body; /* owned */
	const char *html; /* borrowed; takes the place of the body; or NULL */
	int64_t retry_ms; /* of the header Retry-After; 0: none */
	char wait_for[MODEL_ID_MAX]; /* id of an operation; "": none */
	int64_t wait_ms;
	bool is_indented;
};

/* Answers. With `wait_for`, the answer is to be made again by
 * admin_routes_waited when the operation is done or the time is over. */
void admin_routes_answer(struct model *model, const struct admin_rules *rules,
	const struct admin_request *request, const struct fault_plan *plan,
	int64_t now_ms, struct admin_reply *reply_r);
void admin_routes_waited(const struct model *model, const char *operation,
	struct admin_reply *reply_r);

/* An error as a reply. */
void admin_reply_error(
	struct admin_reply *reply_r, const struct rpc_error *error);

/* Somebody else writes these fields (a checked object of writable ones). */
MUST_CHECK int admin_routes_drift(struct model *model, const json_t *fields,
	const char *who, bool dry, int64_t now_ms, struct rpc_error *error);

#endif
