/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads of io/worker.h without threads: a job runs in a later turn of the
 * fake loop and is told in one after that, so that a process can stand still or
 * die in between. Jobs run one after the other.
 */
#ifndef TIDEGATE_TEST_FAKE_WORKER_H
#define TIDEGATE_TEST_FAKE_WORKER_H

#include <stdint.h>

#include "io/worker.h"

/* From now on each job takes up to so long, before it runs and after it; 0: it
 * takes no time. */
void fake_worker_slow(int64_t ms_max);
/* So long a job takes at most from its start until it is told. */
int64_t fake_worker_job_ms_max(void);
/* Jobs do not run, as on a disk that hangs, until it is over. */
void fake_worker_hang(bool hangs);

#endif
