/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks at one project in one region; see watch_parts.h.
 *
 *   region_look ─ region_listed ─ look_run ─ look_done ─ watched_consider …
 *        ^              └ cannot be listed: a pause that grows │
 *        └─────────────────────────────────────────────────────┘
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/service_name.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "engine/backoff.h"
#include "io/loop.h"
#include "serve/watch_parts.h"

#define PAUSE_MS_MAX 600000 /* after failures */

/* What is remembered of the region's services; its texts are in the arena. */
struct watch_look {
	struct desk_job job;
	struct watch_region *region;
	struct arena arena;
	int64_t now_ms;
	const char **names, **ready; /* in strcmp's order of names */
	struct store_watched *kept;
	struct store_past *past;
	size_t n;
	bool is_whole; /* no other service has the label */
};

static void region_look(void *arg);
static void region_listed(
	const struct services_listed *listed, const struct err *err, void *arg);
static int look_run(
	struct desk_job *job, struct store *store, struct err *err_r);
static void look_done(struct desk_job *job, const struct err *err);

/* ---- when ---- */

void watch_region_soon(struct watch_region *region, int64_t ms)
{
	if (region->looking) {
		region->again = true;
		return;
	}
	timer_cancel(&region->timer);
	region->timer =
		timer_start(region->watch->parts.loop, ms, region_look, region);
}

static void look_free(struct watch_look *look)
{
	arena_fini(&look->arena);
	free(look);
}

void watch_region_stop(struct watch_region *region)
{
	timer_cancel(&region->timer);
	cloudrun_cancel(&region->call);
}

void watch_region_free(struct watch_region *region)
{
	watch_region_stop(region);
	if (region->look)
		look_free(region->look);
	free(region);
}

/* The next look: evenly, or after a drawn pause that grows. */
static void region_over(struct watch_region *region, int64_t retry_after_ms)
{
	const struct backoff backoff = {
		2 * region->row->every_ms, PAUSE_MS_MAX};
	int64_t pause_ms = region->row->every_ms;

	region->looking = false;
	if (region->watch->stopped)
		return;
	if (region->failures)
		pause_ms = backoff_delay(&backoff, region->failures - 1,
			retry_after_ms, &region->watch->rng);
	else if (region->again)
		pause_ms = 0;
	region->again = false;
	watch_region_soon(region, pause_ms);
}

/* The same trouble is told once; "": there is none. */
static void region_say(struct watch_region *region, const char *trouble)
{
	char text[WATCH_TEXT_MAX] = "";

	if (*trouble)
		snprintf(text, sizeof(text), "%.100s in %.63s: %.800s",
			region->row->project, region->region, trouble);
	if (strcmp(text, region->trouble) != 0)
		log_line(*text ? LOG_WARN : LOG_INFO,
			"event=watch project=%s region=%s text=\"%s\"",
			region->row->project, region->region,
			*text ? trouble : "it can be looked at again");
	memcpy(region->trouble, text, sizeof(text));
}

static void region_failed(struct watch_region *region, const struct err *err)
{
	region_say(region, err->text);
	region->failures++;
	region_over(region, err->retry_after_ms);
}

static void region_look(void *arg)
{
	struct watch_region *region = arg;

	region->timer = NULL;
	region->looking = true;
	region->again = false;
	region->call = cloudrun_list_services_start(
		region->watch->parts.cloudrun, region->row->project,
		region->region, region->row->label, region_listed, region);
}

/* ---- who is there ---- */

/* A project that is asked for by its name may be told by its number. */
static char *name_of(const struct watch_region *region, const char *full)
{
	return xasprintf(SERVICE_NAME_FORMAT, region->row->project,
		region->region, strrchr(full, '/') + 1);
}

static void take_listed(
	struct watch_region *region, struct listed_service *listed)
{
	char *name = name_of(region, listed->service->name);
	struct watched *watched = watched_find(region->watch, name);

	if (!watched)
		watched = watched_new(region, name);
	free(name);
	if (watched->service)
		service_free(&watched->service);
	watched->service = listed->service;
	listed->service = NULL;
	xfree(&watched->label);
	watched->label = xstrdup(listed->label);
	watched->seen = true;
	watched->gone = false;
	watched->seen_ms = loop_wall_ms(region->watch->parts.loop);
}

static void forget_unseen(struct watch_region *region)
{
	struct watched *watched, *next;

	for (watched = TAILQ_FIRST(&region->watch->services); watched;
		watched = next) {
		next = TAILQ_NEXT(watched, link);
		if (watched->region != region)
			continue;
		if (!watched->seen && !watched->gone)
			log_line(LOG_INFO,
				"event=watch service=%s text=\"it has no label "
				"any more, and is not watched\"",
				watched->name);
		watched->gone = !watched->seen;
		watched->seen = false;
		if (watched->gone && !watched->busy)
			watched_free(watched);
	}
}

