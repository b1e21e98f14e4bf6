/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a button of ours carries, and comes back with whoever presses it: which
 * decision, about what they have seen. It is no secret and no proof; what it
 * may do is judged when it comes. Pure.
 */
#ifndef TIDEGATE_SERVE_SLACK_VALUE_H
#define TIDEGATE_SERVE_SLACK_VALUE_H

#include "base/buf.h"
#include "engine/event.h"

#define SLACK_ROLLOUT_MAX   160
#define SLACK_CANDIDATE_MAX 256
#define SLACK_NONCE_MAX     33 /* hex digits and the NUL */
#define SLACK_URL_MAX       1025
#define SLACK_VALUE_BYTES   2000 /* Slack takes no more in a button */

struct slack_value {
	enum verb verb;
	char rollout[SLACK_ROLLOUT_MAX];
	int step; /* as it was shown, from 1; 0: none */
	char candidate[SLACK_CANDIDATE_MAX]; /* "" while it is not known */
	char nonce[SLACK_NONCE_MAX]; /* a person uses it once with a verb */
	char answer_url[SLACK_URL_MAX]; /* of a modal; "" of a button */
};

/* Appends JSON of at most SLACK_VALUE_BYTES. */
void slack_value_print(const struct slack_value *value, struct buf *out);
/* ERR_INVALID: it is not one of ours. `text` may be NULL. */
MUST_CHECK int slack_value_parse(
	const char *text, struct slack_value *value_r, struct err *err_r);

#endif
