/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of driving: everything under way is cancelled, the lease is dropped
 * when the programs of actions have ended, what actions opened is closed, and the
 * observer is told, in this order.
 */
#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "io/process.h"
#include "live/action_io.h"
#include "live/check_run.h"
#include "live/driver_parts.h"
#include "live/keepalive.h"
#include "live/preflight.h"
#include "live/traffic_io.h"
#include "store/fold.h"
#include "store/walk.h"

#define END_RETRY_MS 50

static void driver_end(void *arg);
static void driver_tell_end(void *arg);

void driver_stop(struct driver *driver)
{
	timer_cancel(&driver->wake);
	timer_cancel(&driver->patience);
	timer_cancel(&driver->late_timer);
	timer_cancel(&driver->lease_retry);
	walk_cancel(&driver->walk);
	fold_free(&driver->fold);
	preflight_free(&driver->preflight);
	traffic_io_cancel(driver->traffic);
	for (size_t i = 0; i < driver->release->policy->n_slos; i++)
		check_run_cancel(&driver->checks[i]);
	driver_cancel_action(driver);
	keepalive_stop(driver->keepalive);
	driver->n_effects = 0;
}

void driver_finish(
	struct driver *driver, int exit_status, const struct err *err)
{
	if (driver->over)
		return;
	driver->over = true;
	driver_stop(driver);
	driver->end_status = exit_status;
	if (err) {
		driver->end_err = xcalloc(1, sizeof(*err));
		*driver->end_err = *err;
	}
	driver->end = timer_start(driver->world->loop, 0, driver_end, driver);
}

void driver_taken_over(struct driver *driver, const struct err *err)
{
	struct err why = *err;

	driver->fence = 0;
	err_wrap(
		&why, "another process has taken %s over", driver->release->id);
	driver_finish(driver, 1, &why);
	/* The other may run the same action by now: no grace beside it. */
	process_crew_kill(&driver->programs);
}

/* Who holds the lease next may run the same action: not beside a program that was
 * told to end and has its grace. */
static bool has_programs(const struct driver *driver)
{
	return driver->fence && process_crew_is_ending(&driver->programs);
}

/* A driver that ends while its rollout goes on, such as one that waited too long
 * for people, waits for its last entries to become durable. */
static bool has_entries(const struct driver *driver)
{
	return driver->fence && !driver->unjournaled &&
	       journal_has_pending(driver->writer);
}

/* What the lease is kept for, but not for ever. */
static bool end_must_wait(struct driver *driver)
{
	int64_t now_ms = loop_now(driver->world->loop), waited_ms;

	if (!driver->end_since_ms)
		driver->end_since_ms = now_ms;
	waited_ms = now_ms - driver->end_since_ms;
	return (has_programs(driver) && waited_ms < PROCESS_END_MS_MAX) ||
	       (has_entries(driver) && waited_ms < STORE_LEASE_MS);
}

bool driver_quit(struct driver *driver)
{
	driver->over = true;
	driver_stop(driver);
	timer_cancel(&driver->end);
	return has_programs(driver);
}

void driver_end_soon(struct driver *driver)
{
	if (!driver->end)
		return;
	timer_cancel(&driver->end);
	driver->end = timer_start(driver->world->loop, 0, driver_end, driver);
}

/* The journal has the end: the service is free for the next rollout. What
 * actions opened is closed only when the rollout is over for good. */
static void driver_end(void *arg)
{
	struct driver *driver = arg;
	bool is_over;

	driver->end = NULL;
	journal_flush(driver->journal);
	if (end_must_wait(driver)) {
		driver->end = timer_start(
			driver->world->loop, END_RETRY_MS, driver_end, driver);
		return;
	}
	journal_tell(driver->journal); /* the end is told last */
	is_over = driver->fence && phase_is_end(driver->state->phase);
	if (driver->fence)
		journal_drop_lease(driver->writer);
	driver->fence = 0;
	/* Who is told may free the driver. */
	if (is_over)
		keepalive_close(driver->keepalive, driver_tell_end, driver);
	else
		driver_tell_end(driver);
}

static void driver_tell_end(void *arg)
{
	struct driver *driver = arg;
	struct err *err = driver->end_err;

	driver->end_err = NULL;
	driver->observer.end(
		driver, driver->end_status, err, driver->observer.arg);
	free(err);
}
