/*
 * Turns of a loop until something is true: a test waits for what must happen,
 * however slow the machine is, and not for a time that ought to be enough.
 */
#ifndef TEST_UNTIL_H
#define TEST_UNTIL_H

#include "io/loop.h"

#define UNTIL_TURNS_MAX 30000 /* of a millisecond at least */

struct until {
	struct loop *loop;
	struct timer *timer;
};

static inline void until_stop(void *arg)
{
	struct until *until = arg;

	until->timer = NULL;
	loop_stop(until->loop);
}

static inline void until_turn(struct loop *turned)
{
	struct until until = {.loop = turned};
	struct err err;

	until.timer = timer_start(turned, 1, until_stop, &until);
	assert_int_equal(loop_run(turned, &err), 0);
	timer_cancel(&until.timer); /* something else may have stopped it */
}

#define RUN_UNTIL(loop, condition)                                       \
	do {                                                             \
		int turns = 0;                                           \
                                                                         \
		while (!(condition)) {                                   \
			if (turns++ == UNTIL_TURNS_MAX)                  \
				fail_msg("waited in vain: " #condition); \
			until_turn(loop);                                \
		}                                                        \
	} while (0)

#endif
