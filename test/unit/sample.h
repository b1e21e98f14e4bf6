/* SPDX-License-Identifier: Apache-2.0 */
/* How many of what is many of a kind are played: with $TIDEGATE_SAMPLE=N one of N,
 * since sanitizers cost several times as much; else all. */
#ifndef TIDEGATE_TEST_SAMPLE_H
#define TIDEGATE_TEST_SAMPLE_H

#include <stdlib.h>

static inline int sample_every(void)
{
	const char *asked = getenv("TIDEGATE_SAMPLE");
	int every = asked ? atoi(asked) : 1;

	return every > 0 ? every : 1;
}

#endif
