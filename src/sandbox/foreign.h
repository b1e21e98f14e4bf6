/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody else does to the service: one deed as JSON, for a fault of the
 * kind drift, which does it exactly between two requests, and for the controls.
 * Pure.
 *
 *   {"set": {"labels": {…}}}             writes fields of Service
 *   {"deploy": {"revision": NAME, "ready": false, "takes": "5s",
 *               "message": why it is not ready, "by": who makes it}}
 *   {"remove": NAME}                     a revision without traffic
 *   {"ready": {NAME: false}}             revisions become ready or not
 *   {"service": "deleted" or "recreated"}
 */
#ifndef TIDEGATE_SANDBOX_FOREIGN_H
#define TIDEGATE_SANDBOX_FOREIGN_H

#include "sandbox/model.h"

#define FOREIGN_WHO "somebody-else@example.com"

/* True for a member of a deed. */
bool foreign_is_deed(const char *name);

/* Does it, or only checks it (`dry`). Each error must start out zeroed. */
MUST_CHECK int foreign_do(struct model *model, const json_t *deed, bool dry,
	int64_t now_ms, struct rpc_error *error);

/* The body of {"deploy": …}; other members are not looked at. The texts are
 * borrowed from it. */
MUST_CHECK int foreign_read_deployment(const json_t *body,
	struct model_deployment *deployment_r, struct rpc_error *error);

#endif
