/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a service: who serves, its releases, what they come to, what
 * is not released again. Out of the state file's list, and out of memory while
 * one of them runs.
 */
#ifndef TIDEGATE_SERVE_SERVICE_FACTS_H
#define TIDEGATE_SERVE_SERVICE_FACTS_H

#include "base/arena.h"
#include "serve/page_service.h"
#include "store/store.h"

struct driven_set;

#define SERVICE_RELEASES_MAX 200

#define SERVICE_RESTORES_MAX 50 /* journals that are read for them */

struct service_times {
	int64_t median_ms, p90_ms; /* n 0: not known */
	size_t n;
};

struct service_facts {
	/* Given, and borrowed: the service in `view`, and … */
	struct arena *arena;
	const struct driven_set *driven;
	const struct store_rollout *list; /* newest first */
	size_t n;

	/* Found, but for the figures in words. */
	struct service_view view;
	struct service_traffic traffic[3];
	/* Of the last SERVICE_WEEKS: a rollback of what had traffic is a failed
	 * change, what was refused has moved nothing and is none. */
	int n_promoted, n_failed;
	int64_t median_ms; /* from start to promoted; 0: none was */
	/* From commit to promoted, where the commit's time was told, and from
	 * the first bad check until stable served everything. */
	struct service_times lead, restore;
};

/* Out of the journals of what was taken back, the newest first; on the desk's
 * thread, with the list alone. */
MUST_CHECK int service_facts_read(struct service_facts *facts,
	struct store *store, int64_t now_ms, struct err *err_r);

void service_facts_find(struct service_facts *facts, int64_t now_ms);

#endif
