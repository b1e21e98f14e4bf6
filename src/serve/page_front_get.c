/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /: all rollouts that the visitor may see. Those that this process drives
 * are as they are in memory; those that have ended come out of the state file's
 * list, which is read on a thread; those of others are what their journals fold
 * to, as far as that is known soon.
 *
 *   page_front_get ─ front_done ─ fold_begin ─ folded … ─ front_page
 */
#define _GNU_SOURCE /* strcasestr */
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/driven.h"
#include "serve/handlers.h"
#include "serve/page_front.h"
#include "serve/page_visit.h"
#include "serve/readable.h"
#include "serve/shelf.h"

#define ENDED_SHOWN 50 /* without a filter, beside what needs somebody */
#define ENDED_MAX   500 /* looked through for a filter, and for that */
#define ACTIVE_MAX  1000 /* that others drive */
#define FILTER_MAX  200
#define ONLY_MAX    4096
#define FOLDED_MAX  64 /* of others, whose journals are read */
#define FOLD_MS     2000 /* for which they are waited for */
#define FAILED_AGE  INT64_C(604800000) /* a failed rollback needs you so long */

enum { QUERY_SERVICE, QUERY_PERSON, QUERY_OUTCOME, QUERY_ONLY };

const struct field page_front_query[] = {
	[QUERY_SERVICE] = {"service", FIELD_TEXT, .max = FILTER_MAX,
		.about = "Only those of services with this in their full name"},
	[QUERY_PERSON] = {"person", FIELD_TEXT, .max = FILTER_MAX,
		.about = "Only those started by somebody with this in the "
			 "name"},
	[QUERY_OUTCOME] = {"outcome", FIELD_TEXT, .max = FILTER_MAX,
		.about = "Only those that have ended so"},
	[QUERY_ONLY] = {"only", FIELD_TEXT, .max = ONLY_MAX,
		.about = "Only these rollouts' rows, by their ids with commas"},
	{0},
};

/* A rollout that another process drives, or nobody. */
struct foreign {
	struct front_get *front;
	const struct store_rollout *listed;
	struct view_ask *ask; /* NULL: it is not waited for */
	struct summary *summary; /* NULL: not known */
	enum front_place place;
};

struct front_get {
	struct desk_job job;
	struct visit *visit;
	struct front_view view;
	const char *only; /* NULL: all */
	struct store_rollout *active, *ended;
	size_t n_active, n_ended;
	struct front_row *rows;
	size_t n_rows, size;
	struct foreign *foreign; /* one for each that is active */
	size_t n_asked;
	struct timer *patience;
};

static int front_run(
	struct desk_job *job, struct store *store, struct err *err_r);
static void front_done(struct desk_job *job, const struct err *err);
static void fold_begin(struct front_get *front);
static void folded(const struct view *view, const struct err *err, void *arg);
static void fold_late(void *arg);
static void front_page(struct front_get *front);

static const char *text_of(const struct field_value *value)
{
	return value->there ? value->text : "";
}

