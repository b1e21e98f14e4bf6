/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's own connection to the state file, and the thread that uses it.
 * Inside the journal only. What is in memory needs no thread: there is nothing
 * to wait for, and two switches of threads take longer than a commit. Then the
 * loop's connection is used, since another reads the whole schema once more.
 */
#ifndef TIDEGATE_STORE_JOURNAL_STORE_H
#define TIDEGATE_STORE_JOURNAL_STORE_H

#include "io/worker.h"
#include "store/store.h"

struct journal_store;

/* Begins to open the file of `store`, beside the loop; `store` outlives it. */
MUST_CHECK struct journal_store *journal_store_new(
	struct loop *loop, struct store *store, struct err *err_r);
/* False: a job hangs; it is left behind with all that it uses. */
bool journal_store_free(struct journal_store **own);

/* One job after the other; see worker_start. In memory both are called now. */
void journal_store_work(
	struct journal_store *own, job_fn run, job_fn done, void *arg);
bool journal_store_wait(struct journal_store *own, int64_t wait_ms);

/* In a job: the connection, which is opened if it could not be before. */
struct store *journal_store_use(struct journal_store *own, struct err *err_r);
const char *journal_store_path(const struct journal_store *own);

#endif
