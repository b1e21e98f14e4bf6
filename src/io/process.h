/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Child processes on the loop: an argument vector, no shell, a process group
 * of its own, no descriptors but 0, 1 and 2, output kept up to a limit.
 *
 * At the timeout, or when cancelled, the whole group gets SIGTERM and, after
 * PROCESS_GRACE_MS, SIGKILL. A child that leaves grandchildren holding its
 * pipes does not hang us: after its exit the pipes are read for the grace at
 * most and the group is killed. No zombie stays.
 *
 * When this process dies, however suddenly, the whole group is killed; and where
 * that is wanted, when it is stopped for long.
 */
#ifndef TIDEGATE_IO_PROCESS_H
#define TIDEGATE_IO_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/err.h"

#define PROCESS_GRACE_MS 2000
/* Until one that was cancelled is gone: twice the grace, for the leader and for
 * who holds its pipes, and a little. */
#define PROCESS_END_MS_MAX         (2 * PROCESS_GRACE_MS + 500)
#define PROCESS_TIMEOUT_MS_DEFAULT 30000
#define PROCESS_OUTPUT_MAX         (64 * 1024) /* kept; the rest is counted */

struct loop;
struct process;

/* The processes of one caller that were cancelled and have not ended yet. Embedded
 * in it, zero at first. */
struct process_crew {
	LIST_HEAD(, process) ending;
};

struct process_spec {
	const char *const
		*argv; /* NULL-terminated; argv[0] looked up in PATH */
	const char *const *env; /* "NAME=value", all of it; NULL: none */
	const char *cwd; /* NULL: ours */
	int64_t timeout_ms; /* 0: the default */
	/* Its standard input, copied and wiped; behind it comes nothing, and
	 * its end is ours. NULL: there is nothing to read. */
	const char *input;
	/* Told of each whole line as it comes, without its end; `arg` is that of
	 * the end. True: it is taken, and not kept. NULL: all is kept. */
	bool (*line)(const char *line, size_t len, void *arg);
	struct process_crew *crew; /* borrowed until its end; NULL: of none */
	/* While we are stopped, by SIGSTOP say, it goes on for so long, in whole
	 * seconds, and about one more; 0: for ever. */
	int64_t stopped_ms_max;
	bool secret; /* stdout alone is kept, and wiped; stderr is thrown away */
};

struct process_end {
	int exit_status; /* -1: not exited by itself */
	int signal; /* 0: none */
	bool timed_out;
	const char *output; /* stdout and stderr together, the first part */
	size_t output_len;
	size_t output_dropped; /* bytes beyond the limit */
	int64_t duration_ms;
	const struct err *err; /* could not be started; else NULL */
};

typedef void (*process_fn)(const struct process_end *end, void *arg);

/* Like http_start: the callback runs exactly once, later. Never NULL. What
 * `spec` points at is only needed during the call. */
struct process *process_start(struct loop *loop,
	const struct process_spec *spec, process_fn fn, void *arg);
/* Kills the group; the loop must go on for PROCESS_GRACE_MS to see its end.
 * NULL inside is accepted, and so is the process whose callback is running. */
void process_cancel(struct process **process);
bool process_crew_is_ending(const struct process_crew *crew);
/* Those that were cancelled have no grace any more. */
void process_crew_kill(const struct process_crew *crew);
/* All were cancelled; those that are left go on to their end for themselves. */
void process_crew_fini(struct process_crew *crew);
/* Turns the loop until all that were cancelled are gone, which is at once when
 * there are none: what is told to end before we do has its grace. Not to be
 * called from a callback. */
void process_let_end(struct loop *loop);

/* Whether argv[0] names a program that may be run; -1 says why not. */
MUST_CHECK int process_find(
	const char *program, const char *cwd, struct err *err_r);

/* For main, first of all: what we have been left by whoever started us.
 * - A descriptor 0, 1 or 2 that is closed is opened the wrong way round, so that
 *   reading or writing it fails as before, and nothing else, such as the state
 *   file, gets its number and what is printed.
 * - A file that reaches its limit (RLIMIT_FSIZE) fails and does not end us.
 * - Signals that were blocked are not: nobody could end us by SIGTERM. */
void process_begin(void);

/* For main, then: keeps our memory, which holds secrets, out of core
 * dumps and out of the reach of other processes of the same user. */
void process_harden(void);

#endif
