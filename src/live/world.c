/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the world from the bottom up; see world.h. */
#include "live/world.h"

#include <stdlib.h>

#include "api/request.h"
#include "cloudrun/cloudrun.h"
#include "google/credentials.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/process.h"
#include "io/worker.h"
#include "metrics/metrics_pool.h"

#define DECODE_MS_MAX 2000 /* of the longest answer */

static int open_google(struct world *world, const struct world_options *options,
	struct err *err_r)
{
	struct err *why = options->credentials_err_r;
	struct cloudrun_config config = {
		.endpoint = getenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"),
		.project = options->project,
		.region = options->region,
	};
	struct api api = {.loop = world->loop,
		.http = world->http,
		.worker = world->worker};

	if (why)
		*why = (struct err){0};
	world->credentials =
		credentials_new(world->loop, world->http, why ? why : err_r);
	if (!world->credentials)
		return why ? 0 : -1;
	if (!options->project)
		return 0;
	api.credentials = world->credentials;
	world->cloudrun = cloudrun_new(&api, &config, err_r);
	return world->cloudrun ? 0 : -1;
}

int world_open(struct world *world, const struct world_options *options,
	struct err *err_r)
{
	struct api api;

	*world = (struct world){.store = options->store};
	world->loop = loop_new(err_r);
	if (!world->loop)
		return -1;
	world->http = http_new(world->loop, err_r);
	if (!world->http)
		return -1;
	world->worker = worker_new(world->loop, 1, err_r);
	if (!world->worker)
		return -1;
	if (!options->anonymous && open_google(world, options, err_r) < 0)
		return -1;
	api = (struct api){world->loop, world->http, world->credentials};
	world->metrics = metrics_pool_new(&api);
	return 0;
}

void world_close(struct world *world)
{
	if (world->loop)
		process_let_end(world->loop);
	metrics_pool_free(&world->metrics);
	cloudrun_free(&world->cloudrun);
	credentials_free(&world->credentials);
	http_free(&world->http);
	/* What is being decoded was for those who are gone. */
	if (world->worker)
		worker_wait(world->worker, DECODE_MS_MAX);
	worker_free(&world->worker);
	loop_free(&world->loop);
}
