/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes up rollouts that nobody drives any more: those of this daemon's life
 * before, and those of others that died. Whoever lives keeps theirs.
 */
#ifndef TIDEGATE_SERVE_ADOPT_H
#define TIDEGATE_SERVE_ADOPT_H

#include <stdbool.h>

struct adopt;
struct changes;
struct desk;
struct driven_set;
struct loop;
struct shelf;
struct store;

struct adopt_parts {
	struct loop *loop;
	struct store *store; /* the loop's */
	struct desk *desk;
	struct shelf *shelf;
	struct driven_set *driven;
	const char *who; /* in the journal: who went on with it */
	struct changes *changes; /* hears of those that others drive */
};

/* Looks at once, and then again and again. The parts are borrowed. */
struct adopt *adopt_new(const struct adopt_parts *parts);
/* Before the desk is freed, whose last answers are still heard. */
void adopt_stop(struct adopt *adopt);
void adopt_free(struct adopt **adopt);

/* Whether the last look at the state file went well. */
bool adopt_can_look(const struct adopt *adopt);

#endif
