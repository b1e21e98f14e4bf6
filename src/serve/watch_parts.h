/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the watch share; see watch.h. Not for anybody else. */
#ifndef TIDEGATE_SERVE_WATCH_PARTS_H
#define TIDEGATE_SERVE_WATCH_PARTS_H

#include <sys/queue.h>

#include "base/arena.h"
#include "base/rng.h"
#include "serve/desk.h"
#include "serve/watch.h"
#include "store/store_watch.h"

#define WATCH_TEXT_MAX 1024
#define WATCH_BUCKETS  4096

struct cloudrun_call;
struct service;
struct timer;
struct watch_look;

TAILQ_HEAD(watched_list, watched);

/* One project in one region: a list call looks at it. */
struct watch_region {
	TAILQ_ENTRY(watch_region) link;
	struct watch *watch;
	const struct watch_row *row;
	const char *region;
	struct timer *timer;
	struct cloudrun_call *call;
	struct watch_look *look; /* the last one: owner of what is remembered */
	bool looking; /* a look is under way */
	bool again; /* … and something has happened since it began */
	int failures; /* in a row */
	int n_bad; /* services that could not be read, at the last look */
	char trouble[WATCH_TEXT_MAX]; /* "": none */
};

struct watch {
	struct watch_parts parts;
	TAILQ_HEAD(, watch_region) regions;
	struct watched_list services;
	LIST_HEAD(, watched) by_name[WATCH_BUCKETS];
	struct rng rng;
	bool stopped;
};

struct watched {
	TAILQ_ENTRY(watched) link;
	LIST_ENTRY(watched) bucket;
	struct watch_region *region;
	char *name; /* full */
	char *label; /* the policy's name */
	struct service *service; /* as it was listed */
	int64_t seen_ms; /* of the wall clock */
	bool seen; /* at this look */
	/* Of the region's look. */
	struct store_watched kept;
	struct store_past past;
	bool is_known; /* they were read, and nothing is decided before */
	/* A revision that was read; NULL: none was. */
	char *made, *maker;
	int64_t made_ms;
	struct cloudrun_call *call; /* reads one */
	bool busy; /* something is being done about it */
	bool gone; /* not watched any more, as soon as that is over */
	char *replaced; /* the rollout that was last reverted for another */
	enum watch_state state;
	char text[WATCH_TEXT_MAX];
};

/* The API's clock. */
int64_t watch_time(const struct watch *watch);

/* watch_list.c */
struct watched *watched_new(struct watch_region *region, const char *name);
/* Nothing is being done about it any more. */
void watched_rest(struct watched *watched);
struct watched *watched_find(const struct watch *watch, const char *service);
void watched_free(struct watched *watched);

/* watch_region.c */
void watch_region_soon(struct watch_region *region, int64_t ms);
void watch_region_stop(struct watch_region *region);
void watch_region_free(struct watch_region *region);

/* watch_pin.c: gives the traffic that LATEST has to who serves it. */
void watch_pin(struct watched *watched);

/* watch_service.c: what is known of it was looked at anew. */
void watched_consider(struct watched *watched);

#endif
