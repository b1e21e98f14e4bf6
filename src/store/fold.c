/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a journal to the engine; see fold.h. Decides nothing itself. */
#include "store/fold.h"

#include <stdlib.h>
#include <string.h>

#include "engine/rollout.h"
#include "store/event_codec.h"

/* The journal was decided by other rules: it is right. */
static void follow_entry(struct fold *fold, const struct policy *policy,
	const struct store_event *entry, const struct event *event)
{
	enum phase phase = phase_find(entry->phase);

	if (!fold->differs_seq)
		fold->differs_seq = entry->seq;
	if (phase != PHASES)
		rollout_follow(policy, &fold->before, &fold->state, event,
			phase, &fold->outcome);
}

static void fold_event(struct fold *fold, const struct policy *policy,
	const struct store_event *entry, const struct event *event)
{
	fold->before = fold->state;
	rollout_step(
		policy, &fold->state, event, entry->time_ms, &fold->outcome);
	fold->events++;
	if (strcmp(phase_name(fold->state.phase), entry->phase) != 0)
		follow_entry(fold, policy, entry, event);
}

int fold_take(struct fold *fold, const struct policy *policy,
	const struct store_event *entry, struct err *err_r)
{
	struct arena arena; /* of the event's texts */
	struct event event;
	int rc;

	fold->last_seq = entry->seq;
	fold->last_ms = entry->time_ms;
	fold->percent = entry->percent;
	if (entry->is_note) {
		if (strcmp(entry->name, note_name(NOTE_SHIFT)) == 0)
			rollout_follow_write(policy, &fold->state,
				entry->time_ms, &fold->outcome);
		return 0;
	}
	arena_init(&arena);
	rc = event_decode(
		entry->name, entry->data, policy, &arena, &event, err_r);
	if (rc == 0)
		fold_event(fold, policy, entry, &event);
	else
		err_wrap(err_r, "entry %lld", (long long)entry->seq);
	arena_fini(&arena);
	return rc;
}

void fold_init(struct fold *fold)
{
	*fold = (struct fold){0};
	rollout_init(&fold->state);
	fold->outcome.wake_ms = INT64_MAX;
}

void fold_fini(struct fold *fold)
{
	rollout_clear(&fold->state);
}

void fold_free(struct fold **fold)
{
	if (!*fold)
		return;
	fold_fini(*fold);
	free(*fold);
	*fold = NULL;
}

struct folding {
	struct fold *fold;
	const struct policy *policy;
};

static int fold_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	const struct folding *folding = arg;

	return fold_take(folding->fold, folding->policy, entry, err_r);
}

int fold_more(struct store *store, const char *rollout,
	const struct policy *policy, struct fold *fold, struct err *err_r)
{
	struct folding folding = {fold, policy};

	return store_each_event(
		store, rollout, fold->last_seq, fold_entry, &folding, err_r);
}

int fold_rollout(struct store *store, const char *rollout,
	const struct policy *policy, struct fold *fold_r, struct err *err_r)
{
	fold_init(fold_r);
	if (fold_more(store, rollout, policy, fold_r, err_r))
		return err_wrap(err_r, "%s", rollout);
	return 0;
}
