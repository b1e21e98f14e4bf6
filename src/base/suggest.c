/* SPDX-License-Identifier: Apache-2.0 */
/* Optimal string alignment distance, one row at a time; see suggest.h. */
#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static unsigned char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a')
				    : (unsigned char)c;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned suggest_distance(const char *a, const char *b)
{
	unsigned rows[3][SUGGEST_WORD_MAX + 1];
	unsigned *older = rows[0], *old = rows[1], *now = rows[2], *spare;
	size_t na = strlen(a), nb = strlen(b), i, j;
	unsigned cost;

	if (na > SUGGEST_WORD_MAX || nb > SUGGEST_WORD_MAX)
		return SUGGEST_WORD_MAX + 1;
	for (j = 0; j <= nb; j++)
		old[j] = (unsigned)j;
	for (i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (j = 1; j <= nb; j++) {
			cost = lower(a[i - 1]) != lower(b[j - 1]);
			now[j] = least(least(old[j], now[j - 1]) + 1,
				old[j - 1] + cost);
			if (i > 1 && j > 1 &&
				lower(a[i - 1]) == lower(b[j - 2]) &&
				lower(a[i - 2]) == lower(b[j - 1]))
				now[j] = least(now[j], older[j - 2] + 1);
		}
		spare = older;
		older = old;
		old = now;
		now = spare;
	}
	return old[nb];
}

static bool near_enough(const char *word, const char *name, unsigned distance)
{
	size_t len = strlen(word);

	if (len >= 3 && strncasecmp(word, name, len) == 0)
		return true;
	return distance <= (strlen(name) + 2) / 3 && distance < strlen(name);
}

void suggest_try(struct suggest *suggest, const char *name)
{
	unsigned distance = suggest_distance(suggest->word, name);

	if (!near_enough(suggest->word, name, distance))
		return;
	if (suggest->best && distance >= suggest->distance)
		return;
	suggest->best = name;
	suggest->distance = distance;
}
