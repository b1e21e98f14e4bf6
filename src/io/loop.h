/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop: the only thing that waits. libevent stays behind it.
 *
 * The clocks are sampled once per turn; nothing else asks for the time.
 * Callbacks run from loop_run, one after the other, never inside the call that
 * registered them, and never after the handle was cancelled.
 */
#ifndef TIDEGATE_IO_LOOP_H
#define TIDEGATE_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct rng;
struct timer;
struct watch;

typedef void (*loop_fn)(void *arg);

MUST_CHECK struct loop *loop_new(struct err *err_r);
void loop_free(struct loop **loop);

/* Runs until loop_stop, or until nothing is left to wait for; signals alone
 * are nothing to wait for. */
MUST_CHECK int loop_run(struct loop *loop, struct err *err_r);
/* Ends loop_run after this turn and its deferred work; before loop_run, it
 * makes the next one return at once. */
void loop_stop(struct loop *loop);

/* The boot clock (clock.h), sampled once per turn: for durations, deadlines,
 * what is over. It never jumps, and its zero means nothing. */
int64_t loop_now(const struct loop *loop);
int64_t loop_now_us(const struct loop *loop); /* fresh, for measuring */
/* The wall clock of the same moment, since 1970: for stamps and for what the
 * world is asked about. It may be set at any time. */
int64_t loop_wall_ms(const struct loop *loop);

/* Draws the pauses of those who share this loop, so that two who were refused
 * in one moment do not come back in one. Each process has a seed of its own. */
struct rng *loop_rng(struct loop *loop);

/* One turn, waiting not counted. */
struct loop_turn {
	int64_t wall_us; /* how long it took */
	/* Of loops that are measured: how long this thread was running in it,
	 * and its longest callback. */
	int64_t cpu_us;
	void (*what)(void);
};
/* From now on processor time and callbacks are measured, for benchmarks and
 * tests: two system calls in each turn. */
void loop_measure_turns(struct loop *loop);
/* By the boot clock, so far; whatever else the machine did is in it. */
struct loop_turn loop_longest_turn(const struct loop *loop);
/* By processor time, of loops that are measured. */
struct loop_turn loop_busiest_turn(const struct loop *loop);

/* What happened to time since the turn before. */
struct loop_gap {
	/* For how long the loop should have turned and did not: the machine was
	 * suspended, the process stopped or starved. 0: no longer than usual */
	int64_t stood_ms;
	int64_t stepped_ms; /* by which the wall clock was set; 0: it was not */
};
#define LOOP_LATE_MS INT64_C(1000) /* from which on a late turn is a gap */
#define LOOP_STEP_MS INT64_C(1000) /* from which on a wall clock was set */

/* Told once for each gap, before all else that happens in that turn. */
struct gap_listener;
typedef void (*loop_gap_fn)(const struct loop_gap *gap, void *arg);
struct gap_listener *loop_on_gap(struct loop *loop, loop_gap_fn fn, void *arg);
void loop_gap_cancel(struct gap_listener **listener); /* NULL inside is fine */

/* Runs `fn` once after `delay_ms` (0: in the next turn). A suspend counts: what
 * is due when the machine wakes up runs at once. The handle is gone when `fn`
 * returns: forget it there (cancelling it there is harmless). */
struct timer *timer_start(
	struct loop *loop, int64_t delay_ms, loop_fn fn, void *arg);
void timer_cancel(struct timer **timer); /* NULL inside is accepted */

/* Runs `fn` at the end of this turn, after all other callbacks of the turn:
 * for work that is done once for many events (group commit). What deferred
 * work defers runs in the same flush, after what is already waiting, so work
 * must not defer itself for ever: timer_start(0) is for the next turn. */
void loop_defer(struct loop *loop, loop_fn fn, void *arg);
/* Takes back every `fn` with this `arg` that has not run yet. */
void loop_defer_cancel(struct loop *loop, loop_fn fn, void *arg);

/* Level-triggered; `fn` is told again and again while it holds. */
enum watch_what { WATCH_READ = 1, WATCH_WRITE = 2 };
typedef void (*watch_fn)(int fd, int what, void *arg);
struct watch *watch_start(
	struct loop *loop, int fd, int what, watch_fn fn, void *arg);
void watch_cancel(struct watch **watch);

/* A signal, delivered in the loop; ends with the loop. One `fn` for each. */
typedef void (*signal_fn)(int signo, void *arg);
MUST_CHECK int loop_on_signal(struct loop *loop, int signo, signal_fn fn,
	void *arg, struct err *err_r);
/* Those with which people and runners end a program: SIGINT, SIGTERM, SIGHUP.
 * SIGHUP stays ignored where it is, as nohup(1) leaves it. */
MUST_CHECK int loop_on_end_signals(
	struct loop *loop, signal_fn fn, void *arg, struct err *err_r);

/* The libevent that is linked, "2.1.12-stable": a build that has it in an archive
 * keeps it until it is built again. */
const char *loop_library(void);

/* For resolve.c only: the libevent base. */
struct event_base;
struct event_base *loop_base(struct loop *loop);

#endif
