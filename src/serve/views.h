/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts as people see them, for whoever asks: out of the state file, whether
 * this process drives them or not. A journal is read a slice in each turn, and
 * what was read is kept for the next who asks.
 */
#ifndef TIDEGATE_SERVE_VIEWS_H
#define TIDEGATE_SERVE_VIEWS_H

#include "report/report.h"
#include "status/rollout_snapshot.h"

struct loop;
struct view_ask;
struct views;

/* As of now; valid during the call that tells of it. */
struct view {
	struct rollout_snapshot *snapshot;
	const struct store_lease *driver; /* NULL: nobody drives it */
	int64_t now_ms; /* of the wall clock */
	/* What happened over time; NULL: it was not asked for. */
	const struct report *report;
};

/* view NULL: err says why; ERR_NOT_FOUND: there is no such rollout. Once, later,
 * never after the cancel. */
typedef void (*view_fn)(
	const struct view *view, const struct err *err, void *arg);

/* The store is borrowed. */
struct views *views_new(struct loop *loop, struct store *store);
/* Who still waits is told that it ends. */
void views_free(struct views **views);

/* `rollout` is a whole id. */
struct view_ask *views_ask(
	struct views *views, const char *rollout, view_fn fn, void *arg);
/* The same, with its report. */
struct view_ask *views_ask_whole(
	struct views *views, const char *rollout, view_fn fn, void *arg);
void views_cancel(struct view_ask **ask); /* NULL inside is accepted */

#endif
