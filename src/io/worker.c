/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads and their jobs; see worker.h.
 *
 *   start -> waiting -> (a thread runs it) -> over -> done on the loop
 *
 * The lock is held to move jobs between the lists, never while one runs. Threads
 * that are still at work when the worker is freed are left behind: the last of
 * them frees it then.
 */
#include "io/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "io/clock.h"
#include "io/loop.h"
#include "io/thread.h"

struct job {
	STAILQ_ENTRY(job) link;
	job_fn run, done;
	void *arg;
};

STAILQ_HEAD(job_list, job);

struct worker {
	/* Of the loop's thread alone. */
	struct loop *loop;
	struct watch *watch; /* while there are jobs */
	int n_jobs; /* not done */
	int n_threads_max;

	int fd; /* an eventfd: something is over */
	struct monitor monitor;
	struct job_list waiting, over;
	int n_waiting, n_threads, n_idle, n_running;
	bool closing, left_behind;
};

static void worker_over(int fd, int what, void *arg);

struct worker *worker_new(struct loop *loop, int n_threads, struct err *err_r)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct worker *w;

	if (fd < 0) {
		err_set(err_r, ERR_IO, "no thread beside the loop: %s",
			strerror(errno));
		return NULL;
	}
	w = xcalloc(1, sizeof(*w));
	w->loop = loop;
	w->n_threads_max = n_threads;
	w->fd = fd;
	STAILQ_INIT(&w->waiting);
	STAILQ_INIT(&w->over);
	monitor_init(&w->monitor);
	return w;
}

static void jobs_free(struct job_list *list)
{
	struct job *job;

	while ((job = STAILQ_FIRST(list))) {
		STAILQ_REMOVE_HEAD(list, link);
		free(job);
	}
}

static void memory_free(struct worker *w)
{
	jobs_free(&w->waiting);
	jobs_free(&w->over);
	monitor_fini(&w->monitor);
	close(w->fd);
	free(w);
}

/* ---- the threads ---- */

/* Locked; there is one. */
static struct job *waiting_take(struct worker *w)
{
	struct job *job = STAILQ_FIRST(&w->waiting);

	STAILQ_REMOVE_HEAD(&w->waiting, link);
	w->n_waiting--;
	return job;
}

/* Locked. NULL: it is closed. */
static struct job *job_next(struct worker *w)
{
	w->n_idle++;
	while (!w->closing && STAILQ_EMPTY(&w->waiting))
		monitor_wait(&w->monitor);
	w->n_idle--;
	if (w->closing)
		return NULL;
	return waiting_take(w);
}

static void *thread_run(void *arg)
{
	struct worker *w = arg;
	struct job *job;
	bool is_ours;

	monitor_lock(&w->monitor);
	while ((job = job_next(w))) {
		w->n_running++;
		monitor_unlock(&w->monitor);
		job->run(job->arg);
		monitor_lock(&w->monitor);
		w->n_running--;
		STAILQ_INSERT_TAIL(&w->over, job, link);
		eventfd_write(w->fd, 1);
		monitor_tell(&w->monitor);
	}
	is_ours = --w->n_threads == 0 && w->left_behind;
	monitor_tell(&w->monitor);
	monitor_unlock(&w->monitor);
	if (is_ours)
		memory_free(w);
	return NULL;
}

/* Locked. When there is none to be had, run_here helps. */
static void thread_add(struct worker *w)
{
	pthread_t thread;

	if (w->n_idle >= w->n_waiting || w->n_threads == w->n_threads_max ||
		thread_start(&thread, thread_run, w) != 0)
		return;
	pthread_detach(thread);
	w->n_threads++;
}

/* ---- the loop's thread ---- */

/* NULL: a thread takes the jobs that wait. */
static struct job *job_without_thread(struct worker *w)
{
	struct job *job = NULL;

	monitor_lock(&w->monitor);
	if (w->n_threads == 0 && w->n_waiting)
		job = waiting_take(w);
	monitor_unlock(&w->monitor);
	return job;
}

/* It holds the loop, which is better than not to be run at all. */
static void run_here(struct worker *w)
{
	struct job *job = job_without_thread(w);

	if (!job)
		return;
	job->run(job->arg);
	monitor_lock(&w->monitor);
	STAILQ_INSERT_TAIL(&w->over, job, link);
	eventfd_write(w->fd, 1);
	monitor_unlock(&w->monitor);
}

void worker_start(struct worker *w, job_fn run, job_fn done, void *arg)
{
	struct job *job = xcalloc(1, sizeof(*job));

	job->run = run;
	job->done = done;
	job->arg = arg;
	if (!w->watch)
		w->watch =
			watch_start(w->loop, w->fd, WATCH_READ, worker_over, w);
	w->n_jobs++;
	monitor_lock(&w->monitor);
	STAILQ_INSERT_TAIL(&w->waiting, job, link);
	w->n_waiting++;
	thread_add(w);
	monitor_tell(&w->monitor);
	monitor_unlock(&w->monitor);
	run_here(w);
}

static struct job *job_over(struct worker *w)
{
	struct job *job;

	monitor_lock(&w->monitor);
	job = STAILQ_FIRST(&w->over);
	if (job)
		STAILQ_REMOVE_HEAD(&w->over, link);
	monitor_unlock(&w->monitor);
	return job;
}

/* What `done` starts is not done in the same call. */
static void tell_over(struct worker *w)
{
	struct job *job;

	for (int n = w->n_jobs; n > 0 && (job = job_over(w)); n--) {
		w->n_jobs--;
		if (!w->n_jobs)
			watch_cancel(&w->watch);
		job->done(job->arg);
		free(job);
	}
}

static void worker_over(int fd, int what, void *arg)
{
	eventfd_t n;

	if (eventfd_read(fd, &n) == 0)
		tell_over(arg);
}

bool worker_wait(struct worker *w, int64_t wait_ms)
{
	int64_t until_ms = clock_awake_ms() + wait_ms;
	bool in_time = true;

	while (in_time && w->n_jobs) {
		monitor_lock(&w->monitor);
		while (in_time && STAILQ_EMPTY(&w->over))
			in_time = monitor_wait_until(&w->monitor, until_ms);
		monitor_unlock(&w->monitor);
		tell_over(w);
	}
	return !w->n_jobs;
}

bool worker_free(struct worker **worker)
{
	struct worker *w = *worker;
	bool left_behind;

	if (!w)
		return true;
	*worker = NULL;
	watch_cancel(&w->watch);
	monitor_lock(&w->monitor);
	w->closing = true;
	left_behind = w->left_behind = w->n_running > 0;
	monitor_tell(&w->monitor);
	while (!left_behind && w->n_threads)
		monitor_wait(&w->monitor);
	monitor_unlock(&w->monitor);
	if (!left_behind)
		memory_free(w);
	return !left_behind;
}
