/* SPDX-License-Identifier: Apache-2.0 */
/* GET /services/PROJECT/REGION/SERVICE: one service and its releases, out of
 * the state file's list, and out of memory while one of them runs. */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/page_service.h"
#include "serve/page_visit.h"
#include "serve/service_facts.h"
#include "serve/watch.h"

#define FIGURES 5

struct service_get {
	struct desk_job job;
	struct visit *visit;
	struct store_rollout *list;
	struct service_facts facts;
	struct page_fact figures[FIGURES];
	int64_t now_ms;
};

static int service_run(
	struct desk_job *job, struct store *store, struct err *err_r);
static void service_done(struct desk_job *job, const struct err *err);

void page_service_get(struct visit *visit)
{
	struct service_get *get;
	struct service_name name;
	struct err err;
	const char *full = arena_printf(&visit->arena, SERVICE_NAME_FORMAT,
		visit->part[0], visit->part[1], visit->part[2]);

	if (service_name_parse(&name, full, &visit->arena, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	if (!access_may(daemon_access(visit->daemon), visit->visitor,
		    RIGHT_READ, name.full, NULL, &err)) {
		visit_fail(&visit, &err);
		return;
	}
	get = xcalloc(1, sizeof(*get));
	get->visit = visit;
	get->now_ms = loop_wall_ms(daemon_loop(visit->daemon));
	get->facts.view.service = name;
	get->job.run = service_run;
	get->job.done = service_done;
	desk_give(daemon_desk(visit->daemon), &get->job);
}

static int service_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct service_get *get = (struct service_get *)job;
	const struct store_filter filter = {
		.service = get->facts.view.service.full,
		.limit = SERVICE_RELEASES_MAX};

	if (store_rollout_list(store, &filter, &get->visit->arena, &get->list,
		    &get->facts.n, err_r) < 0)
		return -1;
	get->facts.arena = &get->visit->arena;
	get->facts.list = get->list;
	return service_facts_read(&get->facts, store, get->now_ms, err_r);
}

/* ---- figures ---- */

/* A median with its 90th percentile; what is not known is said so. */
static struct page_fact times_fact(struct service_facts *facts,
	const char *name, const struct service_times *times, const char *why)
{
	char median[DURATION_TEXT_MAX], p90[DURATION_TEXT_MAX];

	if (!times->n)
		return (struct page_fact){name, "not known", why};
	duration_print(times->median_ms / 1000 * 1000, median);
	duration_print(times->p90_ms / 1000 * 1000, p90);
	return (struct page_fact){name, arena_strdup(facts->arena, median),
		arena_printf(facts->arena, "median of %zu, 90 %%: %s", times->n,
			p90)};
}

static void say_figures(struct service_get *get)
{
	struct service_facts *facts = &get->facts;
	int moved = facts->n_promoted + facts->n_failed;
	char text[DURATION_TEXT_MAX];

	if (!moved)
		return;
	get->figures[0] = (struct page_fact){"promoted",
		arena_printf(facts->arena, "%d", facts->n_promoted),
		arena_printf(facts->arena, "in %d weeks", SERVICE_WEEKS)};
	get->figures[1] = (struct page_fact){"change failure rate",
		arena_printf(
			facts->arena, "%d %%", 100 * facts->n_failed / moved),
		arena_printf(facts->arena, "%d of %d", facts->n_failed, moved)};
	if (facts->n_promoted)
		get->figures[2] = (struct page_fact){"from start to promoted",
			arena_strdup(facts->arena,
				duration_print(
					facts->median_ms / 1000 * 1000, text)),
			"median"};
	get->figures[3] = times_fact(facts, "lead time", &facts->lead,
		"no start told when it was committed");
	get->figures[4] = times_fact(facts, "time to restore", &facts->restore,
		"nothing was taken back for its checks");
	facts->view.figures = get->figures;
	facts->view.n_figures = FIGURES;
}

/* ---- the watch ---- */

static void say_watch(struct service_get *get)
{
	struct service_view *view = &get->facts.view;
	const struct watched *watched = watch_find(
		daemon_watch(get->visit->daemon), view->service.full);
	struct watch_status status;

	if (!watched)
		return;
	watch_status_of(watched, &status);
	view->watch = (struct service_watch){
		.policy = status.policy,
		.state = watch_state_name(status.state),
		.text = status.text,
		.waiting = status.waiting,
		.skipped = status.skipped,
		.skipped_for = status.skipped_for,
		.skipped_ms = status.skipped_ms,
		.seen_ms = status.seen_ms,
	};
}

/* ---- together ---- */

static void service_page(struct service_get *get)
{
	struct page_visitor visitor = page_visitor_of(get->visit);
	struct page_frame frame = page_frame_of(get->visit, &visitor);
	struct buf page;

	get->facts.arena = &get->visit->arena;
	get->facts.driven = daemon_driven(get->visit->daemon);
	get->facts.list = get->list;
	service_facts_find(&get->facts, frame.now_ms);
	say_figures(get);
	say_watch(get);
	frame.title = get->facts.view.service.name;
	buf_init(&page, PAGE_BYTES_MAX);
	page_service_write(&page, &frame, &get->facts.view);
	page_answer(&get->visit, 200, &page);
}

static void service_done(struct desk_job *job, const struct err *err)
{
	struct service_get *get = (struct service_get *)job;

	if (err)
		visit_fail(&get->visit, err);
	else
		service_page(get);
	free(get);
}
