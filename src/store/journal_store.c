/* SPDX-License-Identifier: Apache-2.0 */
/* The thread that writes to the state file; see journal_store.h. */
#include "store/journal_store.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct journal_store {
	struct worker *worker; /* NULL: the file is in memory */
	char *path;
	struct store *store; /* of the job that runs; NULL: not open; in memory
			      * it is the loop's */
};

static void open_run(void *arg)
{
	struct err err;

	(void)!journal_store_use(arg, &err); /* the first job tries again */
}

static void open_done(void *arg)
{
}

struct journal_store *journal_store_new(
	struct loop *loop, struct store *store, struct err *err_r)
{
	struct worker *worker = NULL;
	struct journal_store *own;
	bool is_in_memory = store_is_in_memory(store);

	if (!is_in_memory) {
		worker = worker_new(loop, 1, err_r);
		if (!worker)
			return NULL;
	}
	own = xcalloc(1, sizeof(*own));
	own->worker = worker;
	own->path = xstrdup(store_path(store));
	if (is_in_memory)
		own->store = store;
	else
		worker_start(worker, open_run, open_done, own);
	return own;
}

bool journal_store_free(struct journal_store **own_p)
{
	struct journal_store *own = *own_p;
	bool is_ours = own->worker;

	*own_p = NULL;
	if (!worker_free(&own->worker))
		return false;
	if (is_ours)
		store_free(&own->store);
	free(own->path);
	free(own);
	return true;
}

void journal_store_work(
	struct journal_store *own, job_fn run, job_fn done, void *arg)
{
	if (own->worker) {
		worker_start(own->worker, run, done, arg);
		return;
	}
	run(arg);
	done(arg);
}

bool journal_store_wait(struct journal_store *own, int64_t wait_ms)
{
	return !own->worker || worker_wait(own->worker, wait_ms);
}

struct store *journal_store_use(struct journal_store *own, struct err *err_r)
{
	if (!own->store) {
		own->store = store_open(own->path, STORE_EDIT, err_r);
		if (own->store)
			store_hurry(own->store);
	}
	return own->store;
}

const char *journal_store_path(const struct journal_store *own)
{
	return own->path;
}
