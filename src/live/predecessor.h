/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rollout that goes straight back follows on: the rollout that is
 * undone, and attempts to undo it that failed. Only reads their journals.
 */
#ifndef TIDEGATE_LIVE_PREDECESSOR_H
#define TIDEGATE_LIVE_PREDECESSOR_H

#include <stdbool.h>

#include "base/err.h"

struct effect;
struct release;
struct store;
struct world;

/* -1 with ERR_CONFLICT: since going back was decided another rollout of the
 * service has begun, which may have done it, or have put somebody else in
 * charge. A release is not asked. */
MUST_CHECK int predecessor_is_newest(
	struct store *store, const struct release *release, struct err *err_r);

/* What the actions of a rollout captured in preflight, by their names; what
 * the one before it captured, that it undoes, comes after. `rollout` NULL:
 * nothing. */
typedef void (*captured_fn)(const char *name, const char *text, void *arg);
MUST_CHECK int predecessor_each_captured(struct store *store,
	const char *rollout, captured_fn fn, void *arg, struct err *err_r);

/* Whether that is worth a search: the action may not be repeated, and no users came
 * to the candidate since it may have been done. */
bool predecessor_may_have_done(
	const struct release *release, const struct effect *effect);

/* Whether the rollout that is undone, or an attempt to undo it, ran this action of
 * the sequence well. Journals may be long: they are read on a thread that is not
 * the one which commits, by a connection of its own. Told once, in a later turn;
 * the release is borrowed until then. */
struct predecessor_search;
typedef void (*predecessor_fn)(bool has_done, void *arg);
struct predecessor_search *predecessor_search_start(const struct world *world,
	const struct release *release, const struct effect *effect,
	predecessor_fn fn, void *arg);
/* NULL inside is accepted. */
void predecessor_search_cancel(struct predecessor_search **search);

#endif
