/* Feeds a journal to the engine; see fold.h. Decides nothing itself. */
#include "store/fold.h"

#include <string.h>

#include "engine/rollout.h"
#include "store/event_codec.h"

struct folding {
	const struct policy *policy;
	struct fold *fold;
	struct arena arena; /* of one event's texts */
	struct rollout before; /* the entry */
};

/* The journal was decided by other rules: it is right. */
static void follow_entry(struct folding *f, const struct store_event *entry,
	const struct event *event)
{
	struct fold *fold = f->fold;
	enum phase phase = phase_find(entry->phase);

	if (!fold->differs_seq)
		fold->differs_seq = entry->seq;
	if (phase != PHASES)
		rollout_follow(f->policy, &f->before, &fold->state, event,
			phase, &fold->outcome);
}

static int fold_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct folding *f = arg;
	struct event event;

	f->fold->last_seq = entry->seq;
	f->fold->last_ms = entry->time_ms;
	f->fold->percent = entry->percent;
	if (entry->is_note) {
		if (strcmp(entry->name, note_name(NOTE_SHIFT)) == 0)
			rollout_follow_write(f->policy, &f->fold->state,
				entry->time_ms, &f->fold->outcome);
		return 0;
	}
	if (event_decode(entry->name, entry->data, f->policy, &f->arena, &event,
		    err_r))
		return err_wrap(err_r, "entry %lld", (long long)entry->seq);
	f->before = f->fold->state;
	rollout_step(f->policy, &f->fold->state, &event, entry->time_ms,
		&f->fold->outcome);
	f->fold->events++;
	if (strcmp(phase_name(f->fold->state.phase), entry->phase) != 0)
		follow_entry(f, entry, &event);
	arena_fini(&f->arena);
	return 0;
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

int fold_more(struct store *store, const char *rollout,
	const struct policy *policy, struct fold *fold, struct err *err_r)
{
	struct folding f = {.policy = policy, .fold = fold};
	int rc;

	arena_init(&f.arena);
	rc = store_each_event(
		store, rollout, fold->last_seq, fold_entry, &f, err_r);
	arena_fini(&f.arena);
	return rc;
}

int fold_rollout(struct store *store, const char *rollout,
	const struct policy *policy, struct fold *fold_r, struct err *err_r)
{
	fold_init(fold_r);
	if (fold_more(store, rollout, policy, fold_r, err_r))
		return err_wrap(err_r, "%s", rollout);
	return 0;
}
