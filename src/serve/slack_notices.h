/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in Slack about the rollouts that this daemon drives: one for each
 * rollout and channel, posted when something of the channel's list happens, and
 * changed whenever the rollout does, until its end. Only the newest state is
 * sent, one message a second into a channel, and nothing waits for it.
 */
#ifndef TIDEGATE_SERVE_SLACK_NOTICES_H
#define TIDEGATE_SERVE_SLACK_NOTICES_H

#include "serve/slack_notice.h"

#define SLACK_NOTICES_MAX 20000 /* that are kept in mind at a time */
#define SLACK_PACE_MS     1000 /* between two turns in one channel */
#define SLACK_TRIES_MAX   30 /* in vain, before a state is given up */

struct changes;
struct slack_notices;

/* All is borrowed. Goes on with what a life before has begun. */
struct slack_notices *slack_notices_new(const struct slack_notice_parts *parts,
	struct changes *changes, const struct notify_config *config);
/* Before the desk is freed, whose last answers are still heard. */
void slack_notices_stop(struct slack_notices *notices);
void slack_notices_free(struct slack_notices **notices);

/* Something has happened to it that its message may not show yet. */
void slack_notices_touch(struct slack_notices *notices, const char *rollout);

#endif
