/*
 * What a rollout that goes straight back follows on: the rollout that is
 * undone, and attempts to undo it that failed. Only reads their journals.
 */
#include <string.h>

#include "base/log.h"
#include "live/driver.h"
#include "live/kept_codec.h"
#include "live/options_codec.h"

#define ATTEMPTS_MAX 32 /* to undo the same rollout */

struct search {
	const struct policy *policy;
	enum action_list list;
	int index;
	struct arena arena;
	bool found;
};

static int look_at_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct search *search = arg;
	struct event event;

	if (entry->is_note ||
		strcmp(entry->name, event_name(EVENT_ACTION)) != 0)
		return 0;
	/* An action that this policy does not have is not meant. */
	if (event_decode(entry->name, entry->data, search->policy,
		    &search->arena, &event, err_r) == 0 &&
		event.list == search->list && event.index == search->index &&
		event.action_result == ACTION_OK)
		search->found = true;
	return 0;
}

/* The one that `rollout` followed on, in the arena; NULL: none. */
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

static void cannot_read(const struct live *live, const struct err *err)
{
	log_line(LOG_WARN, "rollout=%s event=undo error=\"%s\"",
		live->release->id, err->text);
}

struct inheritance {
	recorded_fn fn;
	void *arg;
};

static int inherit_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	const struct inheritance *inheritance = arg;

	if (!entry->is_note &&
		!strcmp(entry->name, event_name(EVENT_PREFLIGHT)))
		kept_decode(entry->data, inheritance->fn, inheritance->arg);
	return 0;
}

/* The oldest is the release itself: what it recorded is told last. */
int live_each_recorded(struct store *store, const char *rollout, recorded_fn fn,
	void *arg, struct err *err_r)
{
	struct inheritance inheritance = {fn, arg};
	struct arena arena;
	int rc = 0;

	arena_init(&arena);
	for (int i = 0; rollout && i < ATTEMPTS_MAX && rc == 0; i++) {
		rc = store_each_event(
			store, rollout, 0, inherit_entry, &inheritance, err_r);
		rollout = before(store, rollout, &arena);
	}
	arena_fini(&arena);
	return rc;
}

void undo_inherit(struct live *live)
{
	struct err err;

	if (live_each_recorded(live->world->store,
		    live->release->wish.rollback_of, live_keep_named, live,
		    &err) < 0)
		cannot_read(live, &err);
}

bool undo_has_done(const struct live *live, enum action_list list, int index)
{
	struct store *store = live->world->store;
	struct search search = {
		.policy = live->release->policy, .list = list, .index = index};
	const char *rollout = live->release->wish.rollback_of;
	struct err err;

	if (list != LIST_ROLLBACK ||
		live->release->policy->lists[list].item[index].idempotent)
		return false;
	arena_init(&search.arena);
	for (int i = 0; rollout && i < ATTEMPTS_MAX && !search.found; i++) {
		if (store_each_event(store, rollout, 0, look_at_entry, &search,
			    &err) < 0) {
			cannot_read(live, &err);
			break;
		}
		rollout = before(store, rollout, &search.arena);
	}
	arena_fini(&search.arena);
	return search.found;
}
