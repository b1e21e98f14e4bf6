/* SPDX-License-Identifier: Apache-2.0 */
/* The loop: order within a turn, time, cancelling, what keeps it alive. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/clock.h"
#include "io/loop.h"

struct world {
	struct loop *loop;
	char seen[64]; /* one letter for each callback */
	int64_t now_ms[64]; /* loop_now in each */
	size_t n;
	struct timer *other;
	struct watch *watch, *other_watch;
	int fds[2];
};

struct note {
	struct world *world;
	char letter;
};

static void world_init(struct world *w)
{
	struct err err;

	*w = (struct world){0};
	w->loop = loop_new(&err);
	assert_non_null(w->loop);
}

static void world_run(struct world *w)
{
	struct err err;

	assert_int_equal(loop_run(w->loop, &err), 0);
}

static void see(struct world *w, char letter)
{
	assert_true(w->n + 1 < sizeof(w->seen));
	w->now_ms[w->n] = loop_now(w->loop);
	w->seen[w->n++] = letter;
}

static void on_note(void *arg)
{
	struct note *note = arg;

	see(note->world, note->letter);
}

static void timers_run_in_the_order_of_their_times(void **state)
{
	struct world w;
	struct note a = {&w, 'a'}, b = {&w, 'b'}, c = {&w, 'c'};
	int64_t start;

	world_init(&w);
	start = loop_now(w.loop);
	timer_start(w.loop, 20, on_note, &c);
	timer_start(w.loop, 0, on_note, &a);
	timer_start(w.loop, 10, on_note, &b);
	assert_string_equal(w.seen, ""); /* never inside timer_start */
	world_run(&w);
	assert_string_equal(w.seen, "abc");
	assert_true(w.now_ms[1] >= start + 10);
	assert_true(w.now_ms[2] >= start + 20);
	loop_free(&w.loop);
	assert_null(w.loop);
}

struct race {
	struct world *world;
	int64_t due_ms;
	int left; /* rounds */
	bool early;
	struct timer *busy;
};

static void on_busy(void *arg)
{
	struct race *race = arg;

	race->busy = timer_start(race->world->loop, 0, on_busy, race);
}

/* Late in its turn: the sample is taken, and the timer set, after a while. */
static void on_due(void *arg)
{
	struct race *race = arg;
	struct loop *loop = race->world->loop;
	int64_t from = loop_now_us(loop);

	if (race->due_ms && loop_now(loop) < race->due_ms)
		race->early = true;
	if (race->left-- == 0) {
		timer_cancel(&race->busy);
		return;
	}
	if (race->left % 2 == 0) {
		race->due_ms = 0; /* the next one only loses time */
		timer_start(loop, 0, on_due, race);
		return;
	}
	while (loop_now_us(loop) < from + 900)
		;
	race->due_ms = loop_now(loop) + 3;
	timer_start(loop, 3, on_due, race);
}

static void a_timer_is_never_early_by_the_loops_own_clock(void **state)
{
	struct world w;
	struct race race = {.world = &w, .left = 200};

	world_init(&w);
	timer_start(w.loop, 0, on_due, &race);
	on_busy(&race);
	world_run(&w);
	assert_int_equal(race.left, -1);
	assert_false(race.early);
	loop_free(&w.loop);
}

static void on_spin(void *arg)
{
	struct world *w = arg;
	int64_t from = loop_now_us(w->loop);

	see(w, 's');
	while (loop_now_us(w->loop) < from + 3000)
		;
	see(w, 's');
}

static void on_stop_loop(void *arg)
{
	struct world *w = arg;

	loop_stop(w->loop);
}

static void time_stands_still_within_a_turn(void **state)
{
	struct world w;
	struct timespec wall;

	world_init(&w);
	clock_gettime(CLOCK_REALTIME, &wall);
	timer_start(w.loop, 1, on_spin, &w);
	world_run(&w);
	assert_int_equal(w.n, 2);
	assert_int_equal(w.now_ms[0], w.now_ms[1]);
	assert_true(loop_longest_turn(w.loop).wall_us >= 3000);
	assert_true(loop_now(w.loop) >= w.now_ms[0] + 3);
	assert_in_range(loop_wall_ms(w.loop), wall.tv_sec * 1000 - 5000,
		wall.tv_sec * 1000 + 60000);
	loop_free(&w.loop);
}

