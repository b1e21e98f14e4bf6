/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon's watch has seen of services that release themselves, so that
 * a restart neither forgets nor starts twice. What was released, and what came
 * of it, is told by the rollouts alone.
 */
#ifndef TIDEGATE_STORE_STORE_WATCH_H
#define TIDEGATE_STORE_STORE_WATCH_H

#include "store/store.h"

/* For so long a claim keeps others from starting the same: longer than a start
 * waits for its lease. */
#define STORE_CLAIM_MS 60000

struct store_watched {
	int64_t since_ms; /* when it was first seen; by the API's clock */
	const char *waiting; /* the revision that waits for an end; "" */
	/* The last one that was never released, since another came. */
	const char *skipped, *skipped_for;
	int64_t skipped_ms; /* 0: none was */
	const char *claimed; /* the last revision that the watch began; "" */
};

/* What the rollouts of a service say about a revision; NULL: there is none. */
struct store_past {
	const char *running; /* a rollout that has not ended */
	const char *running_candidate, *running_phase;
	const char *of_revision; /* the last one of this revision … */
	const char *phase; /* … and how it ended or stands */
	const char *failed; /* the service's last one, when it needs a person */
};

/* From its first look on a service is kept. */
MUST_CHECK int store_watch_look(struct store *store, const char *service,
	const char *revision, int64_t now_ms, struct arena *arena,
	struct store_watched *watched_r, struct store_past *past_r,
	struct err *err_r);
/* `waiting` "": nothing waits any more; `skipped` NULL: none was. */
MUST_CHECK int store_watch_wait(struct store *store, const char *service,
	const char *waiting, const char *skipped, int64_t now_ms,
	struct err *err_r);
/* 1: this revision is the caller's to start; 0: a rollout of the service runs,
 * the revision had one, or somebody else is about to start it. */
MUST_CHECK int store_watch_claim(struct store *store, const char *service,
	const char *revision, int64_t now_ms, struct err *err_r);
/* The start came to nothing. */
MUST_CHECK int store_watch_unclaim(struct store *store, const char *service,
	const char *revision, struct err *err_r);
/* Services of this place but for these, in strcmp's order, are watched no more:
 * what they deploy from now on is not released later. */
MUST_CHECK int store_watch_keep(struct store *store, const char *project,
	const char *region, const char *const *services, size_t n,
	struct err *err_r);

#endif
