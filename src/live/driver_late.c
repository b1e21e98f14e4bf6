/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While the store is locked or full: entries wait in memory, the candidate is
 * watched on and reverted if it must be. When that lasts for as long as nobody
 * can say any more whose lease it is, users are taken back to stable. Then the
 * process stays until the journal is written, since only then the sequence may
 * run; a signal or a long time ends that. Time in which the machine stood still
 * is none in which the journal was tried.
 */
#include "base/log.h"
#include "io/loop.h"
#include "live/driver_parts.h"

/* The last renewal may have been a heartbeat before. */
#define TAKE_BACK_MS (STORE_LEASE_MS - STORE_HEARTBEAT_MS - JOURNAL_PATIENCE_MS)
#define GIVE_UP_MS   INT64_C(600000)
#define START_MS     20000 /* as long, in all, as a start waits for a lock */

bool driver_waits_for_journal(const struct driver *driver)
{
	return driver->late &&
	       (!driver->state->moved || phase_is_end(driver->state->phase) ||
		       driver->state->phase == PHASE_ROLLING_BACK);
}

static void late_wait(struct driver *driver, int64_t ms, loop_fn over)
{
	timer_cancel(&driver->late_timer);
	driver->late_until_ms = loop_now(driver->world->loop) + ms;
	driver->late_over = over;
	driver->late_timer = timer_start(driver->world->loop, ms, over, driver);
}

static void late_for_good(void *arg)
{
	struct driver *driver = arg;

	driver->late_timer = NULL;
	driver->too_late(driver, true);
}

static void late_too_long(void *arg)
{
	struct driver *driver = arg;

	driver->late_timer = NULL;
	/* A rollout that has no entry yet has nothing to stay for. */
	late_wait(driver, driver->begun ? GIVE_UP_MS : START_MS, late_for_good);
	driver->too_late(driver, false);
}

/* The journal retries more often than that. It is waited for once, however often
 * the machine stops. */
void driver_late_stood(struct driver *driver)
{
	int64_t now_ms = loop_now(driver->world->loop);

	if (!driver->late_timer ||
		driver->late_until_ms - now_ms >= JOURNAL_SLOW_MS)
		return;
	late_wait(driver, JOURNAL_SLOW_MS, driver->late_over);
	driver->late_until_ms = INT64_MAX;
}

void driver_late(struct driver *driver, const struct err *err)
{
	if (driver->over || driver->unjournaled)
		return;
	if (!driver->late) {
		log_line(LOG_ERROR,
			"rollout=%s event=journal-late error=\"%s\"",
			driver->release->id, err->text);
		late_wait(driver, TAKE_BACK_MS, late_too_long);
	}
	driver->late = true;
	driver_carry_out_early(driver);
}

void driver_not_late(struct driver *driver)
{
	driver->late = false;
	timer_cancel(&driver->late_timer);
}
