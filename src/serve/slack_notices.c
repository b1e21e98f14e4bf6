/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in Slack, and whose turn it is; see slack_notices.h. A channel has
 * one in hand at a time, the others wait in the order in which their rollouts
 * changed; a rollout that changes again while it waits waits no longer for it.
 */
#include "serve/slack_notices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/log.h"
#include "base/name_hash.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/changes.h"
#include "serve/desk.h"
#include "store/store_notice.h"

#define BUCKETS     1024
#define PLACE_MAX   40
#define BACKOFF_MS  2000 /* after the first that failed, then twice … */
#define BACKOFF_MAX 60000
#define LATELY_MS   600000 /* ended so long before the start: still told */
#define LATELY_N    200 /* looked at */

struct channel;

struct waiting {
	TAILQ_ENTRY(waiting) link; /* of the channel's queue */
	LIST_ENTRY(waiting) by_id;
	struct channel *channel;
	struct slack_notice *notice;
	bool is_queued;
	int tries; /* in vain */
};

TAILQ_HEAD(waiting_queue, waiting);
LIST_HEAD(waiting_bucket, waiting);

struct channel {
	struct slack_notices *owner;
	const struct notify_row *row;
	char place[PLACE_MAX];
	struct waiting_queue queue;
	struct waiting *now; /* in hand; NULL: none */
	struct timer *pause; /* until the next turn; NULL: none is due */
	int64_t free_ms; /* by the loop's clock: no turn before then */
	int failures; /* in a row */
};

struct slack_notices {
	struct desk_job job; /* the list at the start */
	struct slack_notice_parts parts;
	struct changes *changes;
	const struct notify_config *config;
	struct following *following;
	uint64_t told;
	struct channel channel[NOTIFY_ROWS_MAX];
	struct waiting_bucket by_id[BUCKETS];
	size_t n;
	bool is_stopped, is_full;
	/* Of the list at the start. */
	struct arena arena;
	struct store_notice *open;
	struct store_rollout *ended;
	size_t n_open, n_ended;
};

static void channel_turn(void *arg);
static void channel_turned(const struct slack_turn *turn, void *arg);

/* ---- which there are ---- */

static struct waiting *waiting_find(
	const struct channel *channel, const char *rollout)
{
	struct waiting *waiting;

	LIST_FOREACH(waiting,
		&channel->owner->by_id[name_bucket(rollout, BUCKETS)], by_id)
		if (waiting->channel == channel &&
			!strcmp(slack_notice_rollout(waiting->notice), rollout))
			return waiting;
	return NULL;
}

static void say_full(struct slack_notices *own)
{
	if (!own->is_full)
		log_line(LOG_WARN,
			"event=slack error=\"%d messages are kept in mind: "
			"other rollouts get none until some have ended\"",
			SLACK_NOTICES_MAX);
	own->is_full = true;
}

/* NULL: there are too many. */
static struct waiting *waiting_new(struct channel *channel, const char *rollout)
{
	struct slack_notices *own = channel->owner;
	struct waiting *waiting;

	if (own->n >= SLACK_NOTICES_MAX) {
		say_full(own);
		return NULL;
	}
	waiting = xcalloc(1, sizeof(*waiting));
	waiting->channel = channel;
	waiting->notice = slack_notice_new(
		&own->parts, channel->row, channel->place, rollout);
	LIST_INSERT_HEAD(
		&own->by_id[name_bucket(rollout, BUCKETS)], waiting, by_id);
	own->n++;
	return waiting;
}

static void waiting_free(struct waiting *waiting)
{
	struct slack_notices *own = waiting->channel->owner;

	LIST_REMOVE(waiting, by_id);
	if (waiting->is_queued)
		TAILQ_REMOVE(&waiting->channel->queue, waiting, link);
	own->n--;
	own->is_full = false;
	slack_notice_free(&waiting->notice);
	free(waiting);
}

/* ---- turns ---- */

