/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is typed on the panel: bytes become what a person wants. A decision asks
 * for a comment, an abort for a second key. Pure.
 */
#ifndef TIDEGATE_CLI_KEYS_H
#define TIDEGATE_CLI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/event.h"

#define KEYS_COMMENT_MAX 400 /* bytes with the NUL */

enum keys_asking {
	KEYS_NOTHING,
	KEYS_COMMENT, /* to `verb` */
	KEYS_SURE, /* the second key of an abort */
	KEYS_LEAVE, /* the second key of leaving */
};

struct keys {
	enum keys_asking asking;
	enum verb verb;
	char comment[KEYS_COMMENT_MAX];
	size_t len;
	size_t dropped; /* bytes of a character without room that are to come */
	int escape; /* bytes of an arrow's sequence that came so far */
};

enum keys_want {
	WANT_NOTHING,
	WANT_UP,
	WANT_DOWN,
	WANT_DECISION, /* `verb` with `comment` */
	WANT_LEAVE,
};

/* The next byte. `alone`: nothing came together with it; what did was pasted, and
 * begins no decision, nor is it a second key. `verbs`: which may be taken, bits of
 * enum verb; `leave_asks`: leaving wants a second key. */
enum keys_want keys_take(struct keys *keys, char byte, bool alone,
	unsigned verbs, bool leave_asks);

#endif