struct shift {
	struct world *world;
	int64_t boot_ms, wall_ms;
	struct loop_gap gap;
	struct gap_listener *listener, *other;
};

static void on_gap(const struct loop_gap *gap, void *arg)
{
	struct shift *shift = arg;

	shift->gap = *gap;
	see(shift->world, 'g');
}

static void on_gap_cancel_both(const struct loop_gap *gap, void *arg)
{
	struct shift *shift = arg;

	see(shift->world, 'g');
	loop_gap_cancel(&shift->listener);
	loop_gap_cancel(&shift->other);
}

static void on_shift(void *arg)
{
	struct shift *shift = arg;

	see(shift->world, 'x');
	clock_shift(shift->boot_ms, shift->wall_ms);
}

/* A descriptor is ready in the turn in which the machine wakes up. */
static void on_shift_with_answer(void *arg)
{
	struct shift *shift = arg;

	on_shift(arg);
	assert_int_equal(write(shift->world->fds[1], "z", 1), 1);
}

static void on_answer(int fd, int what, void *arg)
{
	struct world *w = arg;
	char c;

	assert_int_equal(read(fd, &c, 1), 1);
	see(w, c);
	watch_cancel(&w->watch);
}

#define HOUR_MS   INT64_C(3600000)
#define MINUTE_MS INT64_C(60000)

static void what_is_due_after_a_suspend_runs_when_the_machine_wakes_up(
	void **state)
{
	struct world w;
	struct note a = {&w, 'a'}, b = {&w, 'b'}, c = {&w, 'c'};
	struct shift shift = {
		.world = &w, .boot_ms = HOUR_MS, .wall_ms = HOUR_MS};

	world_init(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, w.fds), 0);
	w.watch = watch_start(w.loop, w.fds[0], WATCH_READ, on_answer, &w);
	loop_on_gap(w.loop, on_gap, &shift);
	timer_start(w.loop, 0, on_shift_with_answer, &shift);
	timer_start(w.loop, HOUR_MS, on_note, &b);
	timer_start(w.loop, 60000, on_note, &a);
	w.other = timer_start(w.loop, 2 * HOUR_MS, on_note, &c);
	timer_start(w.loop, HOUR_MS + 20, on_stop_loop, &w);
	world_run(&w); /* of real time it takes a few milliseconds */
	assert_string_equal(w.seen, "xgzab");
	assert_in_range(shift.gap.stood_ms, HOUR_MS - 61000, HOUR_MS);
	assert_int_equal(shift.gap.stepped_ms, 0);
	assert_in_range(
		w.now_ms[4] - w.now_ms[0], HOUR_MS, HOUR_MS + MINUTE_MS);
	timer_cancel(&w.other);
	loop_free(&w.loop);
	close(w.fds[0]);
	close(w.fds[1]);
}

static void a_wall_clock_that_is_set_moves_no_timer_and_is_told_once(
	void **state)
{
	struct world w;
	struct note a = {&w, 'a'};
	struct shift shift = {.world = &w, .wall_ms = -HOUR_MS};
	int64_t wall_ms;

	world_init(&w);
	wall_ms = loop_wall_ms(w.loop);
	loop_on_gap(w.loop, on_gap, &shift);
	timer_start(w.loop, 0, on_shift, &shift);
	timer_start(w.loop, 20, on_note, &a);
	timer_start(w.loop, 40, on_note, &a);
	world_run(&w);
	assert_string_equal(w.seen, "xgaa");
	assert_in_range(shift.gap.stepped_ms, -HOUR_MS - 100, -HOUR_MS + 100);
	assert_int_equal(shift.gap.stood_ms, 0);
	assert_true(w.now_ms[2] - w.now_ms[0] >= 20);
	assert_in_range(loop_wall_ms(w.loop), wall_ms - HOUR_MS,
		wall_ms - HOUR_MS + 10000);
	loop_free(&w.loop);
}

