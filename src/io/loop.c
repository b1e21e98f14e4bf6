/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop on libevent; see loop.h. It owns the turn: its time, its order
 * and what is deferred to its end. It knows nothing of HTTP or processes.
 *
 * A turn: wait, sample the clocks, tell of a gap, run what is ready, run the
 * timers that are due, run what was deferred. A crowd of sockets or timers is
 * dealt out to several turns.
 *
 * libevent only watches descriptors: its own timers follow a clock that stands
 * still while the machine is suspended. Ours are in a heap (timers.h), and one
 * alarm of the boot clock ends the wait for the first of them.
 */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "io/clock.h"
#include "io/timers.h"
#include "io/turns.h"

#define BASE_FDS     3 /* that libevent opens for itself */
#define DELAY_MS_MAX (INT64_C(100) * 365 * 86400 * 1000)
/* Of a turn, for sockets and for timers each: what is ready beyond that waits
 * for the next turn. */
#define SHARE_US_MAX 15000

struct watch {
	struct loop *loop;
	struct event event;
	watch_fn fn;
	void *arg;
};

struct on_signal {
	LIST_ENTRY(on_signal) link;
	struct loop *loop;
	struct event event;
	signal_fn fn;
	void *arg;
};

struct deferred {
	loop_fn fn; /* NULL: taken back */
	void *arg;
};

struct gap_listener {
	LIST_ENTRY(gap_listener) link;
	loop_gap_fn fn;
	void *arg;
	int told; /* how many gaps it has heard of */
};

/* Apart from the loop, because loop_now may sample for a const loop. */
struct turn_time {
	struct clock_reading now;
	bool sampled; /* in this turn */
	int64_t ahead_us; /* the wall clock before the boot clock, as told */
	int64_t due_us; /* when the turn was to begin; INT64_MAX: whenever */
	struct loop_gap gap; /* noticed, not told yet */
};

struct loop {
	struct event_base *base;
	struct turn_time *time;
	struct timers timers;
	struct event alarm;
	int alarm_fd;
	int64_t alarm_us; /* what it is set to */
	int64_t run_us; /* when loop_run was called */
	int64_t share_us; /* when the timers of this turn began */
	struct turns *turns;
	struct rng rng;
	LIST_HEAD(, gap_listener) listeners;
	int n_gaps;
	LIST_HEAD(, on_signal) signals;
	int n_signals;
	struct deferred *deferred;
	size_t n_deferred, max_deferred;
	struct watch *entered; /* whose callback is next, or was last */
	bool running, stopped;
};

/* libevent writes warnings to standard error, unless told otherwise. */
static void on_libevent_log(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_line(LOG_WARN, "event=libevent text=\"%s\"", text);
}

/* libevent ends the process without a word where it gets none for itself, so they
 * are tried first: for epoll and for its signals. */
static bool has_descriptors(void)
{
	int fd[BASE_FDS], error = 0;
	size_t n = 0;

	while (!error && n < BASE_FDS) {
		fd[n] = eventfd(0, EFD_CLOEXEC);
		if (fd[n] < 0)
			error = errno;
		else
			n++;
	}
	while (n)
		close(fd[--n]);
	errno = error;
	return !error;
}

static struct event_base *base_new(void)
{
	struct event_config *config;
	struct event_base *base;

