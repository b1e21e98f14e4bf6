/* Threads without signals; see thread.h. */
#include "io/thread.h"

#include <malloc.h>
#include <signal.h>
#include <stdbool.h>

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
