/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes what is old; see retention.h. */
#include "serve/retention.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/desk.h"
#include "store/store.h"

#define LOOK_MS INT64_C(3600000) /* between two looks */
#define NEXT_MS 200 /* between two deletions */

struct retention {
	struct desk_job job;
	struct loop *loop;
	struct desk *desk;
	struct timer *timer;
	int64_t keep_ms, before_ms;
	int n_gone; /* by this job */
	bool stopped;
};

static int retention_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct retention *retention = (struct retention *)job;

	retention->n_gone =
		store_rollouts_forget(store, retention->before_ms, err_r);
	return retention->n_gone < 0 ? -1 : 0;
}

static void retention_look(void *arg)
{
	struct retention *retention = arg;

	retention->timer = NULL;
	retention->before_ms =
		loop_wall_ms(retention->loop) - retention->keep_ms;
	desk_give(retention->desk, &retention->job);
}

static void retention_done(struct desk_job *job, const struct err *err)
{
	struct retention *retention = (struct retention *)job;
	bool more = !err && retention->n_gone > 0;

	if (err)
		log_line(LOG_WARN, "event=retention error=\"%s\"", err->text);
	else if (more)
		log_line(LOG_INFO, "event=retention deleted=%d",
			retention->n_gone);
	if (!retention->stopped)
		retention->timer = timer_start(retention->loop,
			more ? NEXT_MS : LOOK_MS, retention_look, retention);
}

struct retention *retention_new(
	struct loop *loop, struct desk *desk, int64_t keep_ms)
{
	struct retention *retention = xcalloc(1, sizeof(*retention));

	retention->job.run = retention_run;
	retention->job.done = retention_done;
	retention->loop = loop;
	retention->desk = desk;
	retention->keep_ms = keep_ms;
	if (keep_ms)
		retention->timer =
			timer_start(loop, NEXT_MS, retention_look, retention);
	return retention;
}

void retention_stop(struct retention *retention)
{
	retention->stopped = true;
	timer_cancel(&retention->timer);
}

void retention_free(struct retention **retention)
{
	if (!*retention)
		return;
	timer_cancel(&(*retention)->timer);
	free(*retention);
	*retention = NULL;
}
