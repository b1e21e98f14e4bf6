/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a PATCH of a service means: the update mask against the schema, the
 * body's values laid over the service. Pure; changes nothing.
 */
#ifndef TIDEGATE_SANDBOX_SERVICE_PATCH_H
#define TIDEGATE_SANDBOX_SERVICE_PATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "sandbox/model.h"

#define SERVICE_PATCH_PATHS_MAX 64

struct service_patch {
	bool has_routes;
	struct routes routes;
	json_t *fields; /* all other writable fields as they are to be */
};

/* `mask` NULL: all fields that the body has. Output-only fields are ignored in
 * both. The template must stay as it is: the sandbox builds no revisions out
 * of templates and says so. The error must start out zeroed. */
MUST_CHECK int service_patch_read(const struct model *model, const json_t *body,
	const char *mask, struct service_patch *patch_r,
	struct rpc_error *error);
void service_patch_fini(struct service_patch *patch);

#endif
