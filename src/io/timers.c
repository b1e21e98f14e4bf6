/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A heap of timers; see timers.h. Owns each timer until it has run or is
 * cancelled (timer_cancel of loop.h).
 */
#include "io/timers.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"

/* Slots have four below them, which lie side by side: of many timers few are
 * looked at when one goes, and none of them where it lies itself. */
#define BELOW 4

struct timer {
	struct timers *timers;
	size_t place; /* in the heap */
	loop_fn fn;
	void *arg;
	bool running; /* `fn` is: a late cancel only forgets */
};

struct timer_slot {
	int64_t at_us;
	uint64_t
		number; /* among equal times the one started first runs first */
	struct timer *timer;
};

static bool is_before(const struct timer_slot *a, const struct timer_slot *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us
				    : a->number < b->number;
}

static void put(struct timers *timers, struct timer_slot slot, size_t place)
{
	timers->heap[place] = slot;
	slot.timer->place = place;
}

static void rise(struct timers *timers, struct timer_slot slot, size_t place)
{
	size_t parent;

	for (; place > 0; place = parent) {
		parent = (place - 1) / BELOW;
		if (!is_before(&slot, &timers->heap[parent]))
			break;
		put(timers, timers->heap[parent], place);
	}
	put(timers, slot, place);
}

/* The first of those below; 0: there is none. */
static size_t first_below(const struct timers *timers, size_t place)
{
	size_t child = BELOW * place + 1, end = child + BELOW, first;

	if (child >= timers->n)
		return 0;
	if (end > timers->n)
		end = timers->n;
	for (first = child++; child < end; child++) {
		if (is_before(&timers->heap[child], &timers->heap[first]))
			first = child;
	}
	return first;
}

static void sink(struct timers *timers, struct timer_slot slot, size_t place)
{
	size_t child;

	while ((child = first_below(timers, place)) &&
		is_before(&timers->heap[child], &slot)) {
		put(timers, timers->heap[child], place);
		place = child;
	}
	put(timers, slot, place);
}

static void take_out(struct timers *timers, size_t place)
{
	struct timer_slot last = timers->heap[--timers->n];

	if (place == timers->n)
		return;
	if (is_before(&last, &timers->heap[place]))
		rise(timers, last, place);
	else
		sink(timers, last, place);
}

struct timer *timers_add(
	struct timers *timers, int64_t at_us, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));
	struct timer_slot slot = {.at_us = at_us, .timer = timer};

	timer->timers = timers;
	timer->fn = fn;
	timer->arg = arg;
	if (timers->n == timers->size) {
		timers->size = timers->size ? timers->size * 2 : 16;
		timers->heap = xrealloc(
			timers->heap, timers->size, sizeof(*timers->heap));
	}
	slot.number = timers->n_started++;
	rise(timers, slot, timers->n++);
	return timer;
}

int64_t timers_first_us(const struct timers *timers)
{
	return timers->n ? timers->heap[0].at_us : INT64_MAX;
}

/* A timer that is started meanwhile is due now at the earliest and has a higher
 * number: it runs after all that were due before. */
void timers_run(struct timers *timers, int64_t now_us,
	bool (*before)(void (*fn)(void *arg), void *arg), void *arg)
{
	uint64_t end = timers->n_started;
	struct timer_slot first;

	while (timers->n && (first = timers->heap[0]).at_us <= now_us &&
		first.number < end && before(first.timer->fn, arg)) {
		take_out(timers, 0);
		first.timer->running = true;
		first.timer->fn(first.timer->arg);
		free(first.timer);
	}
}

void timer_cancel(struct timer **timer)
{
	if (*timer && !(*timer)->running) {
		take_out((*timer)->timers, (*timer)->place);
		free(*timer);
	}
	*timer = NULL;
}

void timers_fini(struct timers *timers)
{
	while (timers->n)
		free(timers->heap[--timers->n].timer);
	free(timers->heap);
	*timers = (struct timers){0};
}
