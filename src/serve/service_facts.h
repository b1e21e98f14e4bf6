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
};

void service_facts_find(struct service_facts *facts, int64_t now_ms);

#endif
