/* GET /services/PROJECT/REGION/SERVICE: one service and its releases, out of
 * the state file's list, and out of memory while one of them runs. */
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/xalloc.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/driven.h"
#include "serve/handlers.h"
#include "serve/page_service.h"
#include "serve/page_visit.h"

#define RELEASES_MAX 200
#define FIGURES      3
#define WEEK_MS      INT64_C(604800000)

struct service_get {
	struct desk_job job;
	struct visit *visit;
	struct service_view view;
	struct store_rollout *list; /* newest first */
	size_t n;
	struct service_traffic traffic[3];
	struct page_fact figures[FIGURES];
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
	if (!access_may(&daemon_config(visit->daemon)->access, visit->visitor,
		    RIGHT_READ, name.full, NULL, &err)) {
		visit_fail(&visit, &err);
		return;
	}
	get = xcalloc(1, sizeof(*get));
	get->visit = visit;
	get->view.service = name;
	get->job.run = service_run;
	get->job.done = service_done;
	desk_give(daemon_desk(visit->daemon), &get->job);
}

static int service_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct service_get *get = (struct service_get *)job;
	const struct store_filter filter = {
		.service = get->view.service.full, .limit = RELEASES_MAX};

	return store_rollout_list(
		store, &filter, &get->visit->arena, &get->list, &get->n, err_r);
}

/* ---- releases ---- */

static void find_releases(struct service_get *get)
{
	struct service_release *releases =
		arena_alloc(&get->visit->arena, get->n * sizeof(*releases) + 1);
	size_t i;

	for (i = 0; i < get->n; i++) {
		const struct store_rollout *row = &get->list[i];

		releases[i] = (struct service_release){.id = row->id,
			.candidate = row->candidate,
			.starter = row->starter,
			.reason = row->reason,
			.phase = phase_find(row->phase),
			.started_ms = row->started_ms,
			.ended_ms = row->ended_ms};
	}
	get->view.releases = releases;
	get->view.n_releases = get->n;
}

static bool has_moved(enum phase phase)
{
	return phase == PHASE_PROMOTED || phase == PHASE_ROLLED_BACK ||
	       phase == PHASE_ROLLBACK_FAILED;
}

/* What its last rollout that moved anything says of a revision. */
static void find_rejected(struct service_get *get)
{
	struct service_rejected *rejected =
		arena_alloc(&get->visit->arena, get->n * sizeof(*rejected) + 1);
	const struct service_release *r = get->view.releases;
	size_t n = 0, i, k;

	for (i = 0; i < get->n; i++) {
		if (!has_moved(r[i].phase) || r[i].phase == PHASE_PROMOTED)
			continue;
		for (k = 0; k < i; k++)
			if (has_moved(r[k].phase) &&
				!strcmp(r[k].candidate, r[i].candidate))
				break;
		if (k == i)
			rejected[n++] =
				(struct service_rejected){r[i].candidate,
					r[i].id, r[i].reason, r[i].ended_ms};
	}
	get->view.rejected = rejected;
	get->view.n_rejected = n;
}

/* ---- traffic ---- */

static void add_traffic(struct service_get *get, const char *revision,
	int percent, const char *role)
{
	get->traffic[get->view.n_traffic++] = (struct service_traffic){
		*revision ? revision : "not known yet", percent, role};
}

/* As a rollout sees it, else as the last one left it. */
static void find_traffic(struct service_get *get, int64_t now_ms)
{
	const struct driven *driven = driven_of_service(
		daemon_driven(get->visit->daemon), get->view.service.full);
	const struct driver *driver;
	const struct split *split;

	get->view.traffic = get->traffic;
	if (driven) {
		driver = driven_driver(driven);
		split = &driver_state(driver)->traffic.serving;
		add_traffic(get, driver_candidate(driver), split->candidate,
			"candidate");
		add_traffic(
			get, driver_stable(driver), split->stable, "stable");
		if (split->other)
			add_traffic(get, "not ours", split->other, "");
		get->view.traffic_ms = now_ms;
		return;
	}
	for (size_t i = 0; i < get->n && !get->view.n_traffic; i++) {
		enum phase phase = phase_find(get->list[i].phase);

		if (phase == PHASE_PROMOTED)
			add_traffic(get, get->list[i].candidate, 100, "stable");
		else if (phase == PHASE_ROLLED_BACK)
			add_traffic(get, get->list[i].stable, 100, "stable");
		else if (phase != PHASE_REFUSED)
			return; /* it was left to others */
		get->view.traffic_ms = get->list[i].ended_ms;
	}
}

/* ---- figures ---- */

static int by_length(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return (left > right) - (left < right);
}

static const char *say_median(
	struct service_get *get, int64_t *lengths, size_t n)
{
	char text[DURATION_TEXT_MAX];

	qsort(lengths, n, sizeof(*lengths), by_length);
	return arena_strdup(&get->visit->arena,
		duration_print(lengths[n / 2] / 1000 * 1000, text));
}

/* Of the last weeks: what was refused has moved nothing and is none. */
static void find_figures(struct service_get *get, int64_t now_ms)
{
	struct arena *arena = &get->visit->arena;
	int64_t *lengths = arena_alloc(arena, get->n * sizeof(*lengths) + 1);
	int promoted = 0, moved = 0;

	for (size_t i = 0; i < get->n; i++) {
		const struct service_release *r = &get->view.releases[i];

		if (!has_moved(r->phase) ||
			now_ms - r->started_ms > SERVICE_WEEKS * WEEK_MS)
			continue;
		moved++;
		if (r->phase == PHASE_PROMOTED)
			lengths[promoted++] = r->ended_ms - r->started_ms;
	}
	if (!moved)
		return;
	get->figures[0] = (struct page_fact){"promoted",
		arena_printf(arena, "%d", promoted),
		arena_printf(arena, "in %d weeks", SERVICE_WEEKS)};
	get->figures[1] = (struct page_fact){"change failure rate",
		arena_printf(arena, "%d %%", 100 * (moved - promoted) / moved),
		arena_printf(arena, "%d of %d", moved - promoted, moved)};
	if (promoted)
		get->figures[2] = (struct page_fact){"from start to promoted",
			say_median(get, lengths, (size_t)promoted), "median"};
	get->view.figures = get->figures;
	get->view.n_figures = FIGURES;
}

/* ---- together ---- */

static void service_page(struct service_get *get)
{
	struct page_visitor visitor = page_visitor_of(get->visit);
	struct page_frame frame = page_frame_of(get->visit, &visitor);
	struct buf page;

	find_releases(get);
	find_rejected(get);
	find_traffic(get, frame.now_ms);
	find_figures(get, frame.now_ms);
	frame.title = get->view.service.name;
	buf_init(&page, PAGE_BYTES_MAX);
	page_service_write(&page, &frame, &get->view);
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