static void a_turn_that_is_a_little_late_is_no_gap(void **state)
{
	struct world w;
	struct note a = {&w, 'a'};
	/* The rest of a second is left to a busy machine. */
	struct shift shift = {.world = &w, .boot_ms = 100, .wall_ms = 600};

	world_init(&w);
	loop_on_gap(w.loop, on_gap, &shift);
	timer_start(w.loop, 0, on_shift, &shift);
	timer_start(w.loop, 50, on_note, &a);
	world_run(&w);
	assert_string_equal(w.seen, "xa");
	/* But what comes to a second in sum was set. */
	shift.boot_ms = 0;
	shift.wall_ms = 1000;
	timer_start(w.loop, 0, on_shift, &shift);
	timer_start(w.loop, 10, on_note, &a);
	world_run(&w);
	assert_string_equal(w.seen, "xaxga");
	assert_in_range(shift.gap.stepped_ms, 1400, 1600);
	loop_free(&w.loop);
}

static void who_listens_for_gaps_may_cancel_all_who_do(void **state)
{
	struct world w;
	struct note a = {&w, 'a'};
	struct shift shift = {
		.world = &w, .boot_ms = HOUR_MS, .wall_ms = HOUR_MS};

	world_init(&w);
	shift.listener = loop_on_gap(w.loop, on_gap_cancel_both, &shift);
	shift.other = loop_on_gap(w.loop, on_gap_cancel_both, &shift);
	timer_start(w.loop, 0, on_shift, &shift);
	timer_start(w.loop, 10, on_note, &a);
	world_run(&w);
	assert_string_equal(w.seen, "xga");
	loop_free(&w.loop);
}

#define TIMERS 500

struct shuffle {
	struct world world;
	struct timer *timer[TIMERS];
	int64_t at_ms[TIMERS];
	int ran, cancelled;
	int64_t last_ms;
	bool disordered;
};

struct shuffled {
	struct shuffle *shuffle;
	int i;
};

static void on_shuffled(void *arg)
{
	struct shuffled *one = arg;
	struct shuffle *s = one->shuffle;
	int victim = (one->i * 7 + 3) % TIMERS;

	if (s->at_ms[one->i] < s->last_ms ||
		loop_now(s->world.loop) < s->at_ms[one->i])
		s->disordered = true;
	s->last_ms = s->at_ms[one->i];
	s->timer[one->i] = NULL;
	s->ran++;
	if (s->timer[victim] && s->ran % 3 == 0) {
		timer_cancel(&s->timer[victim]);
		s->cancelled++;
	}
}

static void many_timers_keep_their_order_when_some_are_cancelled(void **state)
{
	static struct shuffle s;
	static struct shuffled one[TIMERS];
	int64_t delay_ms;

	world_init(&s.world);
	for (int i = 0; i < TIMERS; i++) {
		delay_ms = i * 7919 % 97;
		one[i] = (struct shuffled){&s, i};
		s.at_ms[i] = loop_now(s.world.loop) + delay_ms;
		s.timer[i] = timer_start(
			s.world.loop, delay_ms, on_shuffled, &one[i]);
	}
	for (int i = 0; i < TIMERS; i += 5) {
		timer_cancel(&s.timer[i]);
		s.cancelled++;
	}
	world_run(&s.world);
	assert_false(s.disordered);
	assert_int_equal(s.ran + s.cancelled, TIMERS);
	assert_true(s.cancelled > TIMERS / 5);
	loop_free(&s.world.loop);
}

#define CROWD 10

struct crowd {
	struct world world;
	struct crowded {
		struct crowd *crowd;
		int fds[2];
		struct watch *watch;
	} one[CROWD];
	struct gap_listener *gaps;
	bool gap;
};

static void on_crowd_gap(const struct loop_gap *gap, void *arg)
{
	struct crowd *crowd = arg;

	crowd->gap = true;
}

static void crowd_init(struct crowd *crowd)
{
	*crowd = (struct crowd){0};
	world_init(&crowd->world);
	crowd->gaps = loop_on_gap(crowd->world.loop, on_crowd_gap, crowd);
}

