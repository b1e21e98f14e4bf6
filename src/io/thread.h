/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads for what may wait where nothing else can: they take no signals, which
 * are for the loop's thread. A process in the background that blocks SIGTTOU
 * may also write to its terminal without being stopped.
 */
#ifndef TIDEGATE_IO_THREAD_H
#define TIDEGATE_IO_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* 0, or an errno. It has little stack. */
MUST_CHECK int thread_start(
	pthread_t *thread_r, void *(*fn)(void *), void *arg);

/* A lock, and word that what it guards has changed. */
struct monitor {
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

void monitor_init(struct monitor *monitor);
void monitor_fini(struct monitor *monitor);
void monitor_lock(struct monitor *monitor);
void monitor_unlock(struct monitor *monitor);
/* Locked. To all who wait; they wait without the lock and have it afterwards. */
void monitor_tell(struct monitor *monitor);
void monitor_wait(struct monitor *monitor);
/* False: nothing was told until then, of clock_awake_ms. */
bool monitor_wait_until(struct monitor *monitor, int64_t until_ms);

#endif
