/* The full name of a Cloud Run service, taken apart. Pure. */
#ifndef TIDEGATE_BASE_SERVICE_NAME_H
#define TIDEGATE_BASE_SERVICE_NAME_H

#include "base/arena.h"

struct service_name {
	const char *full; /* projects/P/locations/R/services/S */
	const char *project, *region;
	const char *name; /* S alone */
};

/* Takes `full` apart, and nothing but a full name; texts are in the arena. */
MUST_CHECK int service_name_parse(struct service_name *name_r, const char *full,
	struct arena *arena, struct err *err_r);

#endif