static void channel_wake(struct channel *channel)
{
	struct loop *loop = channel->owner->parts.loop;
	int64_t wait_ms = channel->free_ms - loop_now(loop);

	if (channel->now || channel->pause || channel->owner->is_stopped ||
		TAILQ_EMPTY(&channel->queue))
		return;
	channel->pause = timer_start(
		loop, wait_ms > 0 ? wait_ms : 0, channel_turn, channel);
}

static void channel_turn(void *arg)
{
	struct channel *channel = arg;
	struct waiting *waiting = TAILQ_FIRST(&channel->queue);

	channel->pause = NULL;
	TAILQ_REMOVE(&channel->queue, waiting, link);
	waiting->is_queued = false;
	channel->now = waiting;
	slack_notice_start(waiting->notice, channel_turned, channel);
}

static void waiting_queue(struct waiting *waiting)
{
	if (!waiting->is_queued)
		TAILQ_INSERT_TAIL(&waiting->channel->queue, waiting, link);
	waiting->is_queued = true;
	channel_wake(waiting->channel);
}

static void channel_wait(struct channel *channel, int64_t ms)
{
	channel->free_ms = loop_now(channel->owner->parts.loop) + ms;
}

/* Twice as long each time; what Slack wants is kept to. */
static void channel_back_off(struct channel *channel, int64_t pause_ms)
{
	int64_t wait_ms = BACKOFF_MS;

	for (int i = 0; i < channel->failures && wait_ms < BACKOFF_MAX; i++)
		wait_ms *= 2;
	channel->failures++;
	channel_wait(channel, pause_ms ? pause_ms : wait_ms);
}

/* false: it is given up until the rollout changes again. */
static bool is_tried_again(struct waiting *waiting, const struct err *err)
{
	bool again = ++waiting->tries < SLACK_TRIES_MAX;

	log_line(again ? LOG_WARN : LOG_ERROR,
		"rollout=%s event=slack channel=%s try=%d error=\"%s\"%s",
		slack_notice_rollout(waiting->notice),
		waiting->channel->row->channel, waiting->tries, err->text,
		again ? "" : " text=\"given up until the rollout changes\"");
	return again;
}

static void channel_turned(const struct slack_turn *turn, void *arg)
{
	struct channel *channel = arg;
	struct waiting *waiting = channel->now;

	channel->now = NULL;
	if (turn->end == SLACK_TURN_LATER) {
		channel_back_off(channel, turn->pause_ms);
		if (is_tried_again(waiting, turn->err))
			waiting_queue(waiting);
	} else {
		channel->failures = 0;
		waiting->tries = 0;
		channel_wait(channel, turn->has_called ? SLACK_PACE_MS : 0);
	}
	/* What has changed meanwhile has a turn of its own; what changes later is
	 * told where there is a message. */
	if (!waiting->is_queued && turn->end != SLACK_TURN_DONE &&
		!slack_notice_goes_on(waiting->notice))
		waiting_free(waiting);
	channel_wake(channel);
}

/* ---- what changes ---- */

static void channel_touch(struct channel *channel, const char *rollout)
{
	struct waiting *waiting = waiting_find(channel, rollout);

	if (!waiting)
		waiting = waiting_new(channel, rollout);
	if (!waiting)
		return;
	waiting->tries = 0;
	waiting_queue(waiting);
}

void slack_notices_touch(struct slack_notices *own, const char *rollout)
{
	for (size_t i = 0; !own->is_stopped && i < own->config->n; i++)
		channel_touch(&own->channel[i], rollout);
}

static bool notices_hear(const struct change *change, void *arg)
{
	struct slack_notices *own = arg;
	struct channel *channel;

	/* Those that somebody else drives are theirs to tell of. */
	if (change->weighty <= own->told || change->is_elsewhere)
		return true;
	for (size_t i = 0; i < own->config->n; i++) {
		channel = &own->channel[i];
		if (slack_notice_may_begin(channel->row, change->phase) ||
			waiting_find(channel, change->rollout))
			channel_touch(channel, change->rollout);
	}
	return true;
}