void page_front_get(struct visit *visit)
{
	struct field_value value[FIELDS_MAX];
	struct front_get *front;
	struct err err;

	if (fields_of_query(visit, page_front_query, value, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	front = xcalloc(1, sizeof(*front));
	front->visit = visit;
	front->view.filter = (struct front_filter){
		text_of(&value[QUERY_SERVICE]), text_of(&value[QUERY_PERSON]),
		text_of(&value[QUERY_OUTCOME])};
	front->only = value[QUERY_ONLY].there ? value[QUERY_ONLY].text : NULL;
	front->job.run = front_run;
	front->job.done = front_done;
	desk_give(daemon_desk(visit->daemon), &front->job);
}

/* ---- the lists, on the desk's thread ---- */

static bool is_filtered(const struct front_get *front)
{
	const struct front_filter *filter = &front->view.filter;

	return *filter->service || *filter->person || *filter->outcome;
}

static int front_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct front_get *front = (struct front_get *)job;
	struct store_filter active = {.unfinished = true, .limit = ACTIVE_MAX};
	struct store_filter ended = {.state = STORE_ENDED, .limit = ENDED_MAX};

	if (readable_list(front->visit, store, &active, &front->active,
		    &front->n_active, err_r) < 0)
		return -1;
	return readable_list(front->visit, store, &ended, &front->ended,
		&front->n_ended, err_r);
}

/* ---- which ones ---- */

static bool contains(const char *text, const char *part)
{
	return !*part || strcasestr(text, part) != NULL;
}

static bool is_wanted(const struct front_get *front, const char *service,
	const char *starter, const char *phase)
{
	const struct front_filter *filter = &front->view.filter;
	const struct visit *visit = front->visit;

	return contains(service, filter->service) &&
	       contains(starter, filter->person) &&
	       (!*filter->outcome || !strcmp(phase, filter->outcome)) &&
	       access_may(daemon_access(visit->daemon), visit->visitor,
		       RIGHT_READ, service, NULL, NULL);
}

/* Whether the row is to be sent; it counts in any case. */
static bool is_asked_for(
	const struct front_get *front, const char *id, enum front_place place)
{
	size_t len = strlen(id);
	const char *at = front->only;

	if (!at)
		return front->n_rows <
		       FRONT_ROWS_MAX * (place == FRONT_NEEDS_YOU ? 2 : 1);
	for (; (at = strstr(at, id)); at += len)
		if ((at == front->only || at[-1] == ',') &&
			(at[len] == ',' || !at[len]))
			return true;
	return false;
}

static struct front_row *add_row(struct front_get *front)
{
	if (front->n_rows == front->size) {
		front->size = 2 * front->size + 64;
		front->rows = xrealloc(
			front->rows, front->size, sizeof(*front->rows));
	}
	return &front->rows[front->n_rows++];
}

static void name_service(
	struct front_get *front, struct front_row *row, const char *service)
{
	struct err err;

	if (service_name_parse(
		    &row->service, service, &front->visit->arena, &err) < 0)
		row->service = (struct service_name){service, "", "", service};
}

static bool may_operate(const struct front_get *front, const char *service)
{
	const struct visit *visit = front->visit;

	return access_may(daemon_access(visit->daemon), visit->visitor,
		RIGHT_OPERATE, service, NULL, NULL);
}

/* ---- those that are driven here ---- */

static const struct summary *summary_of(
	const struct front_get *front, const struct driven *driven)
{
	const struct driver *driver = driven_driver(driven);
	const struct rollout *state = driver_state(driver);
	struct summary_source source = {
		.policy = driver_policy(driver),
		.rollout = state,
		.id = driver_id(driver),
		.service = driven_service(driven),
		.candidate = driver_candidate(driver),
		.stable = driver_stable(driver),
		.starter = state->starter,
		.started_ms = state->started_ms,
		.now_ms = driver_now(driver),
		.read_ms = loop_wall_ms(daemon_loop(front->visit->daemon)),
		.driver = SUMMARY_DRIVEN,
		.journal = driver_is_unjournaled(driver) ? SUMMARY_UNJOURNALED
			   : driver_is_late(driver)      ? SUMMARY_JOURNAL_LATE
							 : SUMMARY_JOURNALED,
	};

	return summary_make(&source, &front->visit->arena);
}

static enum front_place place_of(
	const struct front_get *front, const struct driven *driven)
{
	char policy[SHELF_NAME_MAX];
	const struct driver *driver = driven_driver(driven);
	const struct rollout *state = driver_state(driver);
	const struct ruling_case about = {
		.access = daemon_access(front->visit->daemon),
		.visitor = front->visit->visitor,
		.policy = driver_policy(driver),
		.rollout = state,
		.service = driven_service(driven),
		.policy_name =
			shelf_name_of(driver_policy(driver)->path, policy),
	};

	return front_place_of(state->phase,
		ruling_of(&about, VERB_APPROVE).why == RULING_ALLOWED,
		may_operate(front, driven_service(driven)));
}

static void add_driven(struct front_get *front, const struct driven *driven)
{
	const struct rollout *state = driver_state(driven_driver(driven));
	enum front_place place;
	struct front_row *row;

	if (!driver_seq(driven_driver(driven)))
		return; /* it waits for its lease: see is_foreign */
	if (!is_wanted(front, driven_service(driven), state->starter,
		    phase_name(state->phase)))
		return;
	place = place_of(front, driven);
	front->view.n[place]++;
	if (!is_asked_for(front, driver_id(driven_driver(driven)), place))
		return;
	row = add_row(front);
	row->place = place;
	row->summary = summary_of(front, driven);
	name_service(front, row, driven_service(driven));
}

/* ---- those that are driven elsewhere ---- */

/* What rows show of it, which outlives the view. */
static struct summary *summary_copy(
	const struct summary *of, struct arena *arena)
{
	struct summary *summary = arena_alloc(arena, sizeof(*summary));

	summary->id = arena_strdup(arena, of->id);
	summary->candidate = arena_strdup(arena, of->candidate);
	summary->stable = arena_strdup(arena, of->stable);
	summary->phase = of->phase;
	summary->is_paused = of->is_paused;
	summary->waits_for_people = of->waits_for_people;
	summary->candidate_percent = of->candidate_percent;
	summary->step = of->step;
	summary->n_steps = of->n_steps;
	summary->started_ms = of->started_ms;
	summary->ended_ms = of->ended_ms;
	summary->people.starter = arena_strdup(arena, of->people.starter);
	summary->now = arena_strdup(arena, of->now);
	summary->next = arena_strdup(arena, of->next);
	return summary;
}

/* The words are those of the rollout's own page. */
static void take_view(struct foreign *foreign, const struct view *view)
{
	struct front_get *front = foreign->front;
	struct decide_view decide = page_decide_view(front->visit, view);

	foreign->summary = summary_copy(decide.summary, &front->visit->arena);
	foreign->place = front_place_of(decide.summary->phase,
		decide.verbs[VERB_APPROVE].may,
		may_operate(front, view->snapshot->row.service));
}

static void folded(const struct view *view, const struct err *err, void *arg)
{
	struct foreign *foreign = arg;
	struct front_get *front = foreign->front;

	(void)err; /* its row is what the list has */
	foreign->ask = NULL;
	if (view)
		take_view(foreign, view);
	if (!--front->n_asked)
		front_page(front);
}

static void fold_late(void *arg)
{
	struct front_get *front = arg;

	front->patience = NULL;
	for (size_t i = 0; i < front->n_active; i++)
		views_cancel(&front->foreign[i].ask);
	front_page(front);
}

/* ---- those of the list ---- */

static const char *say_end(
	const struct front_get *front, const struct store_rollout *row)
{
	struct arena *arena = &front->visit->arena;

	if (*row->reason)
		return row->reason;
	if (phase_find(row->phase) == PHASE_PROMOTED)
		return arena_printf(arena, "%s serves 100 %%.", row->candidate);
	return row->ended_ms ? "" : "Another process drives it, or nobody.";
}

static struct summary *summary_listed(
	const struct front_get *front, const struct store_rollout *listed)
{
	struct summary *summary =
		arena_alloc(&front->visit->arena, sizeof(*summary));

	summary->id = listed->id;
	summary->candidate = listed->candidate;
	summary->stable = listed->stable;
	summary->phase = phase_find(listed->phase);
	summary->started_ms = listed->started_ms;
	summary->ended_ms = listed->ended_ms;
	summary->people.starter = listed->starter;
	summary->now = say_end(front, listed);
	summary->next = "";
	summary->step = -1;
	return summary;
}

/* `summary` NULL: what the list has. */
static void add_listed(struct front_get *front,
	const struct store_rollout *listed, enum front_place place,
	const struct summary *summary)
{
	struct front_row *row;

	front->view.n[place]++;
	if (!is_asked_for(front, listed->id, place))
		return;
	row = add_row(front);
	row->place = place;
	row->summary = summary ? summary : summary_listed(front, listed);
	name_service(front, row, listed->service);
}

static bool is_wanted_row(
	const struct front_get *front, const struct store_rollout *row)
{
	return is_wanted(front, row->service, row->starter, row->phase);
}

/* A later release of the service has told what became of it. */
static bool is_superseded(const struct front_get *front, size_t i)
{
	const char *service = front->ended[i].service;

	for (size_t k = 0; k < i; k++)
		if (!strcmp(front->ended[k].service, service))
			return true;
	return driven_of_service(
		       daemon_driven(front->visit->daemon), service) != NULL;
}

static enum front_place place_of_end(const struct front_get *front, size_t i)
{
	const struct store_rollout *row = &front->ended[i];
	int64_t now_ms = loop_wall_ms(daemon_loop(front->visit->daemon));

	if (phase_find(row->phase) != PHASE_ROLLBACK_FAILED ||
		now_ms - row->ended_ms > FAILED_AGE || is_superseded(front, i))
		return FRONT_RECENT;
	return front_place_of(
		PHASE_ROLLBACK_FAILED, false, may_operate(front, row->service));
}

/* ---- together ---- */

static int by_urgency(const void *a, const void *b)
{
	const struct summary *left = ((const struct front_row *)a)->summary;
	const struct summary *right = ((const struct front_row *)b)->summary;
	int64_t left_ms = left->ended_ms ? left->ended_ms : left->started_ms;
	int64_t right_ms =
		right->ended_ms ? right->ended_ms : right->started_ms;

	if (left->waits_for_people != right->waits_for_people)
		return left->waits_for_people ? -1 : 1;
	if (left_ms != right_ms)
		return left_ms > right_ms ? -1 : 1;
	return strcmp(left->id, right->id);
}

/* Of those that need nobody the newest are enough, unless they are filtered. */
static void add_ended(struct front_get *front, size_t i)
{
	enum front_place place = place_of_end(front, i);

	if (place == FRONT_NEEDS_YOU || is_filtered(front) || i < ENDED_SHOWN)
		add_listed(front, &front->ended[i], place, NULL);
}

/* Also what this daemon has taken up, until it has the lease. */
static bool is_foreign(
	const struct front_get *front, const struct store_rollout *row)
{
	const struct driven *driven =
		driven_find(daemon_driven(front->visit->daemon), row->id);

	return (!driven || !driver_seq(driven_driver(driven))) &&
	       is_wanted_row(front, row);
}

static void gather(struct front_get *front)
{
	const struct driven_set *set = daemon_driven(front->visit->daemon);
	const struct driven *driven;
	size_t i;

	for (driven = driven_first(set); driven; driven = driven_next(driven))
		add_driven(front, driven);
	for (i = 0; i < front->n_active; i++)
		if (is_foreign(front, &front->active[i]))
			add_listed(front, &front->active[i],
				front->foreign[i].place,
				front->foreign[i].summary);
	for (i = 0; i < front->n_ended; i++)
		if (!driven_find(set, front->ended[i].id) &&
			is_wanted_row(front, &front->ended[i]))
			add_ended(front, i);
	if (front->n_rows)
		qsort(front->rows, front->n_rows, sizeof(*front->rows),
			by_urgency);
	front->view.rows = front->rows;
	front->view.n_rows = front->n_rows;
}

static void front_free(struct front_get *front)
{
	free(front->foreign);
	free(front->rows);
	free(front);
}

static void front_page(struct front_get *front)
{
	struct page_visitor visitor = page_visitor_of(front->visit);
	struct page_frame frame = page_frame_of(front->visit, &visitor);
	struct buf page;

	timer_cancel(&front->patience);
	gather(front);
	frame.title = "Rollouts";
	frame.follows = "front";
	frame.n_waiting = front->view.n[FRONT_NEEDS_YOU];
	buf_init(&page, PAGE_BYTES_MAX);
	page_front_write(&page, &frame, &front->view);
	page_answer(&front->visit, 200, &page);
	front_free(front);
}

static void fold_begin(struct front_get *front)
{
	struct daemon *daemon = front->visit->daemon;
	struct foreign *foreign;

	front->foreign = xcalloc(front->n_active + 1, sizeof(*front->foreign));
	for (size_t i = 0; i < front->n_active; i++) {
		foreign = &front->foreign[i];
		foreign->front = front;
		foreign->listed = &front->active[i];
		foreign->place = FRONT_RUNNING;
		if (front->n_asked == FOLDED_MAX ||
			!is_foreign(front, foreign->listed) ||
			!is_asked_for(
				front, foreign->listed->id, FRONT_RUNNING))
			continue;
		front->n_asked++;
		foreign->ask = views_ask(daemon_views(daemon),
			foreign->listed->id, folded, foreign);
	}
	if (front->n_asked)
		front->patience = timer_start(
			daemon_loop(daemon), FOLD_MS, fold_late, front);
	else
		front_page(front);
}

static void front_done(struct desk_job *job, const struct err *err)
{
	struct front_get *front = (struct front_get *)job;

	if (!err) {
		fold_begin(front);
		return;
	}
	visit_fail(&front->visit, err);
	front_free(front);
}
