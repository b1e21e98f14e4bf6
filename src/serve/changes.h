/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What changed last in each rollout that this daemon drives, or sees others drive,
 * in one order for all of them: whoever follows knows a number, and is told what came after it.
 * Of a rollout only the newest is kept, so that who is slow gets less and not
 * more. Knows no HTTP.
 */
#ifndef TIDEGATE_SERVE_CHANGES_H
#define TIDEGATE_SERVE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>

struct changes;
struct driven_set;
struct following;
struct loop;

#define CHANGES_MAX      20000 /* rollouts; those that changed last */
#define CHANGES_EPOCH    20 /* bytes with the NUL */
#define CHANGES_PAUSE_MS 50 /* followers hear of what came in so long at once */

struct change {
	uint64_t number; /* grows with every change of any rollout */
	/* The number of the last that was more than a check, a timer or a look
	 * at the service. */
	uint64_t weighty;
	const char *rollout, *service;
	const char *event, *phase; /* of its last entry; event "": not known */
	int percent; /* -1: not known */
	int64_t seq, time_ms;
	bool is_driven; /* false: this daemon has let go of it, or never had it */
	bool is_elsewhere; /* others drive it, or have */
};

struct changes *changes_new(struct loop *loop, struct driven_set *driven);
/* Those who follow are told of the end, if they were not yet. */
void changes_free(struct changes **changes);

/* Numbers of two epochs, which are two processes, say nothing of each other. */
const char *changes_epoch(const struct changes *changes);
uint64_t changes_last(const struct changes *changes);
/* Whether all that came after this number is known. */
bool changes_cover(const struct changes *changes, uint64_t number);

/* Each that came after this number, oldest first; false ends it. */
typedef bool (*change_fn)(const struct change *change, void *arg);
void changes_after(const struct changes *changes, uint64_t number, change_fn fn,
	void *arg);

struct follower {
	void (*changed)(void *arg); /* there is something new */
	void (*end)(void *arg); /* nothing comes any more; it has unfollowed */
	void *arg;
};

struct following *changes_follow(
	struct changes *changes, const struct follower *follower);
void changes_unfollow(struct following **following); /* NULL is accepted */

/* Tells all who follow that it ends. */
void changes_end(struct changes *changes);

/* What drives tells this by itself: a durable entry; NULL: it is let go of. */
struct store_event;
void changes_take(struct changes *changes, const char *rollout,
	const char *service, const struct store_event *entry);
/* The same of one that others drive, as it was seen in the state file. */
struct store_rollout;
void changes_see(struct changes *changes, const struct store_rollout *row,
	int64_t now_ms);

#endif
