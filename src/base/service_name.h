/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The full name of a Cloud Run service, taken apart, and of what else is of a
 * kind in a region: projects/P/locations/R/KIND/NAME. They become parts of
 * paths again, so that each part has only letters, digits, '-', '_' and '.',
 * a project also ':' (an old one may be example.com:name). Pure.
 */
#ifndef TIDEGATE_BASE_SERVICE_NAME_H
#define TIDEGATE_BASE_SERVICE_NAME_H

#include <stdbool.h>

#include "base/arena.h"

/* For printf: project, region, service. */
#define SERVICE_NAME_FORMAT "projects/%s/locations/%s/services/%s"

struct service_name {
	const char *full; /* projects/P/locations/R/services/S */
	const char *project, *region;
	const char *name; /* S alone */
};

/* Takes `full` apart, and nothing but a full name; texts are in the arena. */
MUST_CHECK int service_name_parse(struct service_name *name_r, const char *full,
	struct arena *arena, struct err *err_r);

/* Whether it is one of this kind ("services", "operations"). */
bool resource_name_is(const char *name, const char *kind);

/* Whether two full names are of one service: a project that is asked for by
 * its name may come back as its number. */
bool service_name_is_alike(const char *a, const char *b);

#endif