static void spin(struct loop *loop, int64_t us)
{
	int64_t from = loop_now_us(loop);

	while (loop_now_us(loop) < from + us)
		;
}

/* Long enough for two of them to take more than a turn may. */
static void on_crowd_timer(void *arg)
{
	struct crowd *crowd = arg;

	see(&crowd->world, 't');
	spin(crowd->world.loop, 8000);
}

static void on_crowd_answer(int fd, int what, void *arg)
{
	struct crowded *one = arg;

	see(&one->crowd->world, 'z');
	watch_cancel(&one->watch);
	spin(one->crowd->world.loop, 8000);
}

/* Within one the time is the same. */
static int turns_seen(const struct world *w)
{
	int turns = 1;

	for (size_t i = 1; i < w->n; i++)
		turns += w->now_ms[i] != w->now_ms[i - 1];
	return turns;
}

static void a_crowd_of_timers_is_dealt_out_to_several_turns(void **state)
{
	struct crowd crowd;

	crowd_init(&crowd);
	for (int i = 0; i < CROWD; i++)
		timer_start(crowd.world.loop, 0, on_crowd_timer, &crowd);
	world_run(&crowd.world);
	assert_string_equal(crowd.world.seen, "tttttttttt");
	assert_true(turns_seen(&crowd.world) >= CROWD / 2);
	assert_false(crowd.gap);
	loop_free(&crowd.world.loop);
}

static void a_crowd_of_descriptors_leaves_timers_their_turn(void **state)
{
	struct crowd crowd;
	struct crowded *one;

	crowd_init(&crowd);
	for (int i = 0; i < CROWD; i++) {
		one = &crowd.one[i];
		one->crowd = &crowd;
		assert_int_equal(
			socketpair(AF_UNIX, SOCK_STREAM, 0, one->fds), 0);
		one->watch = watch_start(crowd.world.loop, one->fds[0],
			WATCH_READ, on_crowd_answer, one);
		assert_int_equal(write(one->fds[1], "z", 1), 1);
	}
	timer_start(crowd.world.loop, 0, on_crowd_timer, &crowd);
	world_run(&crowd.world);
	assert_int_equal(strlen(crowd.world.seen), CROWD + 1);
	assert_true(
		strchr(crowd.world.seen, 't') <= crowd.world.seen + CROWD / 2);
	assert_true(turns_seen(&crowd.world) >= CROWD / 2);
	loop_free(&crowd.world.loop);
	for (int i = 0; i < CROWD; i++) {
		close(crowd.one[i].fds[0]);
		close(crowd.one[i].fds[1]);
	}
}

static void on_cancel_other(void *arg)
{
	struct world *w = arg;

	see(w, 'x');
	timer_cancel(&w->other);
}

static void a_cancelled_timer_never_runs(void **state)
{
	struct world w;
	struct note a = {&w, 'a'};
	struct timer *timer = NULL;

	world_init(&w);
	timer_cancel(&timer);
	timer = timer_start(w.loop, 0, on_note, &a);
	timer_cancel(&timer);
	assert_null(timer);
	/* Both are due in the same turn: the first takes the other back. */
	timer_start(w.loop, 0, on_cancel_other, &w);
	w.other = timer_start(w.loop, 0, on_note, &a);
	world_run(&w);
	assert_string_equal(w.seen, "x");
	loop_free(&w.loop);
}

static void a_timer_may_be_cancelled_by_its_own_callback(void **state)
{
	struct world w;

	world_init(&w);
	w.other = timer_start(w.loop, 0, on_cancel_other, &w);
	world_run(&w);
	assert_string_equal(w.seen, "x");
	assert_null(w.other);
	loop_free(&w.loop);
}

static void on_defer_more(void *arg)
{
	struct note *note = arg;

	see(note->world, 'd');
	loop_defer(note->world->loop, on_note, note);
	timer_start(note->world->loop, 0, on_note, note);
}

