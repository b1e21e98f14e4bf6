/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of Slack's Web API as our app's bot, each once: what came of it, in four
 * words, and when Slack may be asked again. What to do then is the caller's.
 * https://docs.slack.dev/apis/web-api: answers are 200 with `ok`, but for 429.
 */
#ifndef TIDEGATE_SERVE_SLACK_API_H
#define TIDEGATE_SERVE_SLACK_API_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"

struct api;
struct issuer_config;
struct slack_api;
struct slack_call;

#define SLACK_CALL_MS 10000 /* one call may take this long */

enum slack_result {
	SLACK_DONE,
	SLACK_LATER, /* it was not done; after a pause it may be */
	SLACK_UNKNOWN, /* no answer came: it may have been done */
	SLACK_REFUSED, /* and would be again */
};

struct slack_reply {
	enum slack_result result;
	const char *word; /* of Slack's, "not_in_channel"; else what failed */
	const char *remedy; /* what helps; "": not known */
	int64_t pause_ms; /* of SLACK_LATER: Slack's own, or ours */
	const json_t *answer; /* an object; NULL: none */
};

/* Once, later; valid during the call. The call is gone by then. */
typedef void (*slack_fn)(const struct slack_reply *reply, void *arg);

/* `api` is copied, the app is borrowed: its bot_token is looked at in each
 * call. */
struct slack_api *slack_api_new(
	const struct api *api, const struct issuer_config *app);
void slack_api_free(struct slack_api **slack);

/* "chat.postMessage", with a body of JSON. */
struct slack_call *slack_call_start(struct slack_api *slack, const char *method,
	const struct buf *body, slack_fn fn, void *arg);
/* "conversations.history", with a query: "channel=C0&limit=1". */
struct slack_call *slack_read_start(struct slack_api *slack, const char *method,
	const char *query, slack_fn fn, void *arg);
/* An answer to whoever pressed a button, at the URL that came with it. */
struct slack_call *slack_answer_start(struct slack_api *slack, const char *url,
	const struct buf *body, slack_fn fn, void *arg);
void slack_call_cancel(struct slack_call **call); /* NULL inside: nothing */

/* The same without anybody who waits for the answer: what went wrong is logged.
 * Those that are under way are bounded; more are not sent. */
void slack_answer_send(
	struct slack_api *slack, const char *url, const struct buf *body);

#endif
