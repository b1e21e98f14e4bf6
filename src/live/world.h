/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The world, as far as a release needs it: opened in one place, borrowed by
 * everybody who looks at it or writes to it.
 */
#ifndef TIDEGATE_LIVE_WORLD_H
#define TIDEGATE_LIVE_WORLD_H

#include <stdbool.h>

#include "base/err.h"

struct cloudrun;
struct credentials;
struct http;
struct loop;
struct metrics_pool;
struct store;
struct worker;

struct world {
	struct loop *loop;
	struct http *http;
	struct worker *worker; /* for long answers */
	struct credentials *credentials; /* NULL: none were found */
	struct cloudrun *cloudrun; /* NULL without credentials, or not needed */
	struct metrics_pool *metrics;
	struct store *store; /* borrowed; NULL: there is none yet */
};

struct world_options {
	const char *project, *region; /* NULL: Cloud Run is not needed */
	bool anonymous; /* neither are credentials */
	struct store *store;
	/* NULL: credentials are needed. Else the world is opened without, if
	 * need be, and this says why; ERR_NONE when there are some. */
	struct err *credentials_err_r;
};

/* On failure what is open already is the caller's to close. */
MUST_CHECK int world_open(struct world *world,
	const struct world_options *options, struct err *err_r);
void world_close(struct world *world); /* opened in part, or not: accepted */

#endif
