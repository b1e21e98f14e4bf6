/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean": the known name nearest to what somebody typed. Pure.
 */
#ifndef TIDEGATE_BASE_SUGGEST_H
#define TIDEGATE_BASE_SUGGEST_H

#include <stddef.h>

#define SUGGEST_WORD_MAX 63 /* bytes; nothing is suggested for longer words */

/* Insertions, deletions, replacements and swaps of neighbours between the
 * two, letters compared without case; more than SUGGEST_WORD_MAX when either
 * word is too long. */
unsigned suggest_distance(const char *a, const char *b);

/*
 * Call for each known name; keeps the nearest one that is near enough to be
 * a slip (a third of its letters, or a prefix of at least three).
 *   struct suggest s = {.word = typed};
 *   suggest_try(&s, "known"); …; use s.best, NULL when there is none
 */
struct suggest {
	const char *word; /* borrowed */
	const char *best; /* borrowed from suggest_try */
	unsigned distance; /* of `best` */
};

void suggest_try(struct suggest *suggest, const char *name);

#endif