static void on_defer(void *arg)
{
	struct note *note = arg;

	loop_defer(note->world->loop, on_defer_more, note);
	loop_defer(note->world->loop, on_note, note);
	see(note->world, 'a');
}

/* Whether both timers had their share of one turn, which a machine that does
 * something else may give to the first alone. */
static bool defers_in_a_turn(void)
{
	struct world w;
	struct note n = {&w, 'n'}, b = {&w, 'b'};
	bool in_a_turn;

	world_init(&w);
	timer_start(w.loop, 0, on_defer, &n);
	timer_start(w.loop, 0, on_note, &b);
	world_run(&w);
	in_a_turn = w.seen[1] == 'b';
	/* a b: the turn; d n: deferred; n: deferred by d, in the same flush;
	 * n: the timer, a turn later. */
	assert_string_equal(w.seen, in_a_turn ? "abdnnn" : "adnnbn");
	assert_int_equal(w.now_ms[in_a_turn ? 4 : 3], w.now_ms[0]);
	loop_free(&w.loop);
	return in_a_turn;
}

static void deferred_work_runs_after_the_turns_callbacks(void **state)
{
	int tries = 1;

	while (!defers_in_a_turn())
		assert_true(++tries <= 1000);
}

static void deferred_work_can_be_taken_back(void **state)
{
	struct world w;
	struct note a = {&w, 'a'}, b = {&w, 'b'};

	world_init(&w);
	loop_defer(w.loop, on_note, &a);
	loop_defer(w.loop, on_note, &b);
	loop_defer(w.loop, on_note, &a);
	loop_defer_cancel(w.loop, on_note, &a);
	world_run(&w);
	assert_string_equal(w.seen, "b");
	loop_free(&w.loop);
}

static void on_readable(int fd, int what, void *arg)
{
	struct world *w = arg;
	char c;

	assert_int_equal(what, WATCH_READ);
	if (w->n == 0) { /* level-triggered: it is told again */
		see(w, 'r');
		return;
	}
	assert_int_equal(read(fd, &c, 1), 1);
	see(w, c);
	watch_cancel(&w->watch);
}

static void a_watch_tells_as_long_as_it_holds(void **state)
{
	struct world w;

	world_init(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, w.fds), 0);
	w.watch = watch_start(w.loop, w.fds[0], WATCH_READ, on_readable, &w);
	assert_int_equal(write(w.fds[1], "z", 1), 1);
	world_run(&w); /* and nothing is left once it is cancelled */
	assert_string_equal(w.seen, "rz");
	close(w.fds[0]);
	close(w.fds[1]);
	loop_free(&w.loop);
}

static void on_ready_cancel_both(int fd, int what, void *arg)
{
	struct world *w = arg;

	see(w, 'w');
	watch_cancel(&w->watch);
	watch_cancel(&w->other_watch);
}

static void a_watch_cancelled_in_the_same_turn_is_silent(void **state)
{
	struct world w;

	world_init(&w);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, w.fds), 0);
	w.watch = watch_start(
		w.loop, w.fds[0], WATCH_WRITE, on_ready_cancel_both, &w);
	w.other_watch = watch_start(
		w.loop, w.fds[1], WATCH_WRITE, on_ready_cancel_both, &w);
	world_run(&w);
	assert_string_equal(w.seen, "w");
	close(w.fds[0]);
	close(w.fds[1]);
	loop_free(&w.loop);
}

static void on_usr1(int signo, void *arg)
{
	assert_int_equal(signo, SIGUSR1);
	see(arg, 'u');
}

static void on_nothing(void *arg)
{
}

static void on_raise(void *arg)
{
	struct world *w = arg;

	raise(SIGUSR1);
	see(w, 'k'); /* the signal is not delivered inside raise */
	timer_start(w->loop, 5, on_nothing, NULL); /* time to arrive */
}

static void a_signal_is_delivered_in_the_loop(void **state)
{
	struct world w;
	struct err err;

	world_init(&w);
	assert_int_equal(loop_on_signal(w.loop, SIGUSR1, on_usr1, &w, &err), 0);
	world_run(&w); /* a signal alone is nothing to wait for */
	assert_string_equal(w.seen, "");
	timer_start(w.loop, 0, on_raise, &w);
	world_run(&w);
	assert_string_equal(w.seen, "ku");
	loop_free(&w.loop);
}

