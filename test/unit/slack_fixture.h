/* SPDX-License-Identifier: Apache-2.0 */
/* A daemon that posts to a Slack, and people there who press its buttons. */
#ifndef TEST_SLACK_FIXTURE_H
#define TEST_SLACK_FIXTURE_H

#include "fake_slack.h"
#include "identity/identity_config.h"
#include "serve_fixture.h"

struct slacked {
	struct served served;
	struct fake_slack slack;
	struct secret *token, *secret;
	struct issuer_config issuers[2];
	struct notify_row rows[2];
	struct person people[3];
	int port;
	char *url; /* of its API */
};

/* The owner is U1 and U2 there, bob U3, carol U4; C1 is told of all. The
 * policy "two" wants two of them, and not who started it. */
void slacked_open(struct slacked *s);
void slacked_close(struct slacked *s);
/* The daemon is killed between two commits, and starts again. */
void slacked_stop(struct slacked *s);
void slacked_start(struct slacked *s);

/* By the API, as whoever served_be has said. */
void slacked_decide(struct slacked *s, const char *rollout, const char *verb,
	const char *comment);

/* A rollout of the policy "two", by the owner, which waits for approval and
 * whose message says so. */
char *slacked_rollout(struct slacked *s);
/* The text that the last who pressed was shown, after `n` answers; caller owns
 * it. */
char *slacked_told(struct slacked *s, int n);

/* A body, signed; it is not waited for. */
void slacked_send(struct slacked *s, const char *body);
/* Sends what somebody has pressed, signed; the status is served.status. */
void slacked_press(struct slacked *s, const struct fake_press *press);
/* The same for a button of the first message in C1. */
void slacked_push(struct slacked *s, const char *user, const char *verb);

/* Turns the daemon's loop once, and to the daemon this much later, when the
 * sandbox has had its turn, too: by a clock that runs ahead of a sandbox for which
 * the machine has no time, all its answers would come too late. */
void slacked_later(struct slacked *s, int64_t ms);

#define SLACKED_UNTIL(s, condition) UNTIL_DO(condition, slacked_later(s, 40))
/* For what comes minutes later, while nothing else has an end that is sooner. */
#define SLACKED_MINUTES(s, condition) \
	UNTIL_DO(condition, slacked_later(s, 1000))

#endif
