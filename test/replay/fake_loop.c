/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual time; see fake_loop.h. */
#include "fake_loop.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/rng.h"
#include "base/xalloc.h"

struct timer {
	TAILQ_ENTRY(timer) link;
	int64_t at_ms;
	uint64_t turn; /* in which it was started: it runs in a later one */
	loop_fn fn;
	void *arg;
};

TAILQ_HEAD(timers, timer); /* by time, then by age */

struct gap_listener {
	TAILQ_ENTRY(gap_listener) link;
	loop_gap_fn fn;
	void *arg;
};

#define BOOT_MS INT64_C(300000) /* between the machine's start and the test's */

struct deferred {
	STAILQ_ENTRY(deferred) link;
	loop_fn fn;
	void *arg;
};

static struct {
	int64_t now_ms, late_ms_max, stood_until_ms;
	int64_t turned_ms; /* of the last turn … */
	int turns_now; /* … and how many there were at that time */
	int64_t wall_ahead_ms; /* by which the wall clock was set */
	struct loop_gap gap; /* to be told at the start of the next turn */
	TAILQ_HEAD(, gap_listener) listeners;
	uint64_t turn;
	struct rng rng; /* how late timers are */
	struct rng draws; /* of the process */
	struct timers timers, world;
	STAILQ_HEAD(, deferred) deferred;
	bool dead;
	long instants, die_at;
} loop = {
	.timers = TAILQ_HEAD_INITIALIZER(loop.timers),
	.world = TAILQ_HEAD_INITIALIZER(loop.world),
	.listeners = TAILQ_HEAD_INITIALIZER(loop.listeners),
	.deferred = STAILQ_HEAD_INITIALIZER(loop.deferred),
};

static void timers_drop(struct timers *timers)
{
	struct timer *timer;

	while ((timer = TAILQ_FIRST(timers))) {
		TAILQ_REMOVE(timers, timer, link);
		free(timer);
	}
}

static void deferred_drop(void)
{
	struct deferred *one;

	while ((one = STAILQ_FIRST(&loop.deferred))) {
		STAILQ_REMOVE_HEAD(&loop.deferred, link);
		free(one);
	}
}

static void listeners_drop(void)
{
	struct gap_listener *listener;

	while ((listener = TAILQ_FIRST(&loop.listeners)))
		loop_gap_cancel(&listener);
}

void fake_loop_reset(uint64_t seed)
{
	timers_drop(&loop.timers);
	timers_drop(&loop.world);
	deferred_drop();
	listeners_drop();
	loop.now_ms = 0;
	loop.wall_ahead_ms = 0;
	loop.gap = (struct loop_gap){0};
	loop.late_ms_max = loop.stood_until_ms = 0;
	loop.turn = 1;
	rng_init(&loop.rng, seed);
	rng_init(&loop.draws, seed);
	loop.dead = false;
	loop.instants = loop.die_at = 0;
}

int64_t fake_now(void)
{
	return loop.now_ms;
}

void fake_loop_late(int64_t ms_max)
{
	loop.late_ms_max = ms_max;
}

int64_t fake_loop_late_max(void)
{
	return loop.late_ms_max;
}

/* ---- what can be pending ---- */

static struct timer *add(
	struct timers *timers, int64_t delay_ms, loop_fn fn, void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer)), *before;

	timer->at_ms = loop.now_ms + (delay_ms > 0 ? delay_ms : 0);
	timer->turn = loop.turn;
	timer->fn = fn;
	timer->arg = arg;
	TAILQ_FOREACH_REVERSE(before, timers, timers, link)
	if (before->at_ms <= timer->at_ms)
		break;
	if (before)
		TAILQ_INSERT_AFTER(timers, before, timer, link);
	else
		TAILQ_INSERT_HEAD(timers, timer, link);
	return timer;
}

void fake_world_after(int64_t delay_ms, loop_fn fn, void *arg)
{
	add(&loop.world, delay_ms, fn, arg);
}

struct timer *timer_start(
	struct loop *unused, int64_t delay_ms, loop_fn fn, void *arg)
{
	if (loop.late_ms_max && delay_ms > 0)
		delay_ms += (int64_t)rng_below(
			&loop.rng, (uint64_t)loop.late_ms_max + 1);
	return add(&loop.timers, delay_ms, fn, arg);
}

void timer_cancel(struct timer **timer)
{
	struct timer *one;

	/* The one whose callback runs is in no list any more. */
	TAILQ_FOREACH(one, &loop.timers, link)
		if (one == *timer) {
			TAILQ_REMOVE(&loop.timers, one, link);
			free(one);
			break;
		}
	*timer = NULL;
}

void loop_defer(struct loop *unused, loop_fn fn, void *arg)
{
	struct deferred *one = xcalloc(1, sizeof(*one));

	one->fn = fn;
	one->arg = arg;
	STAILQ_INSERT_TAIL(&loop.deferred, one, link);
}

void loop_defer_cancel(struct loop *unused, loop_fn fn, void *arg)
{
	struct deferred *one, *next;

	for (one = STAILQ_FIRST(&loop.deferred); one; one = next) {
		next = STAILQ_NEXT(one, link);
		if (one->fn != fn || one->arg != arg)
			continue;
		STAILQ_REMOVE(&loop.deferred, one, deferred, link);
		free(one);
	}
}

int fake_loop_pending(void)
{
	struct timer *timer;
	int n = !STAILQ_EMPTY(&loop.deferred);

	TAILQ_FOREACH(timer, &loop.timers, link)
		n++;
	return n;
}

