/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal as people follow it while it grows: a line for what matters to
 * them, in plain words, and none for the rest. Programs read the entries
 * (journal_print.h).
 */
#ifndef TIDEGATE_STATUS_HAPPENING_H
#define TIDEGATE_STATUS_HAPPENING_H

#include <stdbool.h>

#include "base/buf.h"
#include "engine/rollout.h"
#include "store/store.h"

enum happening_tone {
	HAPPENING_PLAIN,
	HAPPENING_GOOD,
	HAPPENING_WAIT, /* look at it */
	HAPPENING_BAD,
};

struct happenings;

/* `policy` is borrowed. */
struct happenings *happenings_new(const struct policy *policy);
void happenings_free(struct happenings **happenings);

/* The next entry; `rollout` is the state after it. True: adds what happened to
 * `text`, in one line without a newline; may hold what others wrote. */
bool happenings_take(struct happenings *happenings,
	const struct rollout *rollout, const struct store_event *entry,
	enum happening_tone *tone_r, struct buf *text);

#endif
