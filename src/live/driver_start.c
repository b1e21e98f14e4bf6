/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How driving begins: the lease, then a new rollout's first event, or the
 * journal of one that was left. One process at a time drives the rollouts of a
 * service.
 *
 *   driver_start ─ lease_try ─ again … ─┬─ new_begin ─ EVENT_STARTED
 *                                       └─ driver_resume
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "io/digest.h"
#include "io/loop.h"
#include "io/random.h"
#include "live/driver_parts.h"
#include "live/keepalive.h"
#include "live/options_codec.h"
#include "live/predecessor.h"

#define LEASE_WAIT_MS  30000
#define LEASE_RETRY_MS 500
#define BUSY_RETRY_MS  50 /* while the store is locked */

static void lease_try(void *arg);
static void lease_told(struct driver *driver, int taken,
	const struct store_lease *lease, const struct err *err);

/* ---- a new rollout's name ---- */

static void make_id(const struct driver *driver, char id[STORE_ROLLOUT_ID_MAX])
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	char time[TIMESTAMP_TEXT_MAX];
	unsigned char random[4];

	random_bytes(random, sizeof(random));
	snprintf(id, STORE_ROLLOUT_ID_MAX, "%.64s-%s-%c%c%c%c",
		driver->release->service.name,
		timestamp_print_id(driver_now(driver), time),
		letters[random[0] % 32], letters[random[1] % 32],
		letters[random[2] % 32], letters[random[3] % 32]);
}

void driver_start(struct driver *driver)
{
	if (!*driver->release->id)
		make_id(driver, driver->release->id);
	driver->lease_deadline_ms =
		loop_now(driver->world->loop) + LEASE_WAIT_MS;
	driver->lease = lease_told;
	driver->writer =
		journal_open(driver->journal, driver->release->service.full,
			driver->release->id, &driver_journal_owner, driver);
	driver->lease_retry =
		timer_start(driver->world->loop, 0, lease_try, driver);
}

/* ---- the lease ---- */

static void new_begin(struct driver *driver);

/* A rollback returns to what was captured when the release started. */
static void inherit(struct driver *driver)
{
	struct err err;

	if (predecessor_each_captured(driver->world->store,
		    driver->release->wish.rollback_of, keepalive_capture_named,
		    driver->keepalive, &err) < 0)
		log_line(LOG_WARN, "rollout=%s event=undo error=\"%s\"",
			driver->release->id, err.text);
}

static void lease_taken(struct driver *driver)
{
	xfree(&driver->rival);
	inherit(driver);
	if (driver->resuming)
		driver_resume(driver);
	else
		new_begin(driver);
}

static bool lease_may_wait(const struct driver *driver)
{
	return loop_now(driver->world->loop) < driver->lease_deadline_ms;
}

static void lease_retry(struct driver *driver, int64_t pause_ms)
{
	driver->lease_retry =
		timer_start(driver->world->loop, pause_ms, lease_try, driver);
}

/* Who holds it is kept, since the file may be locked when the wait is over. */
static void lease_missed(struct driver *driver, const struct store_lease *lease)
{
	char time[TIMESTAMP_TEXT_MAX];
	struct err err;

	err_set(&err, ERR_LEASE,
		"%s is being driven by %s%s%s (it renewed its lease at %s by "
		"its clock): wait for it, or abort it",
		driver->release->service.name, lease->holder,
		*lease->rollout ? ", rollout " : "", lease->rollout,
		timestamp_print(lease->renewed_ms, time));
	if (lease_may_wait(driver)) {
		free(driver->rival);
		driver->rival = xstrdup(err.text);
		lease_retry(driver, LEASE_RETRY_MS);
		return;
	}
	driver_finish(driver, err_exit_status(err.code), &err);
}

static void lease_failed(struct driver *driver, const struct err *err)
{
	struct err held;

	if (err_is_retryable(err->code) && lease_may_wait(driver)) {
		lease_retry(driver, BUSY_RETRY_MS);
		return;
	}
	if (err->code == ERR_BUSY && driver->rival) {
		err_set(&held, ERR_LEASE, "%s", driver->rival);
		err = &held;
	}
	driver_finish(driver, err_exit_status(err->code), err);
}

/* Whether a lease that came after the end is to be given back. */
static bool lease_is_unwanted(struct driver *driver, int taken)
{
	if (driver->over && taken > 0)
		journal_drop_lease(driver->writer);
	return driver->over;
}

/* What was decided before may be done, or wrong, once another has driven. */
static bool is_overtaken(struct driver *driver)
{
	struct err err;

	if (driver->resuming || predecessor_is_newest(driver->world->store,
					driver->release, &err) == 0)
		return false;
	driver_finish(driver, err_exit_status(err.code), &err);
	return true;
}

static void lease_told(struct driver *driver, int taken,
	const struct store_lease *lease, const struct err *err)
{
	if (lease_is_unwanted(driver, taken))
		return;
	if (taken > 0)
		driver->fence = lease->fence;
	if (taken >= 0 && is_overtaken(driver))
		return;
	if (taken > 0) {
		lease_taken(driver);
	} else if (taken == 0) {
		lease_missed(driver, lease);
	} else {
		lease_failed(driver, err);
	}
}

static void lease_try(void *arg)
{
	struct driver *driver = arg;

	driver->lease_retry = NULL;
	journal_take_lease(driver->writer);
}

/* ---- the first event ---- */

static void create_row(struct driver *driver)
{
	const struct policy *policy = driver->release->policy;
	char digest[DIGEST_TEXT_MAX];
	char *options = options_encode(&driver->release->wish);
	struct store_rollout row = {
		.id = driver->release->id,
		.service = driver->release->service.full,
		.candidate = "",
		.stable = "",
		.policy_name = policy->name,
		.policy_path = policy->path,
		.policy_source = policy->source,
		.policy_digest =
			digest_text(policy->source, policy->source_len, digest),
		.options = options,
		.starter = driver->release->starter,
		.started_ms = driver_now(driver),
		.phase = phase_name(PHASE_PREFLIGHT),
		.reason = "",
		.once = driver->release->wish.once,
	};

	journal_create(driver->writer, &row);
	free(options);
}

static void new_begin(struct driver *driver)
{
	const struct release_wish *wish = &driver->release->wish;
	struct event event = {
		.type = EVENT_STARTED,
		.who = driver->release->starter,
		.adopt = wish->adopt,
		.undo = release_goes_back(driver->release),
		.text = wish->rollback_reason ? wish->rollback_reason
					      : wish->why,
	};

	create_row(driver);
	random_bytes(&event.seed, sizeof(event.seed));
	driver_event(driver, &event, NULL);
	driver_carry_out_preflight(driver);
}
