/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/v1/rollouts/ID, its events and its report. */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/journal_stream.h"
#include "serve/rollout_json.h"
#include "serve/shelf.h"
#include "serve/views.h"
#include "status/journal_print.h"

#define EVENTS_MAX 1000 /* entries in one answer */

/* ---- one rollout ---- */

static void rollout_seen(
	const struct view *view, const struct err *err, void *arg)
{
	struct visit *visit = arg;
	struct buf body;

	if (err) {
		visit_fail(&visit, err);
		return;
	}
	if (!visit_may(&visit, RIGHT_READ, view->snapshot->row.service, NULL))
		return;
	buf_init(&body, VISIT_ANSWER_MAX);
	rollout_json_print(
		daemon_access(visit->daemon), visit->visitor, view, &body);
	visit_answer(&visit, 200, VISIT_JSON, &body);
	buf_fini(&body);
}

void rollout_get(struct visit *visit)
{
	(void)views_ask(daemon_views(visit->daemon), visit->part[0],
		rollout_seen, visit);
}

/* ---- its journal ---- */

enum { EVENTS_AFTER };

const struct field rollout_events_query[] = {
	[EVENTS_AFTER] = {"after", FIELD_WHOLE, .max = INT64_MAX,
		.about = "Only entries after this seq"},
	{0},
};

struct events {
	struct desk_job job;
	struct visit *visit;
	int64_t after_seq;
	struct store_rollout row;
	struct buf lines;
	int left;
};

static int events_entry(
	const struct store_event *entry, void *arg, struct err *err_r)
{
	struct events *events = arg;

	(void)err_r;
	journal_print_json(events->row.id, entry, &events->lines);
	return --events->left == 0 ||
	       events->lines.len > VISIT_ANSWER_MAX - 2 * STORE_EVENT_BYTES_MAX;
}

static int events_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct events *events = (struct events *)job;
	const char *id = events->visit->part[0];
	int found = store_rollout_find(
		store, id, &events->visit->arena, &events->row, err_r);

	if (found < 0)
		return -1;
	if (!found)
		return err_set(err_r, ERR_NOT_FOUND,
			"there is no rollout \"%.160s\"", id);
	events->left = EVENTS_MAX;
	return store_each_event(store, id, events->after_seq, events_entry,
		       events, err_r) < 0
		       ? -1
		       : 0;
}

static void events_done(struct desk_job *job, const struct err *err)
{
	struct events *events = (struct events *)job;

	if (err)
		visit_fail(&events->visit, err);
	else if (visit_may(
			 &events->visit, RIGHT_READ, events->row.service, NULL))
		visit_answer(
			&events->visit, 200, VISIT_JSON_LINES, &events->lines);
	buf_fini(&events->lines);
	free(events);
}

void rollout_events(struct visit *visit)
{
	struct field_value value[FIELDS_MAX];
	struct events *events;
	struct err err;

	if (fields_of_query(visit, rollout_events_query, value, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	if (journal_stream_is_wanted(visit)) {
		journal_stream_open(visit, value[EVENTS_AFTER].number);
		return;
	}
	events = xcalloc(1, sizeof(*events));
	events->visit = visit;
	events->after_seq = value[EVENTS_AFTER].number;
	events->job.run = events_run;
	events->job.done = events_done;
	buf_init(&events->lines, VISIT_ANSWER_MAX);
	desk_give(daemon_desk(visit->daemon), &events->job);
}
