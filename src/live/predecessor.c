/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout that is undone and attempts to undo it; see predecessor.h. */
#include "live/predecessor.h"

#include <string.h>

#include "base/log.h"
#include "live/captured_codec.h"
#include "live/options_codec.h"
#include "live/release.h"
#include "store/event_codec.h"

#define ATTEMPTS_MAX 32 /* to undo the same rollout */

struct search {
	const struct policy *policy;
	enum action_list list;
	int index;
	struct arena arena;
	bool found;
};

static int look_at_action(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct search *search = arg;
	struct event event;

	/* The policy of then may have had other actions: they do not count. */
	if (event_decode(entry->name, entry->data, search->policy,
		    &search->arena, &event, err_r) == 0 &&
		event.list == search->list && event.index == search->index &&
		event.action_result == ACTION_OK)
		search->found = true;
	return 0;
}

/* The rollout that `rollout` undoes, in the arena; NULL: none. */
static const char *before(
	struct store *store, const char *rollout, struct arena *arena)
{
	struct release_wish wish;
	struct store_rollout row;
	struct err err;

	if (store_rollout_get(store, rollout, arena, &row, &err) <= 0 ||
		options_decode(row.options, arena, &wish, &err) < 0)
		return NULL;
	return wish.rollback_of;
}

struct inheritance {
	captured_fn fn;
	void *arg;
};

static int inherit_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	const struct inheritance *inheritance = arg;

	if (!entry->is_note &&
		!strcmp(entry->name, event_name(EVENT_PREFLIGHT)))
		captured_decode(entry->data, inheritance->fn, inheritance->arg);
	/* Preflight is the journal's beginning; the rest may be long. */
	return strcmp(entry->phase, phase_name(PHASE_PREFLIGHT)) != 0;
}

/* The release itself is the oldest: what it captured is told last and stays. */
int predecessor_each_captured(struct store *store, const char *rollout,
	captured_fn fn, void *arg, struct err *err_r)
{
	struct inheritance inheritance = {fn, arg};
	struct arena arena;
	int rc = 0;

	arena_init(&arena);
	for (int i = 0; rollout && i < ATTEMPTS_MAX && rc >= 0; i++) {
		rc = store_each_event(
			store, rollout, 0, inherit_entry, &inheritance, err_r);
		rollout = before(store, rollout, &arena);
	}
	arena_fini(&arena);
	return rc < 0 ? -1 : 0;
}

bool predecessor_has_done(struct store *store, const struct release *release,
	const struct effect *effect)
{
	const struct action *action =
		&release->policy->lists[effect->list].item[effect->index];
	struct search search = {.policy = release->policy,
		.list = effect->list,
		.index = effect->index};
	const char *rollout = release->wish.rollback_of;
	struct err err;

	if (effect->list != LIST_ROLLBACK || action->idempotent)
		return false;
	arena_init(&search.arena);
	for (int i = 0; rollout && i < ATTEMPTS_MAX && !search.found; i++) {
		if (store_each_named(store, rollout, event_name(EVENT_ACTION),
			    look_at_action, &search, &err) < 0) {
			log_line(LOG_WARN, "rollout=%s event=undo error=\"%s\"",
				release->id, err.text);
			break;
		}
		rollout = before(store, rollout, &search.arena);
	}
	arena_fini(&search.arena);
	return search.found;
}
