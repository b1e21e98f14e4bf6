/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pins what serves, so that the next deploy does not release itself. It holds
 * the service's lease meanwhile, as a rollout would, writes over what it has
 * just read, and leaves a service alone that has changed since it was listed.
 *
 *   watch_pin ─ pin_lease ─ pin_read ─ pin_written ─ pin_over
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "cloudrun/cloudrun.h"
#include "serve/watch_parts.h"

#define READ_MS 5000
/* Both together are shorter than a lease without renewal. */
#define WRITE_MS 8000

struct watch_pin {
	struct desk_job job;
	struct watched *watched;
	char *service;
	int64_t fence; /* 0: the lease is not ours */
};

static void pin_leased(struct desk_job *job, const struct err *err);
static void pin_read(struct service *service, const struct err *err, void *arg);
static void pin_written(enum write_result result, int64_t generation,
	const struct err *err, void *arg);
static void pin_over(struct desk_job *job, const struct err *err);

/* ---- the lease ---- */

/* A rollout that has not ended may be between two drivers. */
static int pin_lease(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct watch_pin *pin = (struct watch_pin *)job;
	const struct store_filter filter = {
		.service = pin->service, .unfinished = true, .limit = 1};
	struct lease_watch looks = {0};
	struct store_rollout *list;
	struct store_lease lease;
	struct arena arena;
	size_t n = 0;
	int rc;

	arena_init(&arena);
	rc = store_lease_take(
		store, pin->service, "", &looks, &arena, &lease, err_r);
	if (rc > 0)
		pin->fence = lease.fence;
	if (rc > 0)
		rc = store_rollout_list(
			store, &filter, &arena, &list, &n, err_r);
	if (rc == 0 && pin->fence && n) {
		store_lease_drop(store, pin->service, pin->fence);
		pin->fence = 0;
	}
	arena_fini(&arena);
	return rc < 0 ? -1 : 0;
}

static int pin_drop(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct watch_pin *pin = (struct watch_pin *)job;

	(void)err_r;
	store_lease_drop(store, pin->service, pin->fence);
	return 0;
}

/* ---- its course ---- */

void watch_pin(struct watched *watched)
{
	struct watch_pin *pin = xcalloc(1, sizeof(*pin));

	watched->busy = true;
	pin->watched = watched;
	pin->service = xstrdup(watched->name);
	pin->job.run = pin_lease;
	pin->job.done = pin_leased;
	desk_give(watched->region->watch->parts.desk, &pin->job);
}

static void pin_end(struct watch_pin *pin)
{
	if (!pin->fence || pin->watched->region->watch->stopped) {
		pin_over(&pin->job, NULL);
		return;
	}
	pin->job.run = pin_drop;
	pin->job.done = pin_over;
	desk_give(pin->watched->region->watch->parts.desk, &pin->job);
}

static void pin_failed(struct watch_pin *pin, const struct err *err)
{
	log_line(LOG_WARN, "event=pin service=%s error=\"%s\"", pin->service,
		err->text);
	pin_end(pin);
}

static void pin_leased(struct desk_job *job, const struct err *err)
{
	struct watch_pin *pin = (struct watch_pin *)job;
	struct watched *watched = pin->watched;

	if (err)
		pin_failed(pin, err);
	else if (!pin->fence || watched->region->watch->stopped)
		pin_end(pin);
	else
		watched->call = cloudrun_get_service_start(
			watched->region->watch->parts.cloudrun, pin->service,
			READ_MS, pin_read, pin);
}

/* Also a tag of LATEST goes with its traffic. */
static void pin_read(struct service *service, const struct err *err, void *arg)
{
	static const struct write_times times = {WRITE_MS, 0};
	struct watch_pin *pin = arg;
	struct watched *watched = pin->watched;
	const char *serving;
	struct traffic plan;

	watched->call = NULL;
	if (err) {
		pin_failed(pin, err);
		return;
	}
	serving = watch_serving(&service->statuses);
	if (!traffic_has_latest(&service->spec) || service->reconciling ||
		!serving) {
		service_free(&service);
		pin_end(pin);
		return;
	}
	log_line(LOG_INFO,
		"event=pin service=%s revision=%s text=\"LATEST has the "
		"traffic: it is given to the revision by its name\"",
		pin->service, serving);
	watch_plan_pin(&service->spec, serving, &service->arena, &plan);
	watched->call = cloudrun_write_traffic_start(
		watched->region->watch->parts.cloudrun, service, &plan, &times,
		pin_written, pin);
	service_free(&service);
}

static void pin_written(enum write_result result, int64_t generation,
	const struct err *err, void *arg)
{
	struct watch_pin *pin = arg;

	(void)generation;
	pin->watched->call = NULL;
	if (result != WRITE_DONE && err)
		pin_failed(pin, err);
	else
		pin_end(pin);
}

/* Whether it serves so is seen at the next look. */
static void pin_over(struct desk_job *job, const struct err *err)
{
	struct watch_pin *pin = (struct watch_pin *)job;
	struct watched *watched = pin->watched;

	(void)err;
	free(pin->service);
	free(pin);
	watched_rest(watched);
}
