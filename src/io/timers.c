/*
 * A binary heap of timers; see timers.h. Owns each timer until it has run or is
 * cancelled (timer_cancel of loop.h).
 */
#include "io/timers.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/loop.h"

struct timer {
	struct timers *timers;
	int64_t at_us;
	uint64_t
		number; /* among equal times the one started first runs first */
	size_t place; /* in the heap */
	loop_fn fn;
	void *arg;
	bool running; /* `fn` is: a late cancel only forgets */
};

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us
				    : a->number < b->number;
}

static void put(struct timers *timers, struct timer *timer, size_t place)
{
	timers->heap[place] = timer;
	timer->place = place;
}

static void rise(struct timers *timers, struct timer *timer, size_t place)
{
	size_t parent;

	for (; place > 0; place = parent) {
		parent = (place - 1) / 2;
		if (!is_before(timer, timers->heap[parent]))
			break;
		put(timers, timers->heap[parent], place);
	}
	put(timers, timer, place);
}

static void sink(struct timers *timers, struct timer *timer, size_t place)
{
	size_t child;

	for (; (child = 2 * place + 1) < timers->n; place = child) {
		if (child + 1 < timers->n &&
			is_before(timers->heap[child + 1], timers->heap[child]))
			child++;
		if (!is_before(timers->heap[child], timer))
			break;
		put(timers, timers->heap[child], place);
	}
	put(timers, timer, place);
}

static void take_out(struct timers *timers, struct timer *timer)
{
	struct timer *last = timers->heap[--timers->n];
	size_t place = timer->place;

	if (last == timer)
		return;
	if (is_before(last, timer))
		rise(timers, last, place);
	else
		sink(timers, last, place);
}

struct timer *timers_add(
	struct timers *timers, int64_t at_us, void (*fn)(void *arg), void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));

	timer->timers = timers;
	timer->at_us = at_us;
	timer->number = timers->n_started++;
	timer->fn = fn;
	timer->arg = arg;
	if (timers->n == timers->size) {
		timers->size = timers->size ? timers->size * 2 : 16;
		timers->heap = xrealloc(
			timers->heap, timers->size, sizeof(struct timer *));
	}
	rise(timers, timer, timers->n++);
	return timer;
}

int64_t timers_first_us(const struct timers *timers)
{
	return timers->n ? timers->heap[0]->at_us : INT64_MAX;
}

/* A timer that is started meanwhile is due now at the earliest and has a higher
 * number: it runs after all that were due before. */
void timers_run(struct timers *timers, int64_t now_us,
	bool (*before)(void (*fn)(void *arg), void *arg), void *arg)
{
	uint64_t end = timers->n_started;
	struct timer *timer;

	while (timers->n && (timer = timers->heap[0])->at_us <= now_us &&
		timer->number < end && before(timer->fn, arg)) {
		take_out(timers, timer);
		timer->running = true;
		timer->fn(timer->arg);
		free(timer);
	}
}

void timer_cancel(struct timer **timer)
{
	if (*timer && !(*timer)->running) {
		take_out((*timer)->timers, *timer);
		free(*timer);
	}
	*timer = NULL;
}

void timers_fini(struct timers *timers)
{
	while (timers->n)
		free(timers->heap[--timers->n]);
	free(timers->heap);
	*timers = (struct timers){0};
}
