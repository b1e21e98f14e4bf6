/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of io/loop.h on a virtual clock: time is what the next timer says,
 * so that a rollout of an hour takes milliseconds and runs the same each time.
 *
 * Two kinds of things happen. Timers and deferred calls belong to the process
 * under test: they wait while it stands still and are lost when it dies. The
 * world's own (fake_world_after) happen at their time whatever the process
 * does. Must not know what anything is for.
 */
#ifndef TIDEGATE_TEST_FAKE_LOOP_H
#define TIDEGATE_TEST_FAKE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"

#define FAKE_EPOCH_MS INT64_C(1767225600000) /* 2026-01-01T00:00:00Z */

/* Time starts again, nothing is pending. Seed 0: timers are never late. */
void fake_loop_reset(uint64_t seed);

/* Milliseconds since the reset; the world's time, which never jumps. */
int64_t fake_now(void);

/* Timers are up to this late, as on a busy machine. */
void fake_loop_late(int64_t ms_max);
int64_t fake_loop_late_max(void);
/* Nothing of the process runs for so long; the world goes on. */
void fake_loop_stand_still(int64_t ms);
int64_t fake_loop_stood_until(void); /* the end of the last time; 0: never */
/* Turns of the loop at this very moment. */
int fake_loop_turns_now(void);
/* Somebody sets the machine's wall clock, forwards or back. */
void fake_loop_set_clock(int64_t by_ms);

/* Something of the world, in so many milliseconds. */
void fake_world_after(int64_t delay_ms, loop_fn fn, void *arg);

/* One turn, no later than `until_ms`; false: nothing is left until then, and
 * that is now the time. */
bool fake_loop_turn(int64_t until_ms);

/* The process is dead: its timers and deferred calls never run, what it starts
 * from now on does not either. A seam that is dead does nothing. */
void fake_die(void);
bool fake_is_dead(void);
/* A new process: nothing of the old one is left. */
void fake_live_again(void);
/* Of the process; 0 when all that was started was taken back. */
int fake_loop_pending(void);

/* Where a process can die, in the order they are passed: each call over a seam
 * counts one. With fake_die_at(n) the process is dead from the n-th on. */
void fake_instant(void);
long fake_instants(void);
void fake_die_at(long instant); /* 0: never */

#endif
