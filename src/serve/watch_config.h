/* SPDX-License-Identifier: Apache-2.0 */
/* Which services release themselves: `watch` of the daemon's configuration.
 * Plain data. */
#ifndef TIDEGATE_SERVE_WATCH_CONFIG_H
#define TIDEGATE_SERVE_WATCH_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/freeze.h"

#define WATCH_ROWS_MAX    100
#define WATCH_REGIONS_MAX 60 /* of a row */

/* A newer revision while a rollout runs. */
enum newer {
	NEWER_QUEUE, /* the newest waits for its end */
	NEWER_REPLACE, /* the running one is reverted first */
};

struct watch_row {
	const char *project;
	const char *const *regions;
	size_t n_regions;
	const char *label; /* whose value names the policy */
	int newer; /* enum newer */
	int64_t every_ms; /* between two looks */
	struct freezes freeze; /* nothing is started then */
	bool pin; /* what LATEST serves is given the traffic by its name */
};

struct watch_config {
	struct watch_row *rows;
	size_t n;
};

/* List calls in a minute, as long as a region's services fit a page. */
double watch_calls_per_minute(const struct watch_row *row);

#endif
