/* SPDX-License-Identifier: Apache-2.0 */
/* Services that release themselves; see watch.h. */
#include "serve/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "io/loop.h"
#include "io/random.h"
#include "serve/driven.h"
#include "serve/serve_config.h"
#include "serve/watch_parts.h"

#define SOON_MS 200 /* after a rollout has ended */

static void watch_ended(
	const struct driven *driven, const struct err *err, void *arg);

static void add_regions(struct watch *watch, const struct watch_row *row)
{
	struct watch_region *region;

	for (size_t i = 0; i < row->n_regions; i++) {
		region = xcalloc(1, sizeof(*region));
		region->watch = watch;
		region->row = row;
		region->region = row->regions[i];
		TAILQ_INSERT_TAIL(&watch->regions, region, link);
		watch_region_soon(region, 0);
	}
}

struct watch *watch_new(const struct watch_parts *parts)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	const struct watch_config *config = &parts->config->watch;
	const struct driven_listener listener = {
		.end = watch_ended, .arg = watch};
	uint64_t seed;

	watch->parts = *parts;
	TAILQ_INIT(&watch->regions);
	TAILQ_INIT(&watch->services);
	random_bytes(&seed, sizeof(seed));
	rng_init(&watch->rng, seed);
	for (size_t i = 0; i < config->n; i++)
		add_regions(watch, &config->rows[i]);
	if (config->n)
		driven_listen(parts->driven, &listener);
	return watch;
}

void watch_stop(struct watch *watch)
{
	struct watch_region *region;
	struct watched *watched;

	watch->stopped = true;
	TAILQ_FOREACH(region, &watch->regions, link)
		watch_region_stop(region);
	TAILQ_FOREACH(watched, &watch->services, link)
		cloudrun_cancel(&watched->call);
}

void watch_free(struct watch **watch_p)
{
	struct watch *watch = *watch_p;
	struct watch_region *region;

	if (!watch)
		return;
	while (!TAILQ_EMPTY(&watch->services))
		watched_free(TAILQ_FIRST(&watch->services));
	while ((region = TAILQ_FIRST(&watch->regions))) {
		TAILQ_REMOVE(&watch->regions, region, link);
		watch_region_free(region);
	}
	free(watch);
	*watch_p = NULL;
}

/* What waits may begin. */
static void watch_ended(
	const struct driven *driven, const struct err *err, void *arg)
{
	const struct watch *watch = arg;
	struct watched *watched = watched_find(watch, driven_service(driven));

	(void)err;
	if (watched && !watch->stopped)
		watch_region_soon(watched->region, SOON_MS);
}

const char *watch_trouble(const struct watch *watch)
{
	const struct watch_region *region;

	TAILQ_FOREACH(region, &watch->regions, link)
		if (*region->trouble)
			return region->trouble;
	return "";
}
