/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers in the order of their times; the loop's, for loop.c only. It knows no
 * clock: times are numbers that only grow.
 */
#ifndef TIDEGATE_IO_TIMERS_H
#define TIDEGATE_IO_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer;
struct timer_slot;

struct timers {
	struct timer_slot *heap; /* the earliest first */
	size_t n, size;
	uint64_t n_started;
};

struct timer *timers_add(
	struct timers *timers, int64_t at_us, void (*fn)(void *arg), void *arg);
/* When the first is due; INT64_MAX: there is none. */
int64_t timers_first_us(const struct timers *timers);
/* Runs those that are due, in order; what they start is for the next time.
 * `before` is told of each, and false from it leaves the rest for later. */
void timers_run(struct timers *timers, int64_t now_us,
	bool (*before)(void (*fn)(void *arg), void *arg), void *arg);
/* Frees all that are left; `timers` itself is the caller's. */
void timers_fini(struct timers *timers);

#endif
