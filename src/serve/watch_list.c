/* SPDX-License-Identifier: Apache-2.0 */
/* The services that are watched, by name, and how it stands with each; see
 * watch.h. */
#include <stdlib.h>
#include <string.h>

#include "base/name_hash.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"
#include "serve/watch_parts.h"

int64_t watch_time(const struct watch *watch)
{
	int64_t ahead_ms, now_ms = loop_wall_ms(watch->parts.loop);

	return cloudrun_clock(watch->parts.cloudrun, &ahead_ms)
		       ? now_ms - ahead_ms
		       : now_ms;
}

/* ---- services ---- */

struct watched *watched_find(const struct watch *watch, const char *service)
{
	struct watched *watched;

	LIST_FOREACH(watched,
		&watch->by_name[name_bucket(service, WATCH_BUCKETS)], bucket)
		if (!strcmp(watched->name, service))
			return watched;
	return NULL;
}

struct watched *watched_new(struct watch_region *region, const char *name)
{
	struct watched *watched = xcalloc(1, sizeof(*watched));
	struct watch *watch = region->watch;

	watched->region = region;
	watched->name = xstrdup(name);
	TAILQ_INSERT_TAIL(&watch->services, watched, link);
	LIST_INSERT_HEAD(&watch->by_name[name_bucket(name, WATCH_BUCKETS)],
		watched, bucket);
	return watched;
}

void watched_free(struct watched *watched)
{
	TAILQ_REMOVE(&watched->region->watch->services, watched, link);
	LIST_REMOVE(watched, bucket);
	cloudrun_cancel(&watched->call);
	if (watched->service)
		service_free(&watched->service);
	free(watched->name);
	free(watched->label);
	free(watched->made);
	free(watched->maker);
	free(watched->replaced);
	free(watched);
}

void watched_rest(struct watched *watched)
{
	watched->busy = false;
	if (watched->gone)
		watched_free(watched);
}

/* ---- for people ---- */

const struct watched *watch_find(const struct watch *watch, const char *service)
{
	const struct watched *watched = watched_find(watch, service);

	return watched && watched->is_known && !watched->gone ? watched : NULL;
}

static const struct watched *known_from(const struct watched *watched)
{
	while (watched && (!watched->is_known || watched->gone))
		watched = TAILQ_NEXT(watched, link);
	return watched;
}

const struct watched *watch_first(const struct watch *watch)
{
	return known_from(TAILQ_FIRST(&watch->services));
}

const struct watched *watch_next(const struct watched *watched)
{
	return known_from(TAILQ_NEXT(watched, link));
}

void watch_status_of(
	const struct watched *watched, struct watch_status *status_r)
{
	*status_r = (struct watch_status){
		.service = watched->name,
		.policy = watched->label,
		.state = watched->state,
		.text = watched->text,
		.ready = watched->service->latest_ready,
		.waiting = watched->kept.waiting,
		.skipped = watched->kept.skipped,
		.skipped_for = watched->kept.skipped_for,
		.skipped_ms = watched->kept.skipped_ms,
		.seen_ms = watched->seen_ms,
	};
}
