/* Threads without signals; see thread.h. */
#include "io/thread.h"

#include <signal.h>

#define STACK_BYTES (256 * 1024) /* of addresses; what is touched is little */

int thread_start(pthread_t *thread_r, void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, saved;
	int error;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_sigmask(SIG_SETMASK, &all, &saved);
	error = pthread_create(thread_r, &attr, fn, arg);
	pthread_sigmask(SIG_SETMASK, &saved, NULL);
	pthread_attr_destroy(&attr);
	return error;
}
