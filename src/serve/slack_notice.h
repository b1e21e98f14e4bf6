/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message in Slack about one rollout, from the first look to the last
 * change. A turn brings it up to what the rollout is now: it is told once, later,
 * how the turn ended. When the next one comes is slack_notices.c's.
 *
 * A row of the state file is written before a message leaves (store_notice.h).
 * One whose answer was lost, by a fault or by a death, is looked for in the
 * channel by the mark that it carries before it is posted again.
 */
#ifndef TIDEGATE_SERVE_SLACK_NOTICE_H
#define TIDEGATE_SERVE_SLACK_NOTICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "serve/notify_config.h"

struct desk;
struct loop;
struct slack_api;
struct slack_notice;
struct store_notice;
struct views;

/* Whether a rollout that has come to this phase may be told of in the channel,
 * as far as that can be said without looking at it. */
bool slack_notice_may_begin(const struct notify_row *row, const char *phase);

/* What all have in common; borrowed. */
struct slack_notice_parts {
	struct loop *loop;
	struct desk *desk;
	struct views *views;
	struct slack_api *slack;
	const char *public_url;
};

enum slack_turn_end {
	SLACK_TURN_DONE, /* it says what is */
	SLACK_TURN_OVER, /* nothing is to be said of it, now or any more */
	SLACK_TURN_LATER, /* it did not work out; `err` says why */
};

struct slack_turn {
	enum slack_turn_end end;
	bool has_called; /* Slack was asked for something */
	int64_t pause_ms; /* which Slack wants; 0: none */
	const struct err *err;
};

typedef void (*slack_turn_fn)(const struct slack_turn *turn, void *arg);

/* `place` is its channel's name in the state file. The rest is borrowed. */
struct slack_notice *slack_notice_new(const struct slack_notice_parts *parts,
	const struct notify_row *row, const char *place, const char *rollout);
/* Not while a job of it is on the desk, which slack_notice_stop leaves there. */
void slack_notice_free(struct slack_notice **notice);

const char *slack_notice_rollout(const struct slack_notice *notice);
/* There is a message that has to be changed still, whatever the channel lists. */
bool slack_notice_goes_on(const struct slack_notice *notice);
/* It has a row already. */
void slack_notice_know(
	struct slack_notice *notice, const struct store_notice *row);

/* One turn at a time. */
void slack_notice_start(
	struct slack_notice *notice, slack_turn_fn fn, void *arg);
/* The turn ends here, and `fn` is not told. */
void slack_notice_stop(struct slack_notice *notice);

#endif
