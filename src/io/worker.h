/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that would hold the loop, on threads: what waits for a disk, and what
 * computes for long. A job is begun in the order in which it was given; with
 * one thread each is over before the next begins.
 *
 * `run` is called on a thread: it must not touch what the loop's thread may
 * touch meanwhile. `done` is called on the loop, once, in a later turn. There is
 * no way to take a job back: who is not interested any more notes that in what
 * `arg` points to, which stays until `done`.
 */
#ifndef TIDEGATE_IO_WORKER_H
#define TIDEGATE_IO_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct loop;
struct worker;

typedef void (*job_fn)(void *arg);

/* Threads are started when they are needed. NULL: no descriptor is left. */
MUST_CHECK struct worker *worker_new(
	struct loop *loop, int n_threads, struct err *err_r);
void worker_start(struct worker *worker, job_fn run, job_fn done, void *arg);

/* Waits, turning no loop, until no job is left, and calls `done` of each; false:
 * it took longer than `wait_ms`. */
bool worker_wait(struct worker *worker, int64_t wait_ms);

/* Jobs that run are left behind with what they use, those that wait and those
 * that ended are forgotten, and no `done` is called: wait for them first. True
 * when none was left behind: then what they use may be freed. NULL inside is
 * accepted. */
bool worker_free(struct worker **worker);

#endif