	if (!has_descriptors())
		return NULL;
	config = event_config_new();
	if (!config)
		abort();
	/* Kept connections come and go with each request: what cancels out
	 * within a turn is not told to the kernel. */
	event_config_set_flag(config,
		EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/* The alarm only ends the wait: the turn looks at the timers by itself. */
static void on_alarm(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t n;

	loop->alarm_us = INT64_MAX;
	if (read(fd, &n, sizeof(n)) < 0)
		return; /* set anew meanwhile */
}

static int alarm_init(struct loop *loop)
{
	loop->alarm_us = INT64_MAX;
	loop->alarm_fd = clock_alarm_new();
	if (loop->alarm_fd < 0)
		return -1;
	event_assign(&loop->alarm, loop->base, loop->alarm_fd,
		EV_READ | EV_PERSIST, on_alarm, loop);
	return event_add(&loop->alarm, NULL);
}

/* Processes that start in the same moment differ by their numbers. */
static uint64_t seed_of(const struct clock_reading *now)
{
	return (uint64_t)now->wall_us ^ (uint64_t)getpid() << 40;
}

struct loop *loop_new(struct err *err_r)
{
	struct loop *loop = xcalloc(1, sizeof(*loop));

	event_set_log_callback(on_libevent_log);
	/* A peer or a child that is gone is told by EPIPE, not by death. */
	signal(SIGPIPE, SIG_IGN);
	loop->base = base_new();
	loop->alarm_fd = -1;
	loop->time = xcalloc(1, sizeof(*loop->time));
	loop->turns = xcalloc(1, sizeof(*loop->turns));
	clock_read(&loop->time->now);
	loop->time->ahead_us =
		loop->time->now.wall_us - loop->time->now.boot_us;
	loop->time->due_us = INT64_MAX;
	rng_init(&loop->rng, seed_of(&loop->time->now));
	LIST_INIT(&loop->signals);
	LIST_INIT(&loop->listeners);
	if (!loop->base || alarm_init(loop)) {
		err_set(err_r, ERR_IO, "no event loop: %s", strerror(errno));
		loop_free(&loop);
	}
	return loop;
}

void loop_free(struct loop **loop_p)
{
	struct loop *loop = *loop_p;
	struct gap_listener *listener;
	struct on_signal *s;

	if (!loop)
		return;
	assert(!loop->running);
	while ((s = LIST_FIRST(&loop->signals))) {
		LIST_REMOVE(s, link);
		event_del(&s->event);
		free(s);
	}
	while ((listener = LIST_FIRST(&loop->listeners)))
		loop_gap_cancel(&listener);
	if (loop->base)
		event_base_free(loop->base);
	if (loop->alarm_fd >= 0)
		close(loop->alarm_fd);
	timers_fini(&loop->timers);
	free(loop->deferred);
	free(loop->time);
	free(loop->turns);
	free(loop);
	*loop_p = NULL;
}

/* ---- time ---- */

/* The first to ask in a turn samples. */
static struct turn_time *turn_time(const struct loop *loop)
{
	struct turn_time *time = loop->time;
	int64_t late_us, step_us;

	if (time->sampled)
		return time;
	clock_read(&time->now);
	time->sampled = true;
	turns_begin(loop->turns);
	late_us = time->now.boot_us - time->due_us;
	if (late_us >= LOOP_LATE_MS * 1000)
		time->gap.stood_ms += late_us / 1000;
	time->due_us = INT64_MAX;
	step_us = time->now.wall_us - time->now.boot_us - time->ahead_us;
	if (step_us >= LOOP_STEP_MS * 1000 || step_us <= -LOOP_STEP_MS * 1000) {
		time->gap.stepped_ms += step_us / 1000;
		time->ahead_us += step_us;
	}
	return time;
}

int64_t loop_now(const struct loop *loop)
{
	return turn_time(loop)->now.boot_us / 1000;
}

int64_t loop_wall_ms(const struct loop *loop)
{
	return turn_time(loop)->now.wall_us / 1000;
}

int64_t loop_now_us(const struct loop *loop)
{
	return clock_boot_us();
}

struct rng *loop_rng(struct loop *loop)
{
	return &loop->rng;
}

struct gap_listener *loop_on_gap(struct loop *loop, loop_gap_fn fn, void *arg)
{
	struct gap_listener *listener = xcalloc(1, sizeof(*listener));

	listener->fn = fn;
	listener->arg = arg;
	listener->told = loop->n_gaps;
	LIST_INSERT_HEAD(&loop->listeners, listener, link);
	return listener;
}

void loop_gap_cancel(struct gap_listener **listener)
{
	if (!*listener)
		return;
	LIST_REMOVE(*listener, link);
	free(*listener);
	*listener = NULL;
}

static struct gap_listener *next_to_tell(struct loop *loop)
{
	struct gap_listener *listener;

	LIST_FOREACH(listener, &loop->listeners, link)
		if (listener->told != loop->n_gaps)
			return listener;
	return NULL;
}

/* Before every callback of a turn: the first of them samples the clocks, and
 * whoever must know of a gap hears of it before anything else happens. */
static void turn_begin(struct loop *loop)
{
	struct loop_gap gap = turn_time(loop)->gap;
	struct gap_listener *listener;

	if (!gap.stood_ms && !gap.stepped_ms)
		return;
	loop->time->gap = (struct loop_gap){0};
	loop->n_gaps++;
	/* Any of them may cancel any of them. */
	while ((listener = next_to_tell(loop))) {
		listener->told = loop->n_gaps;
		listener->fn(&gap, listener->arg);
	}
}

/* ---- the turn ---- */

static void loop_enter(struct loop *loop, void (*fn)(void))
{
	turns_callback(loop->turns, fn);
}

/* Whether what began then has had its share of the turn. */
static bool share_is_used(int64_t since_us)
{
	return clock_boot_us() - since_us >= SHARE_US_MAX;
}

static bool on_timer(loop_fn fn, void *arg)
{
	struct loop *loop = arg;

	if (share_is_used(loop->share_us))
		return false;
	loop_enter(loop, (void (*)(void))fn);
	return true;
}

static void flush_deferred(struct loop *loop)
{
	size_t i;

	/* The list may grow, and move, under our feet. */
	for (i = 0; i < loop->n_deferred; i++) {
		struct deferred work = loop->deferred[i];

		if (work.fn) {
			loop->deferred[i].fn = NULL;
			loop_enter(loop, (void (*)(void))work.fn);
			work.fn(work.arg);
		}
	}
	loop->n_deferred = 0;
}

static bool is_waiting(const struct loop *loop)
{
	return loop->timers.n ||
	       event_base_get_num_events(loop->base,
		       EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE) >
		       loop->n_signals + 1; /* the alarm */
}

/* Waits for the first timer or descriptor, and runs what is ready. */
static int wait_and_run(struct loop *loop)
{
	int64_t first_us = timers_first_us(&loop->timers);
	bool due = first_us <= clock_boot_us();
	int rc;

	if (!due && first_us != loop->alarm_us) {
		loop->alarm_us = first_us;
		clock_alarm_set(loop->alarm_fd, first_us);
	}
	/* Time before the loop ran does not count as lateness, nor what the
	 * turn before was told of: it may have left timers for this one. */
	loop->time->due_us = first_us > loop->run_us ? first_us : loop->run_us;
	if (loop->time->due_us < loop->time->now.boot_us)
		loop->time->due_us = loop->time->now.boot_us;
	loop->time->sampled = false;
	rc = event_base_loop(
		loop->base, EVLOOP_ONCE | (due ? EVLOOP_NONBLOCK : 0));
	turn_begin(loop);
	loop->share_us = clock_boot_us();
	timers_run(&loop->timers, loop->time->now.boot_us, on_timer, loop);
	return rc;
}

static void turn_end(struct loop *loop)
{
	turns_end(loop->turns, loop->time->now.boot_us);
}

void loop_measure_turns(struct loop *loop)
{
	loop->turns->measured = true;
}

struct loop_turn loop_longest_turn(const struct loop *loop)
{
	return loop->turns->longest;
}

struct loop_turn loop_busiest_turn(const struct loop *loop)
{
	return loop->turns->busiest;
}

int loop_run(struct loop *loop, struct err *err_r)
{
	int rc = 0;

	assert(!loop->running);
	loop->running = true;
	loop->run_us = clock_boot_us();
	loop->time->sampled = false;
	flush_deferred(loop);
	while (!loop->stopped && rc >= 0 && is_waiting(loop)) {
		rc = wait_and_run(loop);
		flush_deferred(loop);
		turn_end(loop);
	}
	loop->running = loop->stopped = false;
	loop->time->sampled = false;
	if (rc < 0)
		return err_set(err_r, ERR_IO, "the event loop failed: %s",
			strerror(errno));
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

struct timer *timer_start(
	struct loop *loop, int64_t delay_ms, loop_fn fn, void *arg)
{
	if (delay_ms < 0)
		delay_ms = 0;
	if (delay_ms > DELAY_MS_MAX)
		delay_ms = DELAY_MS_MAX;
	return timers_add(&loop->timers,
		turn_time(loop)->now.boot_us + delay_ms * 1000, fn, arg);
}

void loop_defer(struct loop *loop, loop_fn fn, void *arg)
{
	if (loop->n_deferred == loop->max_deferred) {
		loop->max_deferred =
			loop->max_deferred ? loop->max_deferred * 2 : 16;
		loop->deferred = xrealloc(loop->deferred, loop->max_deferred,
			sizeof(*loop->deferred));
	}
	loop->deferred[loop->n_deferred++] = (struct deferred){fn, arg};
}

void loop_defer_cancel(struct loop *loop, loop_fn fn, void *arg)
{
	size_t i;

	for (i = 0; i < loop->n_deferred; i++) {
		if (loop->deferred[i].fn == fn && loop->deferred[i].arg == arg)
			loop->deferred[i].fn = NULL;
	}
}

static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct watch *watch = arg;
	struct loop *loop = watch->loop;

	loop->entered = watch;
	turn_begin(loop);
	if (!loop->entered)
		return; /* who heard of the gap has cancelled it */
	loop_enter(loop, (void (*)(void))watch->fn);
	watch->fn(fd,
		(what & EV_READ ? WATCH_READ : 0) |
			(what & EV_WRITE ? WATCH_WRITE : 0),
		watch->arg);
	/* The others stay ready. */
	if (share_is_used(loop->time->now.boot_us))
		event_base_loopbreak(loop->base);
}

struct watch *watch_start(
	struct loop *loop, int fd, int what, watch_fn fn, void *arg)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	short events = EV_PERSIST;

	assert(fd >= 0 && what);
	events |= what & WATCH_READ ? EV_READ : 0;
	events |= what & WATCH_WRITE ? EV_WRITE : 0;
	watch->loop = loop;
	watch->fn = fn;
	watch->arg = arg;
	event_assign(&watch->event, loop->base, fd, events, on_watch, watch);
	if (event_add(&watch->event, NULL))
		abort(); /* memory, or a descriptor that is none: our bug */
	return watch;
}

void watch_cancel(struct watch **watch)
{
	if (!*watch)
		return;
	event_del(&(*watch)->event);
	if ((*watch)->loop->entered == *watch)
		(*watch)->loop->entered = NULL;
	free(*watch);
	*watch = NULL;
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct on_signal *s = arg;

	turn_begin(s->loop);
	loop_enter(s->loop, (void (*)(void))s->fn);
	s->fn(signo, s->arg);
}

int loop_on_signal(struct loop *loop, int signo, signal_fn fn, void *arg,
	struct err *err_r)
{
	struct on_signal *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->fn = fn;
	s->arg = arg;
	evsignal_assign(&s->event, loop->base, signo, on_signal, s);
	if (evsignal_add(&s->event, NULL)) {
		free(s);
		return err_set(err_r, ERR_IO, "cannot watch for signal %d: %s",
			signo, strerror(errno));
	}
	LIST_INSERT_HEAD(&loop->signals, s, link);
	loop->n_signals++;
	return 0;
}

static bool is_ignored(int signo)
{
	struct sigaction action;

	return sigaction(signo, NULL, &action) == 0 &&
	       action.sa_handler == SIG_IGN;
}

/* A shell ignores SIGINT for what it puts into the background, which is no wish
 * of anybody: scripts send it on purpose. */
int loop_on_end_signals(
	struct loop *loop, signal_fn fn, void *arg, struct err *err_r)
{
	if (loop_on_signal(loop, SIGINT, fn, arg, err_r) < 0 ||
		loop_on_signal(loop, SIGTERM, fn, arg, err_r) < 0)
		return -1;
	return is_ignored(SIGHUP)
		       ? 0
		       : loop_on_signal(loop, SIGHUP, fn, arg, err_r);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

const char *loop_library(void)
{
	return event_get_version();
}
