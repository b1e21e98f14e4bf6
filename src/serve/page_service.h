/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of a service: who serves now, its releases of the last weeks, what
 * they come to, what is not released again. Pure.
 */
#ifndef TIDEGATE_SERVE_PAGE_SERVICE_H
#define TIDEGATE_SERVE_PAGE_SERVICE_H

#include "base/service_name.h"
#include "engine/rollout.h"
#include "report/page.h"
#include "serve/page_frame.h"

#define SERVICE_WEEKS 4 /* of the strip */

/* Newest first; all borrowed. */
struct service_release {
	const char *id, *candidate, *starter, *reason;
	enum phase phase;
	int64_t started_ms, ended_ms; /* 0: not ended */
};

/* A revision that was rolled back and is not released again by itself. */
struct service_rejected {
	const char *revision, *rollout, *reason;
	int64_t time_ms;
};

struct service_traffic {
	const char *revision;
	int percent;
	const char *role; /* "candidate", "stable"; "": others */
};

/* How it stands with a service that releases itself. */
struct service_watch {
	const char *policy; /* NULL: it is not watched */
	const char *state, *text;
	const char *waiting; /* "": nothing waits */
	const char *skipped, *skipped_for; /* the last one; "": none was */
	int64_t skipped_ms, seen_ms;
};

struct service_view {
	struct service_name service;
	struct service_watch watch;
	const struct service_traffic *traffic;
	size_t n_traffic;
	int64_t traffic_ms; /* when it was seen; 0: it was not */
	const struct service_release *releases;
	size_t n_releases;
	/* Delivery in numbers, with what they are made of. */
	const struct page_fact *figures;
	size_t n_figures;
	const struct service_rejected *rejected;
	size_t n_rejected;
};

void page_service_write(struct buf *out, const struct page_frame *frame,
	const struct service_view *view);

#endif