static void on_end_signal(int signo, void *arg)
{
	see(arg, signo == SIGINT    ? 'i'
		 : signo == SIGTERM ? 't'
		 : signo == SIGHUP  ? 'h'
				    : '?');
}

static void on_raise_all(void *arg)
{
	struct world *w = arg;

	raise(SIGHUP);
	raise(SIGINT);
	raise(SIGTERM);
	timer_start(w->loop, 5, on_nothing, NULL); /* time to arrive */
}

/* As nohup(1) and a shell's background leave them. */
static void a_hangup_that_is_ignored_stays_so(void **state)
{
	static const struct {
		void (*hangup)(int signo), (*interrupt)(int signo);
		const char *seen;
	} rows[] = {
		{SIG_DFL, SIG_DFL, "hit"},
		{SIG_IGN, SIG_DFL, "it"},
		{SIG_DFL, SIG_IGN, "hit"},
	};
	struct world w;
	struct err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		signal(SIGHUP, rows[i].hangup);
		signal(SIGINT, rows[i].interrupt);
		world_init(&w);
		assert_int_equal(
			loop_on_end_signals(w.loop, on_end_signal, &w, &err),
			0);
		timer_start(w.loop, 0, on_raise_all, &w);
		world_run(&w);
		loop_free(&w.loop);
		for (const char *c = rows[i].seen; *c; c++)
			assert_non_null(strchr(w.seen, *c));
		assert_int_equal(strlen(w.seen), strlen(rows[i].seen));
	}
	signal(SIGHUP, SIG_DFL);
	signal(SIGINT, SIG_DFL);
}

static void on_stop(void *arg)
{
	struct note *note = arg;

	loop_stop(note->world->loop);
	loop_defer(note->world->loop, on_note, note);
}

static void stopping_ends_after_the_turns_deferred_work(void **state)
{
	struct world w;
	struct note a = {&w, 'a'}, late = {&w, 'l'};

	world_init(&w);
	w.other = timer_start(w.loop, 60000, on_note, &late);
	timer_start(w.loop, 0, on_stop, &a);
	world_run(&w);
	assert_string_equal(w.seen, "a");
	loop_stop(w.loop); /* before it runs: it returns at once */
	world_run(&w);
	timer_cancel(&w.other);
	loop_free(&w.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_run_in_the_order_of_their_times),
		cmocka_unit_test(
			a_crowd_of_timers_is_dealt_out_to_several_turns),
		cmocka_unit_test(
			a_crowd_of_descriptors_leaves_timers_their_turn),
		cmocka_unit_test(a_timer_is_never_early_by_the_loops_own_clock),
		cmocka_unit_test(time_stands_still_within_a_turn),
		cmocka_unit_test(
			what_is_due_after_a_suspend_runs_when_the_machine_wakes_up),
		cmocka_unit_test(
			a_wall_clock_that_is_set_moves_no_timer_and_is_told_once),
		cmocka_unit_test(a_turn_that_is_a_little_late_is_no_gap),
		cmocka_unit_test(who_listens_for_gaps_may_cancel_all_who_do),
		cmocka_unit_test(
			many_timers_keep_their_order_when_some_are_cancelled),
		cmocka_unit_test(a_cancelled_timer_never_runs),
		cmocka_unit_test(a_timer_may_be_cancelled_by_its_own_callback),
		cmocka_unit_test(deferred_work_runs_after_the_turns_callbacks),
		cmocka_unit_test(deferred_work_can_be_taken_back),
		cmocka_unit_test(a_watch_tells_as_long_as_it_holds),
		cmocka_unit_test(a_watch_cancelled_in_the_same_turn_is_silent),
		cmocka_unit_test(a_signal_is_delivered_in_the_loop),
		cmocka_unit_test(a_hangup_that_is_ignored_stays_so),
		cmocka_unit_test(stopping_ends_after_the_turns_deferred_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
