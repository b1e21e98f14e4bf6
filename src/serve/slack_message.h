/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is posted to Slack of a rollout: the sentence of its page, the split,
 * what its SLOs show, who decided, and a button for each verb that the engine
 * would take now. What others wrote is text there, calls nobody and is no link.
 * Also the question for a comment. Pure; the limits are those of
 * https://docs.slack.dev/reference/block-kit/blocks
 */
#ifndef TIDEGATE_SERVE_SLACK_MESSAGE_H
#define TIDEGATE_SERVE_SLACK_MESSAGE_H

#include "serve/slack_value.h"
#include "status/summary.h"

/* Of all of it: Slack sends it back with each button, in 64 KiB at most. */
#define SLACK_MESSAGE_MAX (24 * 1024)
#define SLACK_EVENT_TYPE  "tidegate_rollout" /* of the metadata */
#define SLACK_MODAL_ID    "decide"
#define SLACK_INPUT_MAX   1000 /* characters of a comment */

struct slack_message {
	const struct summary *summary;
	const char *channel;
	const char *ts; /* which message is changed; NULL: a new one */
	const char *mark; /* goes with it, so that it is found again */
	const char *public_url;
};

/* The body of chat.postMessage, or of chat.update. */
void slack_message_print(const struct slack_message *message, struct buf *out);

/* Which buttons stand there; a person decides with a nonce once. Grows out of
 * the mark and what people have decided so far. */
void slack_nonce(const struct summary *summary, const char *mark,
	char nonce[SLACK_NONCE_MAX]);

struct slack_question {
	const struct slack_value *value; /* goes with it, with the answer_url */
	const char *trigger;
	bool is_grave; /* nothing is left of the rollout after it */
};

/* The body of views.open. */
void slack_question_print(
	const struct slack_question *question, struct buf *out);

/* The body of an answer that only who pressed sees; `text` is escaped. */
void slack_ephemeral_print(const char *text, struct buf *out);

#endif
