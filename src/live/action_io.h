/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EFFECT_ACTION: one run of one action, from the start to the event. What the
 * action is told of the rollout does not change meanwhile.
 */
#ifndef TIDEGATE_LIVE_ACTION_IO_H
#define TIDEGATE_LIVE_ACTION_IO_H

#include "action/action.h"
#include "live/event_fn.h"
#include "live/release.h"

struct action_io;
struct world;

/* What actions may use of the world. */
struct action_env action_io_env(
	const struct world *world, const struct policy *policy);

/* What an action is told of a rollout; texts that may change are copies. */
struct action_facts {
	struct release_values values;
	char *candidate_url, *reason;
};

/* May be called again. */
void action_facts_take(struct action_facts *facts,
	const struct release *release, const struct rollout *state);
void action_facts_fini(struct action_facts *facts);

struct action_io_what {
	const struct release *release;
	const struct rollout *state;
	const struct effect *effect;
	const char *captured; /* in preflight; NULL: nothing. Borrowed */
};

struct action_io *action_io_start(struct world *world,
	const struct action_io_what *what, event_fn fn, void *arg);
/* Does not run it: tells `result` and why (static) in a later turn. */
struct action_io *action_io_refuse(struct world *world,
	const struct effect *effect, enum action_result result, const char *why,
	event_fn fn, void *arg);
/* How its load goes; NULL: it makes none, or has not said. */
const struct load_live *action_io_load(const struct action_io *io);
void action_io_cancel(struct action_io **io); /* NULL inside is accepted */

#endif
