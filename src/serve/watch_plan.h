/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be done about a watched service, out of what is seen of it, what
 * is remembered and what its rollouts say. Pure.
 */
#ifndef TIDEGATE_SERVE_WATCH_PLAN_H
#define TIDEGATE_SERVE_WATCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/event.h"
#include "engine/traffic.h"
#include "serve/watch_config.h"

enum watch_state {
#define W(constant, name, meaning) constant,
#include "serve/watch_state.def"
#undef W
	WATCH_STATES
};

const char *watch_state_name(enum watch_state state);
const char *watch_state_meaning(enum watch_state state);

/* Texts are borrowed; NULL: there is none. */
struct watch_case {
	/* The service, as it was listed. */
	const char *ready; /* its latest ready revision */
	const char *serving; /* who has all of the traffic */
	bool by_latest; /* … by LATEST */
	bool reconciling;
	bool multi_region;
	/* Its rollouts. */
	const char *running; /* one that has not ended, its candidate, "" … */
	const char *running_candidate;
	enum phase running_phase;
	const char *past; /* the last one of the revision that is ready */
	enum phase past_phase;
	bool needs_person; /* the last one's rollback failed */
	/* What is remembered. */
	int64_t since_ms;
	const char *waiting, *claimed; /* "": none */
	/* The revision that is ready. */
	bool made_known;
	int64_t made_ms;
	/* The configuration. */
	enum newer newer;
	bool pin;
	bool has_problem; /* with the policy */
	bool is_frozen;
};

enum watch_deed {
	WATCH_NOTHING,
	WATCH_ASK, /* when the revision was made, and by whom */
	WATCH_START,
	WATCH_REVERT, /* the rollout that runs */
	WATCH_PIN, /* the traffic by LATEST to who serves it */
};

struct watch_plan {
	enum watch_deed deed;
	enum watch_state state;
	bool waits; /* the ready revision is to be remembered as waiting */
	bool skips; /* the one that waited before is not released any more */
};

struct watch_plan watch_plan_of(const struct watch_case *c);

/* Who has all of the traffic; NULL: nobody has. */
const char *watch_serving(const struct traffic *statuses);

/* The list to write: what LATEST has goes to `serving` by its name, everything
 * else stays as it is. Memory from `arena`. */
void watch_plan_pin(const struct traffic *now, const char *serving,
	struct arena *arena, struct traffic *plan_r);

#endif
