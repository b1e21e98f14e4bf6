/* SPDX-License-Identifier: Apache-2.0 */
/* What changed last, and who follows it; see changes.h. */
#include "serve/changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/driven.h"
#include "store/store.h"

#define BUCKETS   4096
#define EVENT_MAX 32 /* bytes of a name with its NUL */

struct kept {
	TAILQ_ENTRY(kept) link; /* changed last: last */
	LIST_ENTRY(kept) by_id;
	char *rollout, *service;
	char event[EVENT_MAX], phase[EVENT_MAX];
	struct change change;
};

struct following {
	TAILQ_ENTRY(following) link;
	struct changes *changes;
	struct follower follower;
	bool is_told; /* in this round: which of the two lists has it */
};

TAILQ_HEAD(kept_list, kept);
LIST_HEAD(kept_bucket, kept);
TAILQ_HEAD(following_list, following);

struct changes {
	struct loop *loop;
	struct timer *pause; /* NULL: nobody has to be told of anything */
	char epoch[CHANGES_EPOCH];
	uint64_t last;
	uint64_t forgotten; /* the last number of a rollout that was dropped */
	size_t n;
	struct kept_list all;
	struct kept_bucket by_id[BUCKETS];
	/* Those who were told go to the second while a round lasts. */
	struct following_list followers, told;
};

/* ---- what is kept ---- */

static size_t bucket_of(const char *text)
{
	uint32_t hash = 2166136261U;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash % BUCKETS;
}

static void kept_free(struct changes *changes, struct kept *kept)
{
	TAILQ_REMOVE(&changes->all, kept, link);
	LIST_REMOVE(kept, by_id);
	changes->n--;
	free(kept->rollout);
	free(kept->service);
	free(kept);
}

static void forget_oldest(struct changes *changes)
{
	struct kept *oldest = TAILQ_FIRST(&changes->all);

	changes->forgotten = oldest->change.number;
	kept_free(changes, oldest);
}

static struct kept *kept_new(
	struct changes *changes, const char *rollout, const char *service)
{
	struct kept *kept = xcalloc(1, sizeof(*kept));

	kept->rollout = xstrdup(rollout);
	kept->service = xstrdup(service);
	kept->change.rollout = kept->rollout;
	kept->change.service = kept->service;
	kept->change.event = kept->event;
	kept->change.phase = kept->phase;
	TAILQ_INSERT_TAIL(&changes->all, kept, link);
	LIST_INSERT_HEAD(&changes->by_id[bucket_of(rollout)], kept, by_id);
	if (++changes->n > CHANGES_MAX)
		forget_oldest(changes);
	return kept;
}

static struct kept *kept_of(
	struct changes *changes, const char *rollout, const char *service)
{
	struct kept *kept;

	LIST_FOREACH(kept, &changes->by_id[bucket_of(rollout)], by_id)
		if (strcmp(kept->rollout, rollout) == 0)
			return kept;
	return kept_new(changes, rollout, service);
}

/* ---- telling ---- */

/* A follower may leave when it is told, not others. */
static void changes_tell(void *arg)
{
	struct changes *changes = arg;
	struct following *following;

	changes->pause = NULL;
	while ((following = TAILQ_FIRST(&changes->followers))) {
		TAILQ_REMOVE(&changes->followers, following, link);
		TAILQ_INSERT_TAIL(&changes->told, following, link);
		following->is_told = true;
		following->follower.changed(following->follower.arg);
	}
	TAILQ_FOREACH(following, &changes->told, link)
		following->is_told = false;
	TAILQ_CONCAT(&changes->followers, &changes->told, link);
}

static void kept_changed(
	struct changes *changes, struct kept *kept, bool is_weighty)
{
	kept->change.number = ++changes->last;
	if (is_weighty)
		kept->change.weighty = kept->change.number;
	TAILQ_REMOVE(&changes->all, kept, link);
	TAILQ_INSERT_TAIL(&changes->all, kept, link);
	if (!changes->pause && !TAILQ_EMPTY(&changes->followers))
		changes->pause = timer_start(
			changes->loop, CHANGES_PAUSE_MS, changes_tell, changes);
}

/* ---- what is heard ---- */

/* What comes all the time and changes nothing that a list of rollouts shows. */
static bool is_routine(const struct store_event *entry)
{
	static const char *const names[] = {
		"check", "timer", "traffic", "traffic-error", "stable"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(entry->name, names[i]) == 0)
			return !entry->is_note;
	return false;
}

