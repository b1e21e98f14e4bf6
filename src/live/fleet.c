/* SPDX-License-Identifier: Apache-2.0 */
/* Many drivers in one process; see fleet.h. Decides nothing about a rollout. */
#include "live/fleet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/process.h"
#include "live/driver_parts.h"
#include "live/options_codec.h"
#include "metrics/metrics_pool.h"

#define POLL_MS 200 /* between looks for operators' commands */
#define BEAT_MS 100 /* leases are renewed few at a time … */
#define BEATS   10 /* … and all of them within so many beats */
#define FEW     8 /* rollouts that may all ask at once after a gap */

TAILQ_HEAD(driver_list, driver);

struct fleet {
	struct world *world;
	struct journal *journal;
	struct driver_list drivers; /* renewed longest ago first */
	int n_drivers;
	struct timer *poll, *heartbeat;
	struct gap_listener *gaps;
	int64_t counter; /* of the store, at the last look */
};

static void fleet_poll(void *arg);
static void fleet_heartbeat(void *arg);
static void fleet_gap(const struct loop_gap *gap, void *arg);

struct fleet *fleet_new(struct world *world, struct err *err_r)
{
	struct journal *journal = journal_new(world->loop, world->store, err_r);
	struct fleet *fleet;

	if (!journal)
		return NULL;
	fleet = xcalloc(1, sizeof(*fleet));
	fleet->world = world;
	TAILQ_INIT(&fleet->drivers);
	fleet->journal = journal;
	fleet->gaps = loop_on_gap(world->loop, fleet_gap, fleet);
	return fleet;
}

void fleet_free(struct fleet **fleet_p)
{
	struct fleet *fleet = *fleet_p;

	if (!fleet)
		return;
	loop_gap_cancel(&fleet->gaps);
	timer_cancel(&fleet->poll);
	timer_cancel(&fleet->heartbeat);
	journal_free(&fleet->journal);
	free(fleet);
	*fleet_p = NULL;
}

void fleet_watch_commits(struct fleet *fleet, journal_commit_fn fn, void *arg)
{
	journal_watch_commits(fleet->journal, fn, arg);
}

/* ---- members ---- */

static struct driver *fleet_join(struct fleet *fleet, struct release *release,
	const struct driver_options *options, const struct observer *observer)
{
	struct driver *driver = driver_new(
		fleet->world, fleet->journal, release, options, observer);

	driver->renewed_ms = loop_now(fleet->world->loop);
	TAILQ_INSERT_TAIL(&fleet->drivers, driver, link);
	fleet->n_drivers++;
	if (!fleet->poll)
		fleet->poll = timer_start(
			fleet->world->loop, POLL_MS, fleet_poll, fleet);
	if (!fleet->heartbeat)
		fleet->heartbeat = timer_start(
			fleet->world->loop, BEAT_MS, fleet_heartbeat, fleet);
	return driver;
}

struct driver *fleet_run(struct fleet *fleet, const struct policy *policy,
	const struct driver_options *options, const struct observer *observer,
	struct err *err_r)
{
	struct release *release = release_new(policy, options->service,
		options->starter, &options->wish, err_r);
	struct driver *driver;

	if (!release)
		return NULL;
	driver = fleet_join(fleet, release, options, observer);
	driver_start(driver);
	return driver;
}

static struct release *release_of_row(const struct store_rollout *row,
	const struct policy *policy, const char *starter, struct arena *arena,
	struct err *err_r)
{
	struct release_wish wish;
	struct release *release;

	if (row->ended_ms) {
		err_set(err_r, ERR_REFUSED,
			"%s has ended already (%s): there is nothing to resume",
			row->id, row->phase);
		return NULL;
	}
	if (options_decode(row->options, arena, &wish, err_r) < 0)
		return NULL;
	release = release_new(policy, row->service, starter, &wish, err_r);
	if (!release)
		return NULL;
	snprintf(release->id, sizeof(release->id), "%s", row->id);
	release_set_candidate(release, row->candidate);
	release_set_stable(release, row->stable);
	return release;
}

/* Of a rollout that was left; NULL: it cannot be taken up. */
static struct release *release_left(struct store *store, const char *rollout,
	const struct policy *policy, const char *starter, struct err *err_r)
{
	struct release *release = NULL;
	struct store_rollout row;
	struct arena arena;
	int found;

	arena_init(&arena);
	found = store_rollout_get(store, rollout, &arena, &row, err_r);
	if (found == 0)
		err_set(err_r, ERR_NOT_FOUND,
			"no rollout \"%.100s\" in %s; see: tidegate list",
			rollout, store_path(store));
	if (found == 1)
		release = release_of_row(&row, policy, starter, &arena, err_r);
	arena_fini(&arena);
	return release;
}

struct driver *fleet_resume(struct fleet *fleet, const struct policy *policy,
	const char *rollout, const struct driver_options *options,
	const struct observer *observer, struct err *err_r)
{
	struct release *release = release_left(
		fleet->world->store, rollout, policy, options->starter, err_r);
	struct driver *driver;

	if (!release)
		return NULL;
	driver = fleet_join(fleet, release, options, observer);
	driver->resuming = true;
	fleet->counter = -1; /* something may have been left while it was */
	driver_start(driver);
	return driver;
}

static bool measures_by(const struct fleet *fleet, const struct policy *policy)
{
	const struct driver *driver;

	TAILQ_FOREACH(driver, &fleet->drivers, link)
		if (driver->release->policy == policy)
			return true;
	return false;
}

