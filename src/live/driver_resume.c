/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rollout that was left is taken up: its journal is read, in several turns
 * when it is long; then it goes on from the state that the entries lead to.
 *
 *   driver_resume ─ resume_entry … ─ resume_read ─ resume_ready ─ EVENT_RESUMED
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "io/random.h"
#include "live/captured_codec.h"
#include "live/driver_parts.h"
#include "live/keepalive.h"
#include "store/fold.h"
#include "store/walk.h"

static int resume_entry(
	const struct store_event *entry, void *arg, struct err *err_r);
static void resume_read(const struct err *err, void *arg);
static int resume_ready(struct driver *driver, struct err *err_r);

void driver_resume(struct driver *driver)
{
	driver->fold = xcalloc(1, sizeof(*driver->fold));
	fold_init(driver->fold);
	driver->walk = walk_start(driver->world->loop, driver->world->store,
		driver->release->id, resume_entry, resume_read, driver);
}

/* Which service it was, for one may have been made anew since. */
static void take_uid(struct driver *driver, const struct store_event *entry)
{
	if (entry->is_note ||
		strcmp(entry->name, event_name(EVENT_PREFLIGHT)) != 0)
		return;
	free(driver->release->uid);
	driver->release->uid = captured_uid(entry->data);
}

static int resume_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct driver *driver = arg;

	take_uid(driver, entry);
	if (fold_take(driver->fold, driver->release->policy, entry, err_r) < 0)
		return err_wrap(err_r, "%s", driver->release->id);
	return keepalive_take(driver->keepalive, entry, err_r);
}

static void resume_read(const struct err *err, void *arg)
{
	struct driver *driver = arg;
	struct err why;

	driver->walk = NULL;
	if (err)
		driver_finish(driver, err_exit_status(err->code), err);
	else if (resume_ready(driver, &why) < 0)
		driver_finish(driver, err_exit_status(why.code), &why);
}

/* A later rollout of the service has moved its traffic: this one is history.
 * Appends by which; nothing when there is none. */
static int find_overtaken(
	struct driver *driver, struct buf *out, struct err *err_r)
{
	struct store_rollout later;
	struct arena arena;
	int found;

	arena_init(&arena);
	found = store_rollout_overtaken(driver->world->store,
		driver->release->id, &arena, &later, err_r);
	if (found > 0)
		buf_addf(out, "a later rollout has taken over: %s (%s)",
			later.id, later.phase);
	arena_fini(&arena);
	return found < 0 ? -1 : 0;
}

/* The journal was decided by another version, or not the way it reads now: the
 * state may be wrong, so that only the way back is sure. */
static void doubt(struct driver *driver, int64_t seq)
{
	struct event event = {
		.type = EVENT_INTERRUPT,
		.text = "a journal that this version reads otherwise",
	};

	log_line(LOG_ERROR,
		"rollout=%s event=journal-differs entry=%lld text=\"the "
		"journal "
		"does not lead to the phase it says: it goes back\"",
		driver->release->id, (long long)seq);
	driver_event(driver, &event, NULL);
}

/* Preflight learns the revisions. When the lease was asked for, another may have
 * been about to. */
static int take_revisions(struct driver *driver, struct err *err_r)
{
	struct release *release = driver->release;
	struct store_rollout row;
	struct arena arena;
	int found;

	arena_init(&arena);
	found = store_rollout_get(
		driver->world->store, release->id, &arena, &row, err_r);
	if (found > 0) {
		release_set_candidate(release, row.candidate);
		release_set_stable(release, row.stable);
	} else if (found == 0) {
		err_set(err_r, ERR_NOT_FOUND, "there is no rollout %s any more",
			release->id);
	}
	arena_fini(&arena);
	return found > 0 ? 0 : -1;
}

static void take_state(struct driver *driver, struct fold *fold)
{
	rollout_move(driver->release->policy, driver->state, &fold->state);
	driver->seq = fold->last_seq;
	/* The clock was another's, or was set back since. */
	if (driver->state->now_ms > driver_now(driver))
		driver->ahead_ms += driver->state->now_ms - driver_now(driver);
}

/* Its row alone is there: of a driver that lost its lease before its first entry
 * was written, as earlier versions left it. Who asked for it was told; it ends
 * without having moved anything. */
static void never_began(struct driver *driver, struct buf *why)
{
	struct event event = {
		.type = EVENT_STARTED,
		.who = driver->release->starter,
		.adopt = driver->release->wish.adopt,
		.undo = release_goes_back(driver->release),
	};

	random_bytes(&event.seed, sizeof(event.seed));
	driver_event(driver, &event, NULL);
	if (!why->len)
		buf_adds(why, "it was left before it began");
}

static int resume_ready(struct driver *driver, struct err *err_r)
{
	struct event event = {.type = EVENT_RESUMED,
		.who = driver->release->starter,
		.wall_ms = loop_wall_ms(driver->world->loop)};
	int64_t differs_seq = driver->fold->differs_seq;
	struct buf overtaken;

	take_state(driver, driver->fold);
	fold_free(&driver->fold);
	if (phase_is_end(driver->state->phase))
		return err_set(err_r, ERR_REFUSED,
			"%s has ended meanwhile (%s)", driver->release->id,
			phase_name(driver->state->phase));
	if (take_revisions(driver, err_r) < 0)
		return -1;
	buf_init(&overtaken, ROLLOUT_TEXT_MAX);
	if (find_overtaken(driver, &overtaken, err_r) < 0) {
		buf_fini(&overtaken);
		return -1;
	}
	keepalive_renew_soon(driver->keepalive);
	if (!driver->state->started_ms)
		never_began(driver, &overtaken);
	event.text = overtaken.data;
	driver_event(driver, &event, NULL);
	buf_fini(&overtaken);
	if (differs_seq)
		doubt(driver, differs_seq);
	if (driver->signal_name)
		driver_interrupt(driver, driver->signal_name);
	driver_commands(driver); /* those given since the last driver died */
	return 0;
}
