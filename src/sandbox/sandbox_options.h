/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service is like, to be changed while it runs: by PATCH /sandbox, by
 * --set on the command line, by a test. Pure.
 */
#ifndef TIDEGATE_SANDBOX_SANDBOX_OPTIONS_H
#define TIDEGATE_SANDBOX_SANDBOX_OPTIONS_H

#include "sandbox/cloud.h"

/* {"operationDelay": "2s", "etag": "lax", …}: what is named changes, all of it
 * or nothing. The error must start out zeroed. */
MUST_CHECK int sandbox_options_set(struct cloud *cloud, const json_t *body,
	int64_t now_ms, struct rpc_error *error);
/* One option as NAME=VALUE. */
MUST_CHECK int sandbox_option_parse(struct cloud *cloud, const char *text,
	int64_t now_ms, struct rpc_error *error);

json_t *sandbox_options_json(const struct cloud *cloud);

#endif
