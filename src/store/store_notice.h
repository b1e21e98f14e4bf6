/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages about rollouts that were posted somewhere and are changed there from
 * then on: one for each rollout and place. A row is written before the message
 * leaves, and learns afterwards where it is, so that whoever finds a row that
 * does not know looks for the message before posting it again.
 */
#ifndef TIDEGATE_STORE_STORE_NOTICE_H
#define TIDEGATE_STORE_STORE_NOTICE_H

#include "store/store.h"

#define STORE_NOTICES_MAX 10000 /* told at once of those that are not over */

struct store_notice {
	const char *rollout;
	const char *place; /* "slack:C0…" */
	const char *mark; /* goes with the message, to find it again */
	const char *message; /* its name there; "": not known */
	int64_t begun_ms;
	bool over; /* nothing is to be changed any more */
};

/* 1: it is new, and kept from now on; 0: it was there, `known_r` (texts in the
 * arena) says how; -1 error. ERR_NOT_FOUND: there is no such rollout. */
MUST_CHECK int store_notice_begin(struct store *store,
	const struct store_notice *notice, struct arena *arena,
	struct store_notice *known_r, struct err *err_r);
/* Of one that is not there: it is posted anew, and begun_ms is when. */
MUST_CHECK int store_notice_begin_again(struct store *store,
	const struct store_notice *notice, struct err *err_r);
MUST_CHECK int store_notice_posted(struct store *store, const char *rollout,
	const char *place, const char *message, struct err *err_r);
MUST_CHECK int store_notice_over(struct store *store, const char *rollout,
	const char *place, struct err *err_r);
/* Those that are not over though their rollouts have ended, the oldest first. */
MUST_CHECK int store_notice_list(struct store *store, struct arena *arena,
	struct store_notice **notices_r, size_t *n_r, struct err *err_r);

#endif
