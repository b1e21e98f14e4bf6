/* SPDX-License-Identifier: Apache-2.0 */
/* Rollouts as people see them; see views.h. */
#include "serve/views.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "store/walk.h"

#define KEPT_MAX 64 /* while nobody asks for them */
/* Each look leaves some texts behind: after so many it is read anew. */
#define LOOKS_MAX 256

struct view_ask {
	TAILQ_ENTRY(view_ask) link;
	struct reading *reading;
	view_fn fn;
	void *arg;
};

TAILQ_HEAD(asks, view_ask);

/* One rollout that was asked for. */
struct reading {
	TAILQ_ENTRY(reading) link; /* asked for last: first */
	struct views *views;
	char *id;
	struct rollout_snapshot *snapshot; /* NULL: not opened yet */
	struct report_reader *reader; /* goes by the snapshot's policy */
	bool whole; /* its report was asked for */
	struct walk *walk; /* NULL: none is under way */
	struct timer *start;
	struct asks asks;
	int looks;
};

TAILQ_HEAD(readings_list, reading);

struct views {
	struct loop *loop;
	struct store *store;
	struct readings_list readings;
	size_t n;
};

static void reading_start(void *arg);
static int reading_entry(
	const struct store_event *entry, void *arg, struct err *err_r);
static void reading_end(const struct err *err, void *arg);

struct views *views_new(struct loop *loop, struct store *store)
{
	struct views *views = xcalloc(1, sizeof(*views));

	views->loop = loop;
	views->store = store;
	TAILQ_INIT(&views->readings);
	return views;
}

/* ---- readings ---- */

static struct reading *reading_new(struct views *views, const char *id)
{
	struct reading *reading = xcalloc(1, sizeof(*reading));

	reading->views = views;
	reading->id = xstrdup(id);
	TAILQ_INIT(&reading->asks);
	TAILQ_INSERT_HEAD(&views->readings, reading, link);
	views->n++;
	return reading;
}

static void reading_close(struct reading *reading)
{
	report_reader_free(&reading->reader);
	rollout_snapshot_free(&reading->snapshot);
}

static void reading_free(struct reading *reading)
{
	TAILQ_REMOVE(&reading->views->readings, reading, link);
	reading->views->n--;
	timer_cancel(&reading->start);
	walk_cancel(&reading->walk);
	reading_close(reading);
	free(reading->id);
	free(reading);
}

static bool is_idle(const struct reading *reading)
{
	return !reading->start && !reading->walk && TAILQ_EMPTY(&reading->asks);
}

/* Those that nobody has asked for longest go first. */
static void forget_some(struct views *views)
{
	struct reading *reading, *before;

	for (reading = TAILQ_LAST(&views->readings, readings_list); reading;
		reading = before) {
		before = TAILQ_PREV(reading, readings_list, link);
		if (views->n > KEPT_MAX && is_idle(reading))
			reading_free(reading);
	}
}

/* Each may ask again, or cancel others. */
static void tell_all(
	struct reading *reading, const struct view *view, const struct err *err)
{
	struct view_ask *ask;
	struct asks asks;

	TAILQ_INIT(&asks);
	TAILQ_CONCAT(&asks, &reading->asks, link);
	TAILQ_FOREACH(ask, &asks, link)
		ask->reading = NULL;
	while ((ask = TAILQ_FIRST(&asks))) {
		TAILQ_REMOVE(&asks, ask, link);
		if (ask->fn)
			ask->fn(view, err, ask->arg);
		free(ask);
	}
}

/* ---- one look ---- */

static void reading_fail(struct reading *reading, const struct err *err)
{
	tell_all(reading, NULL, err);
	reading_close(reading);
	if (is_idle(reading))
		reading_free(reading);
}

static int reading_open(struct reading *reading, struct err *err_r)
{
	struct store_rollout row;
	struct arena arena;
	int found;

	if (reading->snapshot && (reading->reader || !reading->whole) &&
		++reading->looks < LOOKS_MAX)
		return 0;
	reading_close(reading);
	reading->looks = 0;
	/* The beginning of one is no name here. */
	arena_init(&arena);
	found = store_rollout_find(
		reading->views->store, reading->id, &arena, &row, err_r);
	arena_fini(&arena);
	if (found <= 0)
		return found < 0 ? -1
				 : err_set(err_r, ERR_NOT_FOUND,
					   "there is no rollout \"%.160s\"",
					   reading->id);
	reading->snapshot = rollout_snapshot_open(
		reading->views->store, reading->id, SNAPSHOT_NEWEST, err_r);
	if (!reading->snapshot)
		return -1;
	if (!reading->whole)
		return 0;
	reading->reader = report_reader_new(reading->views->store, reading->id,
		reading->snapshot->policy, err_r);
	return reading->reader ? 0 : -1;
}