static bool entry_take(struct kept *kept, const struct store_event *entry)
{
	bool is_weighty = !is_routine(entry) ||
			  strcmp(kept->phase, entry->phase) != 0 ||
			  kept->change.percent != entry->percent;

	snprintf(kept->event, EVENT_MAX, "%s", entry->name);
	snprintf(kept->phase, EVENT_MAX, "%s", entry->phase);
	kept->change.percent = entry->percent;
	kept->change.seq = entry->seq;
	kept->change.time_ms = entry->time_ms;
	return is_weighty;
}

void changes_take(struct changes *changes, const char *rollout,
	const char *service, const struct store_event *entry)
{
	struct kept *kept = kept_of(changes, rollout, service);
	bool is_weighty = !entry || entry_take(kept, entry);

	kept->change.is_driven = entry != NULL;
	kept->change.is_elsewhere = false;
	kept_changed(changes, kept, is_weighty);
}

void changes_see(struct changes *changes, const struct store_rollout *row,
	int64_t now_ms)
{
	struct kept *kept = kept_of(changes, row->id, row->service);
	bool is_weighty = !kept->change.is_elsewhere ||
			  strcmp(kept->phase, row->phase) != 0;

	kept->event[0] = '\0';
	snprintf(kept->phase, EVENT_MAX, "%s", row->phase);
	kept->change.percent = -1;
	kept->change.seq = row->last_seq;
	kept->change.time_ms = now_ms;
	kept->change.is_driven = false;
	kept->change.is_elsewhere = true;
	kept_changed(changes, kept, is_weighty);
}

static void on_entry(
	const struct driven *driven, const struct store_event *entry, void *arg)
{
	changes_take(arg, driver_id(driven_driver(driven)),
		driven_service(driven), entry);
}

static void on_end(
	const struct driven *driven, const struct err *err, void *arg)
{
	(void)err;
	changes_take(arg, driver_id(driven_driver(driven)),
		driven_service(driven), NULL);
}

struct changes *changes_new(struct loop *loop, struct driven_set *driven)
{
	struct changes *changes = xcalloc(1, sizeof(*changes));
	const struct driven_listener listener = {on_entry, on_end, changes};

	changes->loop = loop;
	snprintf(changes->epoch, sizeof(changes->epoch), "%016llx",
		(unsigned long long)rng_next(loop_rng(loop)));
	TAILQ_INIT(&changes->all);
	TAILQ_INIT(&changes->followers);
	TAILQ_INIT(&changes->told);
	driven_listen(driven, &listener);
	return changes;
}

void changes_end(struct changes *changes)
{
	struct following *following;

	while ((following = TAILQ_FIRST(&changes->followers))) {
		struct follower follower = following->follower;

		changes_unfollow(&following);
		follower.end(follower.arg);
	}
}

void changes_free(struct changes **changes_p)
{
	struct changes *changes = *changes_p;
	struct kept *kept;

	if (!changes)
		return;
	changes_end(changes);
	timer_cancel(&changes->pause);
	while ((kept = TAILQ_FIRST(&changes->all)))
		kept_free(changes, kept);
	free(changes);
	*changes_p = NULL;
}

/* ---- asking ---- */

const char *changes_epoch(const struct changes *changes)
{
	return changes->epoch;
}

uint64_t changes_last(const struct changes *changes)
{
	return changes->last;
}

bool changes_cover(const struct changes *changes, uint64_t number)
{
	return number >= changes->forgotten && number <= changes->last;
}

void changes_after(
	const struct changes *changes, uint64_t number, change_fn fn, void *arg)
{
	struct kept *first = NULL, *kept;

	/* The newest are few, however many there are. */
	TAILQ_FOREACH_REVERSE(kept, &changes->all, kept_list, link)
	{
		if (kept->change.number <= number)
			break;
		first = kept;
	}
	for (kept = first; kept; kept = TAILQ_NEXT(kept, link))
		if (!fn(&kept->change, arg))
			return;
}

struct following *changes_follow(
	struct changes *changes, const struct follower *follower)
{
	struct following *following = xcalloc(1, sizeof(*following));

	following->changes = changes;
	following->follower = *follower;
	TAILQ_INSERT_TAIL(&changes->followers, following, link);
	return following;
}

void changes_unfollow(struct following **following_p)
{
	struct following *following = *following_p;

	*following_p = NULL;
	if (!following)
		return;
	if (following->is_told)
		TAILQ_REMOVE(&following->changes->told, following, link);
	else
		TAILQ_REMOVE(&following->changes->followers, following, link);
	free(following);
}
