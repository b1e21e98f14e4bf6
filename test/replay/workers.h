/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same work in as many processes as there are processors, each with its
 * share: scenarios live in globals, so that they cannot be threads.
 */
#ifndef TIDEGATE_TEST_WORKERS_H
#define TIDEGATE_TEST_WORKERS_H

#include <stdint.h>

/* Runs work(i, n) for i from 0 to n - 1, each in a process; 0 when all of them
 * returned 0 and none died. Output is theirs, but for the seed at which one
 * failed or died. */
int workers_run(int (*work)(int worker, int n));

/* Said by a worker of what it is about to play. */
void workers_do(uint64_t seed);

#endif
