/*
 * The store of the driver's tests: what is appended, committed, told, and what
 * can go wrong, on paper. Must not decide anything.
 */
#ifndef TIDEGATE_TEST_PAPER_STORE_H
#define TIDEGATE_TEST_PAPER_STORE_H

#include "base/buf.h"
#include "store/store.h"

#define SERVICE "projects/p/locations/r/services/shop"

struct paper_store {
	bool open, full, taken_over, held_by_other;
	const char *full_at; /* the disk is full when this is to be written */
	int appended, committed; /* entries */
	int renewals, drops;
	int64_t counter;
	struct store_command command; /* waiting when id != 0 */
	int settled; /* 0 not, 1 taken, 2 refused */
	struct buf journal, pending; /* names of what is durable, and not yet */
	char refusal[8192]; /* text of the preflight event */
	char rollout[STORE_ROLLOUT_ID_MAX]; /* the one created last */
};

extern struct paper_store store;

#endif
