/* SPDX-License-Identifier: Apache-2.0 */
/* Counts what the daemon does; see meter.h. */
#include "serve/meter.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "io/usage.h"
#include "live/fleet.h"
#include "serve/driven.h"

#define BUCKETS 4096
#define LOOK_MS 1000

/* A rollout that is driven, and where it is counted. */
struct metered {
	LIST_ENTRY(metered) link;
	const struct driven *driven;
	struct metrics_rollout *rollout;
};

LIST_HEAD(metered_list, metered);

struct meter {
	struct loop *loop;
	struct metrics_page *page;
	struct metered_list metered[BUCKETS];
	struct timer *look;
	int64_t due_us; /* when the look should come */
};

/* ---- rollouts ---- */

static struct metered_list *list_of(
	struct meter *meter, const struct driven *driven)
{
	/* Allocated, so that the lowest bits say nothing. */
	return &meter->metered[(uintptr_t)driven / 32 % BUCKETS];
}

static struct metered *find(struct meter *meter, const struct driven *driven)
{
	struct metered *metered;

	LIST_FOREACH(metered, list_of(meter, driven), link)
		if (metered->driven == driven)
			return metered;
	return NULL;
}

static struct metered *metered_new(
	struct meter *meter, const struct driven *driven)
{
	const struct driver *driver = driven_driver(driven);
	struct metered *metered = xcalloc(1, sizeof(*metered));

	metered->driven = driven;
	metered->rollout =
		metrics_rollout_new(meter->page, driven_service(driven),
			driver_id(driver), driver_policy(driver));
	metrics_rollout_committed(
		metered->rollout, driver_committed_ms(driver));
	LIST_INSERT_HEAD(list_of(meter, driven), metered, link);
	return metered;
}

static void metered_free(struct metered *metered)
{
	LIST_REMOVE(metered, link);
	metrics_rollout_end(&metered->rollout);
	free(metered);
}

static void meter_entry(
	const struct driven *driven, const struct store_event *entry, void *arg)
{
	const struct driver *driver = driven_driver(driven);
	struct meter *meter = arg;
	struct metered *metered = find(meter, driven);

	if (!metered)
		metered = metered_new(meter, driven);
	metrics_rollout_take(metered->rollout, entry, driver_state(driver),
		driver_candidate(driver), driver_stable(driver));
}

static void meter_end(
	const struct driven *driven, const struct err *err, void *arg)
{
	struct meter *meter = arg;
	struct metered *metered = find(meter, driven);

	if (err && err->code == ERR_LEASE)
		metrics_lease_failed(meter->page);
	if (metered)
		metered_free(metered);
}

/* ---- the journal and the loop ---- */

static void meter_commit(int64_t us, bool failed, void *arg)
{
	struct meter *meter = arg;

	if (failed)
		metrics_journal_failed(meter->page);
	else
		metrics_store_commit(meter->page, us);
}

static void meter_look(void *arg)
{
	struct meter *meter = arg;
	int64_t now_us = loop_now_us(meter->loop);

	if (meter->due_us && now_us > meter->due_us)
		metrics_loop_lag(meter->page, now_us - meter->due_us);
	meter->due_us = now_us + LOOK_MS * INT64_C(1000);
	meter->look = timer_start(meter->loop, LOOK_MS, meter_look, meter);
}

/* ---- all of it ---- */

struct meter *meter_new(
	struct loop *loop, struct fleet *fleet, struct driven_set *driven)
{
	struct meter *meter = xcalloc(1, sizeof(*meter));
	const struct driven_listener listener = {
		.entry = meter_entry, .end = meter_end, .arg = meter};

	meter->loop = loop;
	meter->page = metrics_page_new();
	driven_listen(driven, &listener);
	fleet_watch_commits(fleet, meter_commit, meter);
	meter_look(meter);
	return meter;
}

void meter_free(struct meter **meter_p)
{
	struct meter *meter = *meter_p;
	struct metered *metered;

	if (!meter)
		return;
	timer_cancel(&meter->look);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((metered = LIST_FIRST(&meter->metered[i])))
			metered_free(metered);
	metrics_page_free(&meter->page);
	free(meter);
	*meter_p = NULL;
}

struct metrics_page *meter_page(const struct meter *meter)
{
	return meter->page;
}

void meter_print(struct meter *meter, bool is_open, struct buf *out)
{
	struct process_usage usage;
	const struct metrics_moment moment = {
		.wall_ms = loop_wall_ms(meter->loop),
		.is_open = is_open,
		.usage = &usage};

	usage_read(&usage);
	metrics_page_print(meter->page, &moment, out);
}