void fleet_drop(struct fleet *fleet, struct driver **driver_p)
{
	struct driver *driver = *driver_p;
	const struct policy *policy;

	if (!driver)
		return;
	policy = driver->release->policy;
	TAILQ_REMOVE(&fleet->drivers, driver, link);
	fleet->n_drivers--;
	driver_free(driver_p);
	if (!measures_by(fleet, policy))
		metrics_pool_forget(fleet->world->metrics, policy);
	if (TAILQ_EMPTY(&fleet->drivers)) {
		timer_cancel(&fleet->poll);
		timer_cancel(&fleet->heartbeat);
	}
}

void fleet_let_end(const struct fleet *fleet)
{
	process_let_end(fleet->world->loop);
}

/* ---- now and then ---- */

/* Whether another process has, or had, the lease meanwhile. What is not known is
 * found out by the next renewal. */
static bool is_fenced_out(struct fleet *fleet, const struct driver *driver)
{
	struct store_lease lease;
	struct arena arena;
	struct err err;
	int held;

	arena_init(&arena);
	held = store_lease_look(fleet->world->store, driver_service(driver),
		&arena, &lease, &err);
	arena_fini(&arena);
	return held == 0 || (held > 0 && lease.fence != driver->fence);
}

/* An action goes on by itself, from a guard to its command or to the next attempt,
 * and asks no journal: it is ended before any answer that it waited for. */
static void fleet_stood(struct fleet *fleet)
{
	struct driver *driver;
	struct err err;

	TAILQ_FOREACH(driver, &fleet->drivers, link) {
		if (!driver->fence || !driver->action ||
			!is_fenced_out(fleet, driver))
			continue;
		err_set(&err, ERR_LEASE,
			"its lease ran out while this one stood still");
		driver_taken_over(driver, &err);
	}
}

/* The rollouts were unwatched while the loop stood still: the engine sees that
 * before any answer that was waiting. */
static void fleet_gap(const struct loop_gap *gap, void *arg)
{
	struct fleet *fleet = arg;
	bool spread = fleet->n_drivers > FEW;
	struct event event = {.type = EVENT_TIMER,
		.clock_set = gap->stepped_ms != 0,
		.wall_ms =
			gap->stepped_ms ? loop_wall_ms(fleet->world->loop) : 0,
		.spread = spread,
		.stood_ms = spread ? gap->stood_ms : 0};
	struct driver *driver;

	log_line(LOG_WARN,
		"event=gap stood_ms=%" PRId64 " clock_set_by_ms=%" PRId64,
		gap->stood_ms, gap->stepped_ms);
	if (gap->stood_ms) {
		journal_stood_still(fleet->journal);
		fleet_stood(fleet);
	}
	TAILQ_FOREACH(driver, &fleet->drivers, link)
		if (driver->seq) {
			if (gap->stood_ms)
				driver_late_stood(driver);
			driver_forget_counters(driver);
			driver_event(driver, &event, NULL);
		}
}

static int by_name(const void *id, const void *other)
{
	return strcmp(id, *(const char *const *)other);
}

/* Asks once for all rollouts, since few have commands that wait. 1 when all
 * that waits was taken. */
static int commands_take(struct fleet *fleet, struct err *err_r)
{
	bool all = true;
	struct driver *driver;
	struct arena arena;
	const char **ids;
	size_t n = 0;
	int rc;

	arena_init(&arena);
	rc = store_commands_rollouts(
		fleet->world->store, &arena, &ids, &n, err_r);
	if (rc == 0 && n)
		TAILQ_FOREACH(driver, &fleet->drivers, link)
			if (bsearch(driver->release->id, ids, n, sizeof(*ids),
				    by_name))
				all = driver_commands(driver) && all;
	arena_fini(&arena);
	return rc < 0 ? -1 : all;
}

static void fleet_poll(void *arg)
{
	struct fleet *fleet = arg;
	int64_t counter;
	struct err err;
	int taken;

	fleet->poll =
		timer_start(fleet->world->loop, POLL_MS, fleet_poll, fleet);
	if (store_change_counter(fleet->world->store, &counter, &err) == 0) {
		if (counter == fleet->counter)
			return;
		taken = commands_take(fleet, &err);
		if (taken > 0)
			fleet->counter = counter;
		if (taken >= 0)
			return;
	}
	log_line(LOG_WARN, "event=poll error=\"%s\"", err.text);
}

void fleet_hurry(struct fleet *fleet)
{
	if (!fleet->poll)
		return; /* there are no rollouts */
	timer_cancel(&fleet->poll);
	fleet->poll = timer_start(fleet->world->loop, 0, fleet_poll, fleet);
}

/* The lease whose turn it is, if it is time already. */
static struct driver *next_to_renew(struct fleet *fleet)
{
	struct driver *driver = TAILQ_FIRST(&fleet->drivers);
	int64_t now = loop_now(fleet->world->loop);

	if (!driver ||
		now - driver->renewed_ms < STORE_HEARTBEAT_MS - BEATS * BEAT_MS)
		return NULL;
	return driver;
}

static void renew(struct fleet *fleet, struct driver *driver)
{
	driver->renewed_ms = loop_now(fleet->world->loop);
	TAILQ_REMOVE(&fleet->drivers, driver, link);
	TAILQ_INSERT_TAIL(&fleet->drivers, driver, link);
	if (driver->fence && !driver->over)
		journal_renew_lease(driver->writer);
}

static void fleet_heartbeat(void *arg)
{
	struct fleet *fleet = arg;
	int left = (fleet->n_drivers + BEATS - 1) / BEATS;
	struct driver *driver;

	fleet->heartbeat = timer_start(
		fleet->world->loop, BEAT_MS, fleet_heartbeat, fleet);
	while (left-- > 0 && (driver = next_to_renew(fleet)))
		renew(fleet, driver);
}
