/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on the virtual clock; see fake_worker.h. */
#include "fake_worker.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "base/xalloc.h"
#include "fake_loop.h"

struct job {
	STAILQ_ENTRY(job) link;
	job_fn run, done;
	void *arg;
};

struct worker {
	STAILQ_HEAD(, job) jobs; /* the first one is under way */
	struct timer *timer; /* of the next thing that happens to it */
};

static int64_t slow_ms;
static bool hangs;

static void run_first(void *arg);
static void tell_first(void *arg);

void fake_worker_slow(int64_t ms_max)
{
	slow_ms = ms_max;
}

int64_t fake_worker_job_ms_max(void)
{
	return 2 * (slow_ms + fake_loop_late_max());
}

void fake_worker_hang(bool does)
{
	hangs = does;
}

struct worker *worker_new(struct loop *loop, int n_threads, struct err *err_r)
{
	struct worker *worker = xcalloc(1, sizeof(*worker));

	STAILQ_INIT(&worker->jobs);
	return worker;
}

/* The scenario's own randomness: fake_loop.c has it. */
static int64_t some_time(void)
{
	uint64_t random = 0;

	if (slow_ms && getrandom(&random, sizeof(random), 0) < 0)
		abort();
	return (int64_t)(random % (uint64_t)(slow_ms + 1));
}

static void begin_first(struct worker *worker)
{
	if (!STAILQ_EMPTY(&worker->jobs))
		worker->timer =
			timer_start(NULL, some_time(), run_first, worker);
}

void worker_start(struct worker *worker, job_fn run, job_fn done, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));
	bool idle = STAILQ_EMPTY(&worker->jobs);

	job->run = run;
	job->done = done;
	job->arg = arg;
	STAILQ_INSERT_TAIL(&worker->jobs, job, link);
	if (idle)
		begin_first(worker);
}

static void run_first(void *arg)
{
	struct worker *worker = arg;
	struct job *job = STAILQ_FIRST(&worker->jobs);

	if (hangs) {
		worker->timer = timer_start(NULL, 1, run_first, worker);
		return;
	}
	fake_instant();
	if (fake_is_dead())
		return;
	job->run(job->arg);
	fake_instant();
	worker->timer = timer_start(NULL, some_time(), tell_first, worker);
}

static void tell_first(void *arg)
{
	struct worker *worker = arg;
	struct job *job = STAILQ_FIRST(&worker->jobs);

	worker->timer = NULL;
	if (fake_is_dead())
		return;
	STAILQ_REMOVE_HEAD(&worker->jobs, link);
	begin_first(worker);
	job->done(job->arg);
	free(job);
}

/* As if the loop stood still until the threads are ready. */
bool worker_wait(struct worker *worker, int64_t wait_ms)
{
	struct job *job;

	while (!fake_is_dead() && !hangs &&
		(job = STAILQ_FIRST(&worker->jobs))) {
		timer_cancel(&worker->timer);
		run_first(worker);
		timer_cancel(&worker->timer);
		tell_first(worker);
	}
	return STAILQ_EMPTY(&worker->jobs);
}

bool worker_free(struct worker **worker)
{
	struct job *job;

	if (!*worker)
		return true;
	timer_cancel(&(*worker)->timer);
	while ((job = STAILQ_FIRST(&(*worker)->jobs))) {
		STAILQ_REMOVE_HEAD(&(*worker)->jobs, link);
		free(job);
	}
	free(*worker);
	*worker = NULL;
	return true;
}
