/* SPDX-License-Identifier: Apache-2.0 */
/* Drills that were made; see drills.h. */
#include "serve/drills.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/desk.h"
#include "serve/metrics_page.h"
#include "store/store_drill.h"

#define LOOK_MS 60000 /* between two looks */

struct drills {
	struct desk_job job; /* a look */
	struct loop *loop;
	struct desk *desk;
	struct metrics_page *page;
	struct timer *timer;
	struct arena arena; /* of the look under way */
	struct store_drill *list;
	size_t n;
	bool stopped;
};

/* ---- looking ---- */

static void drills_look(void *arg)
{
	struct drills *drills = arg;

	drills->timer = NULL;
	desk_give(drills->desk, &drills->job);
}

static int look_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct drills *drills = (struct drills *)job;

	return store_drills_list(
		store, &drills->arena, &drills->list, &drills->n, err_r);
}

static void look_done(struct desk_job *job, const struct err *err)
{
	struct drills *drills = (struct drills *)job;

	if (err)
		log_line(LOG_WARN, "event=drills error=\"%s\"", err->text);
	for (size_t i = 0; !err && i < drills->n; i++)
		metrics_drill(drills->page, drills->list[i].service,
			drills->list[i].time_ms);
	arena_fini(&drills->arena);
	if (!drills->stopped)
		drills->timer =
			timer_start(drills->loop, LOOK_MS, drills_look, drills);
}

/* ---- noting ---- */

struct noting {
	struct desk_job job;
	struct store_drill drill; /* its texts are owned */
};

static int note_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	return store_drill_note(store, &((struct noting *)job)->drill, err_r);
}

static void note_done(struct desk_job *job, const struct err *err)
{
	struct noting *noting = (struct noting *)job;

	if (err)
		log_line(LOG_WARN, "event=drill service=%s error=\"%s\"",
			noting->drill.service, err->text);
	free((char *)noting->drill.service);
	free((char *)noting->drill.who);
	free(noting);
}

void drills_note(struct drills *drills, const char *service, const char *who)
{
	struct noting *noting;
	int64_t now_ms = loop_wall_ms(drills->loop);

	metrics_drill(drills->page, service, now_ms);
	if (drills->stopped)
		return;
	noting = xcalloc(1, sizeof(*noting));
	noting->job.run = note_run;
	noting->job.done = note_done;
	noting->drill = (struct store_drill){.service = xstrdup(service),
		.who = xstrdup(who),
		.time_ms = now_ms};
	desk_give(drills->desk, &noting->job);
}

/* ---- its life ---- */

struct drills *drills_new(
	struct loop *loop, struct desk *desk, struct metrics_page *page)
{
	struct drills *drills = xcalloc(1, sizeof(*drills));

	drills->job.run = look_run;
	drills->job.done = look_done;
	drills->loop = loop;
	drills->desk = desk;
	drills->page = page;
	arena_init(&drills->arena);
	drills->timer = timer_start(loop, 0, drills_look, drills);
	return drills;
}

void drills_stop(struct drills *drills)
{
	drills->stopped = true;
	timer_cancel(&drills->timer);
}

void drills_free(struct drills **drills)
{
	if (!*drills)
		return;
	timer_cancel(&(*drills)->timer);
	arena_fini(&(*drills)->arena);
	free(*drills);
	*drills = NULL;
}
