/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Slack sends when somebody presses a button of ours: whether it is
 * Slack's, and what is in it. Pure.
 */
#ifndef TIDEGATE_IDENTITY_SLACK_CODEC_H
#define TIDEGATE_IDENTITY_SLACK_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/secret.h"
#include "identity/refusal.h"

#define SLACK_SKEW_S     300 /* of the timestamp, both ways */
#define SLACK_REPLAY_S   600 /* for so long a signature is remembered */
#define SLACK_VALUE_MAX  2000 /* bytes of a button's value, as Slack has it */
#define SLACK_WORD_MAX   256
#define SLACK_TEXT_MAX   4000 /* of what somebody wrote */
#define SLACK_COMMENT_ID "comment" /* block and action of a modal's input */

/* What is absent is NULL. */
struct slack_action {
	/* "block_actions", "view_submission"; of others, no more than who */
	const char *type;
	const char *app, *team, *user, *user_team;
	const char *action_id, *value, *action_ts; /* the button's */
	const char *channel, *message_ts;
	const char *response_url; /* where answers may go, else NULL */
	const char *trigger_id;
	const char *callback_id, *metadata; /* a modal's */
	const char *comment;
};

/* Over the bytes as they came, before anything is decoded. */
MUST_CHECK int slack_check_signature(const struct secret *secret,
	const char *timestamp, const char *signature, const char *body,
	size_t len, int64_t now_s, struct refusal *refusal_r);

/* The body is a form with one field, payload. `answers` is below which URL a
 * response_url is; NULL: Slack's own host. */
MUST_CHECK int slack_decode(const char *body, size_t len, const char *answers,
	struct arena *arena, struct slack_action *action_r,
	struct refusal *refusal_r);

/* Whether answers may go there. */
bool slack_may_answer(const char *url, const char *answers);

#endif
