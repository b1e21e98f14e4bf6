/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting until something is true: a test waits for what must happen, however
 * slow the machine is, and not for a time that ought to be enough. Where time
 * itself must pass, the clock is moved on instead.
 */
#ifndef TEST_UNTIL_H
#define TEST_UNTIL_H

#include <time.h>

#include "io/clock.h"
#include "io/loop.h"

#define UNTIL_LOOKS_MAX 60000 /* of a millisecond at least */

struct until {
	struct loop *loop;
	struct timer *timer;
	int64_t shift_ms;
};

static inline void until_stop(void *arg)
{
	struct until *until = arg;

	until->timer = NULL;
	loop_stop(until->loop);
}

static inline void until_stopped(struct until *until, loop_fn fn)
{
	struct err err;

	until->timer = timer_start(until->loop, 1, fn, until);
	assert_int_equal(loop_run(until->loop, &err), 0);
	timer_cancel(&until->timer); /* something else may have stopped it */
}

static inline void until_turn(struct loop *turned)
{
	struct until until = {.loop = turned};

	until_stopped(&until, until_stop);
}

static inline void until_moment(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

#define UNTIL_DO(condition, moment)                                      \
	do {                                                             \
		int looks = 0;                                           \
                                                                         \
		while (!(condition)) {                                   \
			if (looks++ == UNTIL_LOOKS_MAX)                  \
				fail_msg("waited in vain: " #condition); \
			moment;                                          \
		}                                                        \
	} while (0)

/* Turns the loop meanwhile. */
#define RUN_UNTIL(loop, condition) UNTIL_DO(condition, until_turn(loop))

/* For what another process or thread does. */
#define UNTIL(condition) UNTIL_DO(condition, until_moment())

static inline void until_shift(void *arg)
{
	struct until *until = arg;

	clock_shift(until->shift_ms, until->shift_ms);
	until->timer = timer_start(until->loop, 0, until_stop, until);
}

/* Both clocks are this much later, at once, as after a suspend, and what is due
 * by then runs. The time that the machine needs comes on top, so a test leaves
 * much more room than that to every other moment it speaks of. */
static inline void until_later(struct loop *turned, int64_t ms)
{
	struct until until = {.loop = turned, .shift_ms = ms};

	until_stopped(&until, until_shift);
}

#endif