/* ---- time ---- */

int64_t loop_now(const struct loop *unused)
{
	return BOOT_MS + loop.now_ms;
}

int64_t loop_wall_ms(const struct loop *unused)
{
	return FAKE_EPOCH_MS + loop.now_ms + loop.wall_ahead_ms;
}

struct rng *loop_rng(struct loop *unused)
{
	return &loop.draws;
}

int64_t loop_now_us(const struct loop *unused)
{
	return loop_now(unused) * 1000;
}

static void world_run(int64_t until_ms)
{
	struct timer *timer;

	while ((timer = TAILQ_FIRST(&loop.world)) && timer->at_ms <= until_ms) {
		TAILQ_REMOVE(&loop.world, timer, link);
		if (timer->at_ms > loop.now_ms)
			loop.now_ms = timer->at_ms;
		timer->fn(timer->arg);
		free(timer);
	}
}

static void gap_notice(void)
{
	const struct timer *first = TAILQ_FIRST(&loop.timers);

	if (first && loop.now_ms - first->at_ms >= LOOP_LATE_MS)
		loop.gap.stood_ms = loop.now_ms - first->at_ms;
}

void fake_loop_stand_still(int64_t ms)
{
	int64_t until_ms = loop.now_ms + ms;

	world_run(until_ms);
	loop.now_ms = loop.stood_until_ms = until_ms;
	gap_notice();
}

int64_t fake_loop_stood_until(void)
{
	return loop.stood_until_ms;
}

int fake_loop_turns_now(void)
{
	return loop.turned_ms == loop.now_ms ? loop.turns_now : 0;
}

void fake_loop_set_clock(int64_t by_ms)
{
	loop.wall_ahead_ms += by_ms;
	loop.gap.stepped_ms += by_ms;
}

struct gap_listener *loop_on_gap(struct loop *unused, loop_gap_fn fn, void *arg)
{
	struct gap_listener *listener = xcalloc(1, sizeof(*listener));

	listener->fn = fn;
	listener->arg = arg;
	TAILQ_INSERT_TAIL(&loop.listeners, listener, link);
	return listener;
}

void loop_gap_cancel(struct gap_listener **listener)
{
	if (!*listener)
		return;
	TAILQ_REMOVE(&loop.listeners, *listener, link);
	free(*listener);
	*listener = NULL;
}

static void gap_tell(void)
{
	struct loop_gap gap = loop.gap;
	struct gap_listener *listener, *next;

	if (!gap.stood_ms && !gap.stepped_ms)
		return;
	loop.gap = (struct loop_gap){0};
	for (listener = TAILQ_FIRST(&loop.listeners); listener && !loop.dead;
		listener = next) {
		next = TAILQ_NEXT(listener, link);
		listener->fn(&gap, listener->arg);
	}
}

static void deferred_run(void)
{
	struct deferred *one;

	while (!loop.dead && (one = STAILQ_FIRST(&loop.deferred))) {
		STAILQ_REMOVE_HEAD(&loop.deferred, link);
		one->fn(one->arg);
		free(one);
	}
}

bool fake_loop_turn(int64_t until_ms)
{
	struct timer *timer = TAILQ_FIRST(&loop.timers);
	struct timer *other = TAILQ_FIRST(&loop.world);
	int64_t at_ms = timer ? timer->at_ms : INT64_MAX;

	if (other && other->at_ms < at_ms)
		at_ms = other->at_ms;
	if (at_ms > until_ms) {
		if (until_ms > loop.now_ms)
			loop.now_ms = until_ms;
		return false;
	}
	world_run(at_ms);
	if (at_ms > loop.now_ms)
		loop.now_ms = at_ms;
	loop.turn++;
	loop.turns_now = loop.turned_ms == loop.now_ms ? loop.turns_now + 1 : 1;
	loop.turned_ms = loop.now_ms;
	gap_tell();
	while (!loop.dead && (timer = TAILQ_FIRST(&loop.timers)) &&
		timer->at_ms <= loop.now_ms && timer->turn < loop.turn) {
		TAILQ_REMOVE(&loop.timers, timer, link);
		timer->fn(timer->arg);
		free(timer);
	}
	deferred_run();
	return true;
}

/* ---- death ---- */

void fake_die(void)
{
	loop.dead = true;
}

bool fake_is_dead(void)
{
	return loop.dead;
}

void fake_live_again(void)
{
	timers_drop(&loop.timers);
	deferred_drop();
	listeners_drop();
	loop.dead = false;
}

void fake_instant(void)
{
	if (!loop.dead && ++loop.instants == loop.die_at)
		fake_die();
}

long fake_instants(void)
{
	return loop.instants;
}

void fake_die_at(long instant)
{
	loop.die_at = instant;
}

/* ---- what is not there ---- */

struct watch *watch_start(
	struct loop *unused, int fd, int what, watch_fn fn, void *arg)
{
	assert(!"nothing here has a descriptor");
	return NULL;
}

void watch_cancel(struct watch **watch)
{
	*watch = NULL;
}

/* Seeds and ids are drawn anew in each process: here they are drawn from the
 * scenario's own seed. */
ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
	unsigned char *byte = bytes;

	for (size_t i = 0; i < len; i++)
		byte[i] = (unsigned char)rng_next(&loop.rng);
	return (ssize_t)len;
}

struct event_base *loop_base(struct loop *unused)
{
	assert(!"nothing here is an event of libevent");
	return NULL;
}
