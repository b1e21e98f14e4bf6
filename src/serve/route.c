/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the row of a request; see route.h. */
#include "serve/route.h"

#include <stdio.h>
#include <string.h>

#include "serve/handlers.h"

const struct field no_fields[] = {{0}};

const struct route routes[] = {
#define R(method, path, door, handler, query, body, status, answer, summary) \
	{#handler, #method, path, DOOR_##door, handler, query, body, status, \
		answer, summary},
#include "serve/routes.def"
#undef R
	{0},
};

/* One part of the path after the other; the path is decoded already, and a
 * part that had a "/" in it fits nowhere. */
static bool matches(struct visit *visit, const char *pattern, const char *path)
{
	size_t n, m;
	int part = 0;

	while (*pattern && *path) {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		n = strcspn(pattern, "}") + 1;
		m = strcspn(path, "/");
		if (!m || part == VISIT_PARTS_MAX)
			return false;
		visit->part[part++] = arena_strndup(&visit->arena, path, m);
		pattern += n;
		path += m;
	}
	return !*pattern && !*path;
}

static void add_allowed(char allowed[64], const char *method)
{
	size_t len = strlen(allowed);

	snprintf(allowed + len, 64 - len, "%s%s", len ? ", " : "", method);
}

const struct route *route_find(struct visit *visit, const char *method,
	const char *path, char allowed_r[64])
{
	/* HEAD is GET whose body is not sent. */
	const char *wanted = strcmp(method, "HEAD") ? method : "GET";

	allowed_r[0] = '\0';
	for (const struct route *route = routes; route->method; route++) {
		if (!matches(visit, route->pattern, path))
			continue;
		if (!strcmp(route->method, wanted))
			return route;
		add_allowed(allowed_r, route->method);
	}
	return NULL;
}
