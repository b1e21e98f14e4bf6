/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traffic of a service as the API takes and shows it: a list of routes.
 * Pure; the rules of the API about such a list are here.
 */
#ifndef TIDEGATE_SANDBOX_ROUTES_H
#define TIDEGATE_SANDBOX_ROUTES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sandbox/rpc_error.h"

#define ROUTES_MAX      2048 /* a project may have 2,000 tags in a region */
#define ROUTE_NAME_MAX  63 /* a DNS label */
#define ROUTE_LABEL_MAX 46 /* tag and service share one label */

enum route_type { ROUTE_LATEST, ROUTE_REVISION };

struct route {
	enum route_type type;
	int percent;
	char revision[ROUTE_NAME_MAX + 1]; /* short; "" for LATEST */
	char tag[ROUTE_LABEL_MAX + 1]; /* "": none */
};

struct routes {
	struct route *item; /* owned */
	size_t n; /* 0: everything to the latest ready revision */
};

void routes_fini(struct routes *routes);
void routes_copy(struct routes *to, const struct routes *from);
bool routes_equal(const struct routes *a, const struct routes *b);
void routes_add(struct routes *routes, enum route_type type,
	const char *revision, int percent);

/* The value of `traffic`, its types checked already. `service` for the limit
 * on tags. The error must start out zeroed; all problems are gathered. */
MUST_CHECK int routes_read(const json_t *list, const char *service,
	struct routes *routes_r, struct rpc_error *error);

/* proto3 JSON: defaults are left out. With `uri_base` the list is the one of
 * trafficStatuses: tagged entries have a uri. */
json_t *routes_print(const struct routes *routes, const char *uri_base);

/* Lower-case letters, digits and hyphens, a letter first, no hyphen last. */
bool route_name_is_good(const char *name);

#endif
