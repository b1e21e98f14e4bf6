/* SPDX-License-Identifier: Apache-2.0 */
/* The rollout that is undone and attempts to undo it; see predecessor.h. */
#include "live/predecessor.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/worker.h"
#include "live/captured_codec.h"
#include "live/options_codec.h"
#include "live/release.h"
#include "live/world.h"
#include "store/event_codec.h"

#define ATTEMPTS_MAX 32 /* to undo the same rollout */

/* An action that ended well, as journaled. */
struct ended {
	const char *name, *data;
	struct ended *next;
};

struct predecessor_search {
	const struct release *release; /* the loop's */
	const char *path, *rollout;
	enum action_list list;
	int index;
	predecessor_fn fn; /* NULL: nobody waits any more */
	void *arg;
	struct arena arena; /* the thread's, until it is done */
	struct ended *ended;
	bool failed;
	struct err err;
};

static void search_run(void *arg);
static void search_done(void *arg);

/* The rollout that `rollout` undoes, in the arena; NULL: none. `anew_r`: it had
 * users to take back. */
static const char *before(struct store *store, const char *rollout,
	struct arena *arena, bool *anew_r)
{
	struct release_wish wish;
	struct store_rollout row;
	struct err err;

	*anew_r = false;
	if (store_rollout_get(store, rollout, arena, &row, &err) <= 0 ||
		options_decode(row.options, arena, &wish, &err) < 0)
		return NULL;
	*anew_r = wish.anew;
	return wish.rollback_of;
}

static int is_newest(struct store *store, const struct release *release,
	struct arena *arena, struct err *err_r)
{
	struct store_filter filter = {
		.service = release->service.full, .limit = 1};
	struct store_rollout *list;
	const char *newest;
	size_t n;

	if (store_rollout_list(store, &filter, arena, &list, &n, err_r) < 0)
		return -1;
	newest = n ? list[0].id : "";
	if (!strcmp(newest, release->wish.newest))
		return 0;
	return err_set(err_r, ERR_CONFLICT,
		"%s has begun meanwhile: look whether it is still to be gone "
		"back",
		n ? newest : "nothing that was known");
}

int predecessor_is_newest(
	struct store *store, const struct release *release, struct err *err_r)
{
	struct arena arena;
	int rc;

	if (!release->wish.newest)
		return 0;
	arena_init(&arena);
	rc = is_newest(store, release, &arena, err_r);
	arena_fini(&arena);
	return rc;
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
	bool anew;
	int rc = 0;

	arena_init(&arena);
	for (int i = 0; rollout && i < ATTEMPTS_MAX && rc >= 0; i++) {
		rc = store_each_event(
			store, rollout, 0, inherit_entry, &inheritance, err_r);
		rollout = before(store, rollout, &arena, &anew);
	}
	arena_fini(&arena);
	return rc < 0 ? -1 : 0;
}

/* ---- whether an action was done ---- */

bool predecessor_may_have_done(
	const struct release *release, const struct effect *effect)
{
	const struct action *action =
		&release->policy->lists[effect->list].item[effect->index];

	return effect->list == LIST_ROLLBACK && !action->idempotent &&
	       release->wish.rollback_of && !release->wish.anew;
}

struct predecessor_search *predecessor_search_start(const struct world *world,
	const struct release *release, const struct effect *effect,
	predecessor_fn fn, void *arg)
{
	struct predecessor_search *search = xcalloc(1, sizeof(*search));

	arena_init(&search->arena);
	search->release = release;
	search->path = arena_strdup(&search->arena, store_path(world->store));
	search->rollout =
		arena_strdup(&search->arena, release->wish.rollback_of);
	search->list = effect->list;
	search->index = effect->index;
	search->fn = fn;
	search->arg = arg;
	worker_start(world->worker, search_run, search_done, search);
	return search;
}

/* The thread has what it uses until it is done. */
void predecessor_search_cancel(struct predecessor_search **search)
{
	if (*search)
		(*search)->fn = NULL;
	*search = NULL;
}

/* On the thread: the policy is the loop's, so what an entry means is not
 * asked yet. */
static int keep_action(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct predecessor_search *search = arg;
	struct ended *ended;

	if (!strstr(entry->data, action_result_name(ACTION_OK)))
		return 0;
	ended = arena_alloc(&search->arena, sizeof(*ended));
	ended->name = arena_strdup(&search->arena, entry->name);
	ended->data = arena_strdup(&search->arena, entry->data);
	ended->next = search->ended;
	search->ended = ended;
	return 0;
}

static void search_run(void *arg)
{
	struct predecessor_search *search = arg;
	const char *rollout = search->rollout;
	struct store *store =
		store_open(search->path, STORE_LOOK, &search->err);
	bool anew = false;

	search->failed = !store;
	for (int i = 0; store && rollout && !anew && i < ATTEMPTS_MAX; i++) {
		if (store_each_named(store, rollout, event_name(EVENT_ACTION),
			    keep_action, search, &search->err) < 0) {
			search->failed = true;
			break;
		}
		rollout = before(store, rollout, &search->arena, &anew);
	}
	store_free(&store);
}

/* The policy of then may have had other actions: they do not count. */
static bool is_found(struct predecessor_search *search)
{
	const struct ended *ended;
	struct event event;
	struct err err;

	for (ended = search->ended; ended; ended = ended->next)
		if (event_decode(ended->name, ended->data,
			    search->release->policy, &search->arena, &event,
			    &err) == 0 &&
			event.list == search->list &&
			event.index == search->index &&
			event.action_result == ACTION_OK)
			return true;
	return false;
}

static void search_done(void *arg)
{
	struct predecessor_search *search = arg;
	bool found;

	if (search->fn) {
		if (search->failed)
			log_line(LOG_WARN, "rollout=%s event=undo error=\"%s\"",
				search->release->id, search->err.text);
		found = is_found(search);
		search->fn(found, search->arg);
	}
	arena_fini(&search->arena);
	free(search);
}
