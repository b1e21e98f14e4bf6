/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is served where: routes.def, and how a path finds its row.
 */
#ifndef TIDEGATE_SERVE_ROUTE_H
#define TIDEGATE_SERVE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/right.h"
#include "serve/fields.h"

struct visit;

/* Who comes in at all. What exactly may be done is asked by the handler, which
 * knows the service that it is about. */
enum door {
	DOOR_READ = RIGHT_READ, /* who has this right somewhere */
	DOOR_START = RIGHT_START,
	DOOR_OPERATE = RIGHT_OPERATE,
	DOOR_METRICS = RIGHT_METRICS,
	DOOR_ADMIN = RIGHT_ADMIN,
	DOOR_ANYBODY = RIGHTS, /* who has proven who they are */
	DOOR_OPEN, /* no question is asked */
};

typedef void (*handler_fn)(struct visit *visit); /* answers it, also later */

struct route {
	const char *name; /* of its handler */
	const char *method;
	const char *pattern; /* "/api/v1/rollouts/{id}" */
	enum door door;
	handler_fn handle;
	const struct field *query, *body; /* NULL: none is taken */
	int status; /* of the answer when all is well */
	const char *answer; /* its content type */
	const char *summary; /* one sentence, no full stop */
};

extern const struct route routes[]; /* a NULL method ends it */

/* The row, and into `part` (of VISIT_PARTS_MAX) what stands for its {names},
 * in the visit's arena. NULL: there is none; then `allowed_r` lists the methods
 * of that path ("GET, POST"), "" when nothing is there at all. */
const struct route *route_find(struct visit *visit, const char *method,
	const char *path, char allowed_r[64]);

#endif