static int by_name(const void *a, const void *b)
{
	const struct watched *left = *(const struct watched *const *)a;
	const struct watched *right = *(const struct watched *const *)b;

	return strcmp(left->name, right->name);
}

static struct watch_look *look_new(struct watch_region *region)
{
	struct watch_look *look = xcalloc(1, sizeof(*look));
	const struct watched **list;
	struct watched *watched;
	size_t n = 0, i = 0;

	arena_init(&look->arena);
	look->region = region;
	look->now_ms = watch_time(region->watch);
	TAILQ_FOREACH(watched, &region->watch->services, link)
		n += watched->region == region && !watched->gone;
	list = arena_alloc(&look->arena, (n + 1) * sizeof(*list));
	TAILQ_FOREACH(watched, &region->watch->services, link)
		if (watched->region == region && !watched->gone)
			list[i++] = watched;
	qsort(list, n, sizeof(*list), by_name);
	look->names = arena_alloc(&look->arena, (n + 1) * sizeof(char *));
	look->ready = arena_alloc(&look->arena, (n + 1) * sizeof(char *));
	look->kept = arena_alloc(&look->arena, (n + 1) * sizeof(*look->kept));
	look->past = arena_alloc(&look->arena, (n + 1) * sizeof(*look->past));
	for (i = 0; i < n; i++) {
		const char *ready = list[i]->service->latest_ready;

		look->names[i] = arena_strdup(&look->arena, list[i]->name);
		look->ready[i] = arena_strdup(&look->arena, ready ? ready : "");
	}
	look->n = n;
	look->job.run = look_run;
	look->job.done = look_done;
	return look;
}

static void region_listed(
	const struct services_listed *listed, const struct err *err, void *arg)
{
	struct watch_region *region = arg;
	struct watch_look *look;

	region->call = NULL;
	if (err) {
		region_failed(region, err);
		return;
	}
	for (size_t i = 0; i < listed->n; i++)
		take_listed(region, &listed->list[i]);
	region->n_bad = listed->n_bad;
	if (!listed->n_bad)
		forget_unseen(region);
	look = look_new(region);
	look->is_whole = !listed->n_bad;
	desk_give(region->watch->parts.desk, &look->job);
}

/* ---- what is remembered ---- */

static int look_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct watch_look *look = (struct watch_look *)job;

	for (size_t i = 0; i < look->n; i++)
		if (store_watch_look(store, look->names[i], look->ready[i],
			    look->now_ms, &look->arena, &look->kept[i],
			    &look->past[i], err_r) < 0)
			return -1;
	if (!look->is_whole)
		return 0;
	return store_watch_keep(store, look->region->row->project,
		look->region->region, look->names, look->n, err_r);
}

/* Also of those that were not seen and are busy: they may have the label again
 * before they are looked at. */
static void look_forget(struct watch_region *region)
{
	struct watched *watched;

	TAILQ_FOREACH(watched, &region->watch->services, link) {
		if (watched->region != region)
			continue;
		watched->is_known = false;
		watched->kept = (struct store_watched){.since_ms = 0};
		watched->past = (struct store_past){.running = NULL};
	}
	if (region->look)
		look_free(region->look);
	region->look = NULL;
}

/* From here on the texts of the look before are not used any more. */
static void look_take(struct watch_look *look)
{
	struct watch_region *region = look->region;
	struct watched *watched;

	look_forget(region);
	region->look = look;
	for (size_t i = 0; i < look->n; i++) {
		watched = watched_find(region->watch, look->names[i]);
		if (!watched)
			continue;
		watched->kept = look->kept[i];
		watched->past = look->past[i];
		watched->is_known = true;
	}
	for (size_t i = 0; i < look->n; i++) {
		watched = watched_find(region->watch, look->names[i]);
		if (watched && !watched->gone)
			watched_consider(watched);
	}
}

static void look_done(struct desk_job *job, const struct err *err)
{
	struct watch_look *look = (struct watch_look *)job;
	struct watch_region *region = look->region;

	if (err || region->watch->stopped) {
		if (err)
			region_failed(region, err);
		look_free(look);
		return;
	}
	region->failures = 0;
	region_say(region, region->n_bad
				   ? "what some services answer cannot be read"
				   : "");
	look_take(look);
	region_over(region, 0);
}
