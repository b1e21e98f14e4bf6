/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine's two clocks. This is the only file that asks for the time.
 *
 *   boot  answers "how long": durations, deadlines, timers, how old a lease's
 *         last renewal is. It only grows, and it goes on while the machine is
 *         suspended. Its zero means nothing to people or to other machines.
 *   wall  answers "when": stamps, the `time=` of a query, the end of a silence,
 *         what a token or a header says. A person or NTP may set it at any
 *         moment, also back, so the difference of two readings is no duration.
 *
 * A journal needs both: its times are stamps for people, and the engine takes
 * their differences for durations. The rule: a rollout's time is the wall clock
 * at the moment when this process took it up, or the journal's last time if
 * that is later, and from there on it follows the boot clock. So it never goes
 * back, a wall clock that is set does not pass for time, and a suspend does.
 * What asks the world about now (queries, silences, tokens) takes the wall
 * clock itself, never a rollout's time.
 *
 * The loop samples both once per turn (io/loop.h): whoever has a loop asks it.
 */
#ifndef TIDEGATE_IO_CLOCK_H
#define TIDEGATE_IO_CLOCK_H

#include <stdint.h>

int64_t clock_boot_us(void);
int64_t clock_boot_ms(void);
int64_t clock_wall_us(void); /* since 1970 */
int64_t clock_wall_ms(void);

/* As boot, but it stands still while the machine is suspended: only for threads
 * that wait for a condition, which cannot wait by boot. */
int64_t clock_awake_ms(void);

/* For how long this thread has been running, and nothing but that. */
int64_t clock_cpu_us(void);

struct clock_reading {
	int64_t boot_us, wall_us; /* of the same moment, to a millisecond */
};

void clock_read(struct clock_reading *reading_r);

/* A descriptor that becomes readable at a moment of the boot clock, also right
 * after a suspend; -1 with errno. */
int clock_alarm_new(void);
/* INT64_MAX: never. */
void clock_alarm_set(int fd, int64_t at_boot_us);

/* For tests: both clocks are moved on from now on, as by a suspend (the same
 * for both) or by somebody who sets the wall clock (only the second). A loop
 * that waits sees it in its next turn. */
void clock_shift(int64_t boot_ms, int64_t wall_ms);

#endif
