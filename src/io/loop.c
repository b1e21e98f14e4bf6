/*
 * The event loop on libevent; see loop.h. It owns the clock, the order of a
 * turn and what is deferred to its end. It knows nothing of HTTP or processes.
 *
 * A turn: wait, sample the clock, run what is ready, run what was deferred.
 */
#include "io/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "base/log.h"
#include "base/xalloc.h"

struct timer {
	struct event event;
	loop_fn fn;
	void *arg;
	bool running; /* `fn` is: a late cancel only forgets */
};

struct watch {
	struct event event;
	watch_fn fn;
	void *arg;
};

struct on_signal {
	LIST_ENTRY(on_signal) link;
	struct event event;
	signal_fn fn;
	void *arg;
};

struct deferred {
	loop_fn fn; /* NULL: taken back */
	void *arg;
};

/* Apart from the loop, because loop_now may sample for a const loop. */
struct clock {
	int64_t offset_us; /* from the monotonic clock to 1970 */
	int64_t now_ms;
	bool sampled; /* in this turn */
};

struct loop {
	struct event_base *base;
	struct clock *clock;
	LIST_HEAD(, on_signal) signals;
	int n_signals;
	struct deferred *deferred;
	size_t n_deferred, max_deferred;
	bool running, stopped;
};

static int64_t clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

/* libevent writes warnings to standard error, unless told otherwise. */
static void on_libevent_log(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_line(LOG_WARN, "event=libevent text=\"%s\"", text);
}

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		abort();
	/* Otherwise the clock is as coarse as 4 ms and timers are early. Kept
	 * connections come and go with each request: what cancels out within a
	 * turn is not told to the kernel. */
	event_config_set_flag(
		config, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NOLOCK |
				EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

struct loop *loop_new(struct err *err_r)
{
	struct event_base *base;
	struct loop *loop;

	event_set_log_callback(on_libevent_log);
	/* A peer or a child that is gone is told by EPIPE, not by death. */
	signal(SIGPIPE, SIG_IGN);
	base = base_new();
	if (!base) {
		err_set(err_r, ERR_IO, "no event loop: %s", strerror(errno));
		return NULL;
	}
	loop = xcalloc(1, sizeof(*loop));
	loop->base = base;
	loop->clock = xcalloc(1, sizeof(*loop->clock));
	loop->clock->offset_us =
		clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	LIST_INIT(&loop->signals);
	return loop;
}

void loop_free(struct loop **loop)
{
	struct on_signal *s;

	if (!*loop)
		return;
	assert(!(*loop)->running);
	while ((s = LIST_FIRST(&(*loop)->signals))) {
		LIST_REMOVE(s, link);
		event_del(&s->event);
		free(s);
	}
	event_base_free((*loop)->base);
	free((*loop)->deferred);
	free((*loop)->clock);
	free(*loop);
	*loop = NULL;
}

/* The first to ask in a turn samples. libevent's own time is brought forward
 * with it, so that a timer never runs before loop_now says it is due. */
static void clock_sample(const struct loop *loop)
{
	struct clock *clock = loop->clock;

	if (clock->sampled)
		return;
	clock->now_ms = loop_now_us(loop) / 1000;
	clock->sampled = true;
	if (loop->running)
		event_base_update_cache_time(loop->base);
}

int64_t loop_now(const struct loop *loop)
{
	clock_sample(loop);
	return loop->clock->now_ms;
}

int64_t loop_now_us(const struct loop *loop)
{
	return clock_us(CLOCK_MONOTONIC) + loop->clock->offset_us;
}

static void flush_deferred(struct loop *loop)
{
	size_t i;

	/* The list may grow, and move, under our feet. */
	for (i = 0; i < loop->n_deferred; i++) {
		struct deferred work = loop->deferred[i];

		if (work.fn) {
			loop->deferred[i].fn = NULL;
			work.fn(work.arg);
		}
	}
	loop->n_deferred = 0;
}

static bool is_waiting(const struct loop *loop)
{
	return event_base_get_num_events(loop->base,
		       EVENT_BASE_COUNT_ADDED | EVENT_BASE_COUNT_ACTIVE) >
	       loop->n_signals;
}

int loop_run(struct loop *loop, struct err *err_r)
{
	int rc = 0;

	assert(!loop->running);
	loop->running = true;
	loop->clock->sampled = false;
	flush_deferred(loop);
	while (!loop->stopped && rc >= 0 && is_waiting(loop)) {
		loop->clock->sampled = false;
		rc = event_base_loop(loop->base, EVLOOP_ONCE);
		flush_deferred(loop);
	}
	loop->running = loop->stopped = false;
	loop->clock->sampled = false;
	if (rc < 0)
		return err_set(err_r, ERR_IO, "the event loop failed: %s",
			strerror(errno));
	return 0;
}

void loop_stop(struct loop *loop)
{
	loop->stopped = true;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *timer = arg;

	timer->running = true;
	timer->fn(timer->arg);
	free(timer);
}

struct timer *timer_start(
	struct loop *loop, int64_t delay_ms, loop_fn fn, void *arg)
{
	struct timer *timer = xcalloc(1, sizeof(*timer));
	struct timeval delay = {0, 0};

	clock_sample(loop);
	if (delay_ms > 0) {
		delay.tv_sec = delay_ms / 1000;
		delay.tv_usec = delay_ms % 1000 * 1000;
	}
	timer->fn = fn;
	timer->arg = arg;
	evtimer_assign(&timer->event, loop->base, on_timer, timer);
	if (evtimer_add(&timer->event, &delay))
		abort(); /* memory */
	return timer;
}

void timer_cancel(struct timer **timer)
{
	if (*timer && !(*timer)->running) {
		evtimer_del(&(*timer)->event);
		free(*timer);
	}
	*timer = NULL;
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

	watch->fn(fd,
		(what & EV_READ ? WATCH_READ : 0) |
			(what & EV_WRITE ? WATCH_WRITE : 0),
		watch->arg);
}

struct watch *watch_start(
	struct loop *loop, int fd, int what, watch_fn fn, void *arg)
{
	struct watch *watch = xcalloc(1, sizeof(*watch));
	short events = EV_PERSIST;

	assert(fd >= 0 && what);
	events |= what & WATCH_READ ? EV_READ : 0;
	events |= what & WATCH_WRITE ? EV_WRITE : 0;
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
	free(*watch);
	*watch = NULL;
}

static void on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct on_signal *s = arg;

	s->fn(signo, s->arg);
}

int loop_on_signal(struct loop *loop, int signo, signal_fn fn, void *arg,
	struct err *err_r)
{
	struct on_signal *s = xcalloc(1, sizeof(*s));

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

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}
