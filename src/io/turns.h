/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the turns of a loop cost; the loop's, for loop.c only. Keeps the longest
 * by the boot clock and the one that took most processor time.
 */
#ifndef TIDEGATE_IO_TURNS_H
#define TIDEGATE_IO_TURNS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"

struct turns {
	struct loop_turn longest, busiest;
	bool measured; /* processor time and callbacks, too */
	/* This turn. */
	int64_t cpu_us; /* when it began */
	void (*running)(void); /* the callback; NULL: none yet */
	int64_t running_us; /* since when */
	void (*what)(void); /* the longest callback so far … */
	int64_t what_us; /* … and how long it took */
};

void turns_begin(struct turns *turns);
/* Before each callback of the turn. */
void turns_callback(struct turns *turns, void (*fn)(void));
void turns_end(struct turns *turns, int64_t began_us);

#endif