static void reading_start(void *arg)
{
	struct reading *reading = arg;
	struct err err;

	reading->start = NULL;
	if (reading_open(reading, &err) < 0) {
		reading_fail(reading, &err);
		return;
	}
	reading->walk = walk_start(reading->views->loop, reading->views->store,
		reading->id, reading_entry, reading_end, reading);
	walk_after(reading->walk, reading->snapshot->fold.last_seq);
}

static int reading_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct reading *reading = arg;

	if (reading->reader &&
		report_reader_take(reading->reader, entry, err_r) < 0)
		return -1;
	return rollout_snapshot_take(reading->snapshot, entry, err_r);
}

/* What is not in the journal, once it is read to its end. */
static int look_around(struct reading *reading, struct view *view,
	struct store_lease *lease, struct err *err_r)
{
	struct store *store = reading->views->store;
	int held;

	if (rollout_snapshot_reload_row(reading->snapshot, store, err_r) < 0 ||
		rollout_snapshot_waiting(reading->snapshot, store, err_r) < 0)
		return -1;
	held = rollout_snapshot_driver(reading->snapshot, store, lease, err_r);
	*view = (struct view){
		.snapshot = reading->snapshot,
		.driver = held > 0 ? lease : NULL,
		.now_ms = loop_wall_ms(reading->views->loop),
	};
	if (reading->reader)
		view->report = report_reader_look(
			reading->reader, &reading->snapshot->row);
	return held < 0 ? -1 : 0;
}

static void reading_end(const struct err *err, void *arg)
{
	struct reading *reading = arg;
	struct views *views = reading->views;
	struct store_lease lease;
	struct view view;
	struct err why;

	reading->walk = NULL;
	/* It was asked for while the rest was read. */
	if (!err && reading->whole && !reading->reader) {
		reading_start(reading);
		return;
	}
	if (err || look_around(reading, &view, &lease, &why) < 0) {
		reading_fail(reading, err ? err : &why);
		return;
	}
	tell_all(reading, &view, NULL);
	forget_some(views);
}

/* ---- asking ---- */

static struct view_ask *ask_for(struct views *views, const char *rollout,
	bool whole, view_fn fn, void *arg)
{
	struct view_ask *ask = xcalloc(1, sizeof(*ask));
	struct reading *reading;

	TAILQ_FOREACH(reading, &views->readings, link)
		if (!strcmp(reading->id, rollout))
			break;
	if (!reading)
		reading = reading_new(views, rollout);
	reading->whole |= whole;
	TAILQ_REMOVE(&views->readings, reading, link);
	TAILQ_INSERT_HEAD(&views->readings, reading, link);
	*ask = (struct view_ask){.reading = reading, .fn = fn, .arg = arg};
	TAILQ_INSERT_TAIL(&reading->asks, ask, link);
	if (!reading->walk && !reading->start)
		reading->start =
			timer_start(views->loop, 0, reading_start, reading);
	return ask;
}

struct view_ask *views_ask(
	struct views *views, const char *rollout, view_fn fn, void *arg)
{
	return ask_for(views, rollout, false, fn, arg);
}

struct view_ask *views_ask_whole(
	struct views *views, const char *rollout, view_fn fn, void *arg)
{
	return ask_for(views, rollout, true, fn, arg);
}

void views_cancel(struct view_ask **ask_p)
{
	struct view_ask *ask = *ask_p;

	*ask_p = NULL;
	if (!ask)
		return;
	ask->fn = NULL;
	if (!ask->reading)
		return; /* it is just being told */
	TAILQ_REMOVE(&ask->reading->asks, ask, link);
	free(ask);
}

void views_free(struct views **views_p)
{
	struct views *views = *views_p;
	struct reading *reading;
	struct err err;

	if (!views)
		return;
	err_set(&err, ERR_UNAVAILABLE, "the daemon is being stopped");
	while ((reading = TAILQ_FIRST(&views->readings))) {
		tell_all(reading, NULL, &err);
		reading_free(reading);
	}
	free(views);
	*views_p = NULL;
}
