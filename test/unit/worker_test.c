/* SPDX-License-Identifier: Apache-2.0 */
/* Work beside the loop: its order, who is told, and what is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/loop.h"
#include "io/worker.h"

#define WAIT_MS 60000 /* for what comes at once */
#define JOBS    5

struct world {
	struct loop *loop;
	struct worker *worker;
	int ran[JOBS], told[JOBS];
	int n_ran, n_told;
	int pipe[2], begun[2];
	int turns;
};

struct work {
	struct world *world;
	int number;
};

static struct work works[JOBS];

static void run(void *arg)
{
	struct work *work = arg;

	work->world->ran[work->world->n_ran++] = work->number;
}

static void done(void *arg)
{
	struct work *work = arg;

	work->world->told[work->world->n_told++] = work->number;
}

/* Until a byte comes, or the pipe is closed; says that it has begun. */
static void run_held(void *arg)
{
	struct work *work = arg;
	char c;

	if (write(work->world->begun[1], "", 1) != 1 ||
		read(work->world->pipe[0], &c, 1) < 0)
		abort();
}

static void until_begun(struct world *w, int n)
{
	char c;

	while (n--)
		assert_int_equal(read(w->begun[0], &c, 1), 1);
}

static void let_go(struct world *w, int n)
{
	while (n--)
		assert_int_equal(write(w->pipe[1], "", 1), 1);
}

static void turn(void *arg)
{
	struct world *w = arg;

	if (++w->turns == JOBS)
		let_go(w, 1);
	else
		timer_start(w->loop, 1, turn, w);
}

static struct world *setup(struct world *w, int n_threads)
{
	struct err err;

	*w = (struct world){0};
	w->loop = loop_new(&err);
	assert_non_null(w->loop);
	w->worker = worker_new(w->loop, n_threads, &err);
	assert_int_equal(pipe(w->pipe), 0);
	assert_int_equal(pipe(w->begun), 0);
	for (int i = 0; i < JOBS; i++)
		works[i] = (struct work){w, i};
	return w;
}

static void teardown(struct world *w)
{
	worker_free(&w->worker);
	loop_free(&w->loop);
	close(w->pipe[0]);
	close(w->pipe[1]);
	close(w->begun[0]);
	close(w->begun[1]);
}

static void jobs_of_one_thread_run_in_order_and_are_told_on_the_loop(
	void **state)
{
	struct world world, *w = setup(&world, 1);
	struct err err;

	for (int i = 0; i < JOBS; i++)
		worker_start(w->worker, run, done, &works[i]);
	assert_int_equal(w->n_told, 0);
	/* It ends by itself: nothing is left to wait for. */
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(w->n_told, JOBS);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(w->ran[i], i);
		assert_int_equal(w->told[i], i);
	}
	teardown(w);
}

static void a_job_that_waits_does_not_hold_the_loop(void **state)
{
	struct world world, *w = setup(&world, 1);
	struct err err;

	worker_start(w->worker, run_held, done, &works[0]);
	timer_start(w->loop, 0, turn, w);
	assert_int_equal(loop_run(w->loop, &err), 0);
	assert_int_equal(w->turns, JOBS);
	assert_int_equal(w->n_told, 1);
	teardown(w);
}

static void as_many_jobs_run_at_once_as_there_are_threads(void **state)
{
	struct world world, *w = setup(&world, 2);

	worker_start(w->worker, run_held, done, &works[0]);
	worker_start(w->worker, run_held, done, &works[1]);
	worker_start(w->worker, run_held, done, &works[2]);
	until_begun(w, 2);
	assert_false(worker_wait(w->worker, 0));
	let_go(w, 1);
	until_begun(w, 1);
	let_go(w, 2);
	assert_true(worker_wait(w->worker, WAIT_MS));
	assert_int_equal(w->n_told, 3);
	teardown(w);
}

static void start_next(void *arg)
{
	struct work *work = arg;

	done(work);
	if (work->number + 1 < JOBS)
		worker_start(work->world->worker, run, start_next, work + 1);
}

static void what_a_job_leads_to_is_waited_for_too(void **state)
{
	struct world world, *w = setup(&world, 1);

	worker_start(w->worker, run, start_next, &works[0]);
	assert_true(worker_wait(w->worker, WAIT_MS));
	assert_int_equal(w->n_told, JOBS);
	assert_int_equal(w->n_ran, JOBS);
	teardown(w);
}

static void a_job_that_hangs_is_left_behind(void **state)
{
	/* The thread may look at it after the end of this function. */
	static struct world world;
	struct world *w = setup(&world, 1);

	worker_start(w->worker, run_held, done, &works[0]);
	worker_start(w->worker, run, done, &works[1]);
	until_begun(w, 1);
	assert_false(worker_wait(w->worker, 1));
	assert_false(worker_free(&w->worker));
	assert_null(w->worker);
	let_go(w, 1);
	assert_int_equal(w->n_told, 0);
	assert_int_equal(w->n_ran, 0);
	loop_free(&w->loop); /* the pipes are the thread's still */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			jobs_of_one_thread_run_in_order_and_are_told_on_the_loop),
		cmocka_unit_test(a_job_that_waits_does_not_hold_the_loop),
		cmocka_unit_test(as_many_jobs_run_at_once_as_there_are_threads),
		cmocka_unit_test(what_a_job_leads_to_is_waited_for_too),
		cmocka_unit_test(a_job_that_hangs_is_left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