static void notices_changed(void *arg)
{
	struct slack_notices *own = arg;

	changes_after(own->changes, own->told, notices_hear, own);
	own->told = changes_last(own->changes);
}

static void notices_unfollowed(void *arg)
{
	struct slack_notices *own = arg;

	own->following = NULL;
}

/* ---- the beginning ---- */

/* What a life before has left, and ends that it may not have told. Rollouts that
 * have not ended are heard of when they are taken up; those that somebody else
 * drives are theirs to tell of. */
static int notices_list(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct slack_notices *own = (struct slack_notices *)job;
	const struct store_filter filter = {
		.state = STORE_ENDED, .limit = LATELY_N};

	if (store_notice_list(
		    store, &own->arena, &own->open, &own->n_open, err_r) < 0)
		return -1;
	return store_rollout_list(
		store, &filter, &own->arena, &own->ended, &own->n_ended, err_r);
}

static void notice_go_on(
	struct slack_notices *own, const struct store_notice *row)
{
	struct channel *channel;
	struct waiting *waiting;

	for (size_t i = 0; i < own->config->n; i++) {
		channel = &own->channel[i];
		if (strcmp(channel->place, row->place) != 0 ||
			waiting_find(channel, row->rollout))
			continue;
		waiting = waiting_new(channel, row->rollout);
		if (!waiting)
			return;
		slack_notice_know(waiting->notice, row);
		waiting_queue(waiting);
	}
}

static void notices_listed(struct desk_job *job, const struct err *err)
{
	struct slack_notices *own = (struct slack_notices *)job;
	int64_t since_ms = loop_wall_ms(own->parts.loop) - LATELY_MS;

	if (err)
		log_line(LOG_WARN, "event=slack error=\"%s\"", err->text);
	for (size_t i = 0; !err && !own->is_stopped && i < own->n_open; i++)
		notice_go_on(own, &own->open[i]);
	for (size_t i = 0; !err && i < own->n_ended; i++)
		if (own->ended[i].ended_ms > since_ms)
			slack_notices_touch(own, own->ended[i].id);
	arena_fini(&own->arena);
}

static void channel_init(struct channel *channel, struct slack_notices *own,
	const struct notify_row *row)
{
	channel->owner = own;
	channel->row = row;
	TAILQ_INIT(&channel->queue);
	snprintf(channel->place, sizeof(channel->place), "slack:%s",
		row->channel);
}

struct slack_notices *slack_notices_new(const struct slack_notice_parts *parts,
	struct changes *changes, const struct notify_config *config)
{
	struct slack_notices *own = xcalloc(1, sizeof(*own));
	const struct follower follower = {
		notices_changed, notices_unfollowed, own};

	own->parts = *parts;
	own->changes = changes;
	own->config = config;
	arena_init(&own->arena);
	for (size_t i = 0; i < config->n; i++)
		channel_init(&own->channel[i], own, &config->rows[i]);
	own->following = changes_follow(changes, &follower);
	own->job.run = notices_list;
	own->job.done = notices_listed;
	desk_give(parts->desk, &own->job);
	return own;
}

/* ---- the end ---- */

void slack_notices_stop(struct slack_notices *own)
{
	own->is_stopped = true;
	changes_unfollow(&own->following);
	for (size_t i = 0; i < own->config->n; i++) {
		timer_cancel(&own->channel[i].pause);
		if (own->channel[i].now)
			slack_notice_stop(own->channel[i].now->notice);
	}
}

void slack_notices_free(struct slack_notices **own_p)
{
	struct slack_notices *own = *own_p;
	struct waiting *waiting;

	if (!own)
		return;
	slack_notices_stop(own);
	for (size_t i = 0; i < BUCKETS; i++)
		while ((waiting = LIST_FIRST(&own->by_id[i])))
			waiting_free(waiting);
	arena_fini(&own->arena);
	free(own);
	*own_p = NULL;
}
