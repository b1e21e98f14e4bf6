/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between admin_routes.c, which finds the method that is asked for, and
 * admin_methods.c, which has them. Private to these two.
 */
#ifndef TIDEGATE_SANDBOX_ADMIN_CALL_H
#define TIDEGATE_SANDBOX_ADMIN_CALL_H

#include "sandbox/admin_check.h"
#include "sandbox/admin_routes.h"

/* One request on its way through its handler. */
struct admin_call {
	struct model *model;
	const struct admin_rules *rules;
	const struct admin_request *request;
	const struct fault_plan *plan;
	int64_t now_ms;
	char name[2][ADMIN_VALUE_MAX]; /* what the stars of the route matched */
	struct admin_query query;
	struct admin_reply *reply;
};

typedef int (*admin_fn)(struct admin_call *call, struct rpc_error *error);

struct admin_route {
	const char *method, *path; /* after the location; "*": one name */
	const char *permission; /* NULL: none is needed */
	const char *params; /* of the query */
	admin_fn fn;
};

extern const struct admin_route admin_routes[]; /* ends with a NULL method */

bool admin_is_granted(const struct admin_rules *rules, const char *permission);
int admin_not_found(struct rpc_error *error, const struct model *model,
	const char *kind, const char *name);

#endif
