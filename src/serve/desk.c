/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs on the state file, beside the loop; see desk.h. */
#include "serve/desk.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "io/worker.h"
#include "store/store.h"

#define END_MS 10000 /* for the jobs at the end */

struct desk {
	struct worker *worker;
	char *path;
	struct store *store; /* the thread's; NULL: not open yet */
};

struct desk *desk_new(struct loop *loop, const char *path, struct err *err_r)
{
	struct worker *worker = worker_new(loop, 1, err_r);
	struct desk *desk;

	if (!worker)
		return NULL;
	desk = xcalloc(1, sizeof(*desk));
	desk->worker = worker;
	desk->path = xstrdup(path);
	return desk;
}

/* A job that hangs is left behind with all that it uses. */
void desk_free(struct desk **desk_p)
{
	struct desk *desk = *desk_p;

	if (!desk)
		return;
	worker_wait(desk->worker, END_MS);
	if (worker_free(&desk->worker)) {
		store_free(&desk->store);
		free(desk->path);
		free(desk);
	}
	*desk_p = NULL;
}

static void desk_run(void *arg)
{
	struct desk_job *job = arg;
	struct desk *desk = job->desk;

	if (!desk->store)
		desk->store = store_open(desk->path, STORE_EDIT, &job->err);
	job->failed = !desk->store || job->run(job, desk->store, &job->err) < 0;
}

static void desk_done(void *arg)
{
	struct desk_job *job = arg;

	job->done(job, job->failed ? &job->err : NULL);
}

void desk_give(struct desk *desk, struct desk_job *job)
{
	job->desk = desk;
	worker_start(desk->worker, desk_run, desk_done, job);
}
