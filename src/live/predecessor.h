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

/* What the actions of a rollout captured in preflight, by their names; what
 * the one before it captured, that it undoes, comes after. `rollout` NULL:
 * nothing. */
typedef void (*captured_fn)(const char *name, const char *text, void *arg);
MUST_CHECK int predecessor_each_captured(struct store *store,
	const char *rollout, captured_fn fn, void *arg, struct err *err_r);

/* The rollout that is undone, or an attempt to undo it, ran this action of the
 * sequence well, and it may not be repeated. */
bool predecessor_has_done(struct store *store, const struct release *release,
	const struct effect *effect);

#endif
