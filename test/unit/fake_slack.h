/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Slack in a server on loopback, as strict as the documented one: token,
 * content type, known arguments, the limits of each block, one message a second
 * into a channel. What it would refuse is refused, in its words. It also signs
 * what somebody has pressed, as Slack does.
 */
#ifndef TEST_FAKE_SLACK_H
#define TEST_FAKE_SLACK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define FAKE_SLACK_TOKEN   "xoxb-1-2-abcdefghijkl"
#define FAKE_SLACK_SECRET  "8f742231b10e8888abcd99yyyzzz85a5"
#define FAKE_SLACK_APP     "A1"
#define FAKE_SLACK_TEAM    "T1"
#define FAKE_SLACK_CHANNEL "C1" /* and C2; the app is in no other */
#define FAKE_SLACK_POSTS   64

struct loop;
struct server;
struct server_request;

struct fake_post {
	char channel[32], ts[32];
	json_t *body; /* as it was sent last */
	int updates;
};

/* What becomes of the next calls that write or read messages. */
enum fake_slack_mood {
	FAKE_SLACK_WELL,
	FAKE_SLACK_LIMITED, /* 429 */
	FAKE_SLACK_DOWN, /* 503, and nothing is done */
	FAKE_SLACK_HANGS, /* nothing is done, nothing is answered */
	FAKE_SLACK_SWALLOWS, /* it is done, and not answered */
	FAKE_SLACK_SCOPE, /* reading is missing_scope */
};

struct fake_slack {
	struct loop *loop;
	struct server *server;
	enum fake_slack_mood mood;
	const char *retry_after; /* of 429; NULL: 1 */
	struct fake_post posts[FAKE_SLACK_POSTS];
	int n_posts;
	int calls;
	int refused, limited; /* for what the caller did wrong, and too fast */
	char why[256]; /* the last refusal */
	json_t *view; /* of the last views.open; NULL: none */
	json_t *answer; /* the last that went to a response_url */
	int answers;
	int64_t last_ms[2]; /* by channel */
	struct server_request *held[64];
	int n_held;
};

/* `fake` is all zero, or was closed; port 0: the kernel chooses. */
void fake_slack_open(struct fake_slack *fake, struct loop *loop, int port);
/* What was posted stays. */
void fake_slack_close(struct fake_slack *fake);
void fake_slack_fini(struct fake_slack *fake);
/* "http://127.0.0.1:1/api"; the caller frees it. */
char *fake_slack_url(const struct fake_slack *fake);

/* Slack's word for what is wrong with such a body; NULL: it would be taken. */
const char *fake_slack_message_problem(const json_t *body);
const char *fake_slack_view_problem(const json_t *body);

/* The message, or NULL. */
const struct fake_post *fake_slack_post(
	const struct fake_slack *fake, const char *channel, int n);
/* Whether the text stands somewhere in it. */
bool fake_post_has(const struct fake_post *post, const char *text);
/* The value of a button of it, borrowed; NULL: there is no such button. */
const char *fake_post_button(const struct fake_post *post, const char *verb);

/* ---- what Slack sends ---- */

struct fake_press {
	const char *type; /* NULL: block_actions */
	const char *team, *app, *user; /* NULL: ours; "U1" */
	const char *trigger; /* NULL: one that is good */
	const char *verb, *value; /* of a button */
	const char *metadata, *comment; /* of a modal */
	const char *answer_url; /* NULL: none */
};

/* The body "payload=…"; the caller frees it. */
char *fake_slack_payload(const struct fake_press *press);
/* "X-Slack-Request-Timestamp: …\nX-Slack-Signature: …"; caller frees it. */
char *fake_slack_sign(const char *body, int64_t now_s);

#endif
