/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be done about a watched service; see watch_plan.h. */
#include "serve/watch_plan.h"

#include <string.h>

static const struct {
	const char *name, *meaning;
} states[] = {
#define W(constant, name, meaning) [constant] = {name, meaning},
#include "serve/watch_state.def"
#undef W
};

const char *watch_state_name(enum watch_state state)
{
	return states[state].name;
}

const char *watch_state_meaning(enum watch_state state)
{
	return states[state].meaning;
}

static struct watch_plan only(enum watch_state state)
{
	return (struct watch_plan){WATCH_NOTHING, state, false, false};
}

static bool was_taken_back(enum phase phase)
{
	return phase == PHASE_ROLLED_BACK || phase == PHASE_ROLLBACK_FAILED;
}

/* Why the ready revision is none to be released by itself; WATCH_STARTING: it
 * is one, as far as is known. */
static enum watch_state standing_of(const struct watch_case *c)
{
	if (c->serving && !strcmp(c->ready, c->serving))
		return WATCH_IDLE;
	if (c->past)
		return was_taken_back(c->past_phase) ? WATCH_REJECTED
						     : WATCH_RELEASED;
	if (c->made_known && c->made_ms <= c->since_ms)
		return WATCH_OLD;
	return WATCH_STARTING;
}

static bool is_going_back(enum phase phase)
{
	return phase == PHASE_REVERTING || phase == PHASE_ROLLING_BACK;
}

/* What somebody else started is theirs to end, and for what could not begin then
 * nothing is. */
static bool may_replace(const struct watch_case *c)
{
	return !c->has_problem && !c->is_frozen && c->newer == NEWER_REPLACE &&
	       *c->running_candidate &&
	       !strcmp(c->running_candidate, c->claimed);
}

static struct watch_plan plan_beside(const struct watch_case *c)
{
	struct watch_plan plan = only(WATCH_RUNNING);

	if (!*c->running_candidate || !strcmp(c->running_candidate, c->ready) ||
		standing_of(c) != WATCH_STARTING)
		return plan;
	if (!c->made_known) {
		plan.deed = WATCH_ASK;
		return plan;
	}
	plan.waits = true;
	plan.skips = *c->waiting && strcmp(c->waiting, c->ready) != 0;
	plan.state = may_replace(c) ? WATCH_REPLACING : WATCH_WAITING;
	if (may_replace(c) && !is_going_back(c->running_phase))
		plan.deed = WATCH_REVERT;
	return plan;
}

/* Before the next deploy: one that is under way is not cut short. */
static struct watch_plan plan_latest(const struct watch_case *c)
{
	struct watch_plan plan = only(WATCH_LATEST);

	if (c->pin && c->serving && !c->reconciling)
		plan.deed = WATCH_PIN;
	return plan;
}

struct watch_plan watch_plan_of(const struct watch_case *c)
{
	enum watch_state standing;
	struct watch_plan plan;

	if (c->multi_region)
		return only(WATCH_UNSUPPORTED);
	if (!c->ready)
		return only(WATCH_NOT_READY);
	if (c->running)
		return plan_beside(c);
	if (c->by_latest)
		return plan_latest(c);
	if (!c->serving)
		return only(WATCH_SPLIT);
	standing = standing_of(c);
	if (standing != WATCH_STARTING)
		return only(standing);
	if (c->needs_person)
		return only(WATCH_BLOCKED);
	plan = only(WATCH_STARTING);
	plan.skips = *c->waiting && strcmp(c->waiting, c->ready) != 0;
	plan.deed = c->made_known ? WATCH_START : WATCH_ASK;
	if (c->made_known && c->has_problem)
		return only(WATCH_PROBLEM);
	if (c->made_known && c->is_frozen)
		return only(WATCH_FROZEN);
	return plan;
}

const char *watch_serving(const struct traffic *statuses)
{
	const char *serving = NULL;

	for (size_t i = 0; i < statuses->n; i++) {
		const struct target *target = &statuses->item[i];

		if (!target->percent)
			continue;
		if (!target->revision ||
			(serving && strcmp(serving, target->revision) != 0))
			return NULL;
		serving = target->revision;
	}
	return serving;
}

void watch_plan_pin(const struct traffic *now, const char *serving,
	struct arena *arena, struct traffic *plan_r)
{
	plan_r->n = now->n;
	plan_r->item = arena_alloc(arena, (now->n + 1) * sizeof(struct target));
	for (size_t i = 0; i < now->n; i++) {
		plan_r->item[i] = now->item[i];
		if (now->item[i].type != TARGET_LATEST || !now->item[i].percent)
			continue;
		plan_r->item[i].type = TARGET_REVISION;
		plan_r->item[i].revision = serving;
	}
}
