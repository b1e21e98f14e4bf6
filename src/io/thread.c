/* SPDX-License-Identifier: Apache-2.0 */
/* Threads without signals, and what they share; see thread.h. */
#include "io/thread.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <time.h>

/* Of addresses, as the first thread has; what is touched is little. */
#define STACK_BYTES ((size_t)8 * 1024 * 1024)

/* An arena of its own for each thread would cost memory, and threads allocate
 * too little to be in each other's way. */
static void share_memory(void)
{
	static bool shared;

	if (!shared)
		mallopt(M_ARENA_MAX, 1);
	shared = true;
}

int thread_start(pthread_t *thread_r, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, saved;
	int error;

	share_memory();
	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	error = pthread_create(thread_r, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	pthread_attr_destroy(&attr);
	return error;
}

/* ---- what they share ---- */

void monitor_init(struct monitor *monitor)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&monitor->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&monitor->changed, &attr);
	pthread_condattr_destroy(&attr);
}

void monitor_fini(struct monitor *monitor)
{
	pthread_cond_destroy(&monitor->changed);
	pthread_mutex_destroy(&monitor->lock);
}

void monitor_lock(struct monitor *monitor)
{
	pthread_mutex_lock(&monitor->lock);
}

void monitor_unlock(struct monitor *monitor)
{
	pthread_mutex_unlock(&monitor->lock);
}

void monitor_tell(struct monitor *monitor)
{
	pthread_cond_broadcast(&monitor->changed);
}

void monitor_wait(struct monitor *monitor)
{
	pthread_cond_wait(&monitor->changed, &monitor->lock);
}

bool monitor_wait_until(struct monitor *monitor, int64_t until_ms)
{
	struct timespec until = {
		until_ms / 1000, until_ms % 1000 * 1000 * 1000};

	return pthread_cond_timedwait(
		       &monitor->changed, &monitor->lock, &until) != ETIMEDOUT;
}
