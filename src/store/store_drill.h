/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drills of rollbacks: when one of a service last found everything ready, also
 * after everything else about it was forgotten.
 */
#ifndef TIDEGATE_STORE_STORE_DRILL_H
#define TIDEGATE_STORE_STORE_DRILL_H

#include "store/store.h"

struct store_drill {
	const char *service; /* full name */
	const char *who;
	int64_t time_ms;
};

#define STORE_DRILLS_MAX 10000 /* in one list */

/* Takes the place of an older one of the service; a newer one stays. */
MUST_CHECK int store_drill_note(struct store *store,
	const struct store_drill *drill, struct err *err_r);
/* Of each service the last, the newest first. */
MUST_CHECK int store_drills_list(struct store *store, struct arena *arena,
	struct store_drill **drills_r, size_t *n_r, struct err *err_r);

#endif
