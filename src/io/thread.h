/*
 * Threads for what may wait where nothing else can: they take no signals, which
 * are for the loop's thread. A process in the background that blocks SIGTTOU
 * may also write to its terminal without being stopped.
 */
#ifndef TIDEGATE_IO_THREAD_H
#define TIDEGATE_IO_THREAD_H

#include <pthread.h>

#include "base/err.h"

/* 0, or an errno. It has little stack. */
MUST_CHECK int thread_start(
	pthread_t *thread_r, void *(*fn)(void *), void *arg);

#endif
