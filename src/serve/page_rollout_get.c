/* SPDX-License-Identifier: Apache-2.0 */
/* GET /rollouts/ID: one rollout, with all that led to it. */
#include <stdio.h>

#include "serve/daemon.h"
#include "serve/handlers.h"
#include "serve/page_rollout.h"
#include "serve/page_visit.h"

#define TITLE_MAX 256

static void rollout_page(struct visit **visit, const struct view *view)
{
	const struct rollout_snapshot *snapshot = view->snapshot;
	struct page_visitor visitor = page_visitor_of(*visit);
	struct page_frame frame = page_frame_of(*visit, &visitor);
	struct rollout_view shown = {.report = view->report};
	char title[TITLE_MAX];
	struct err err;
	struct buf page;

	if (service_name_parse(&shown.service, snapshot->row.service,
		    &(*visit)->arena, &err) < 0) {
		visit_fail(visit, &err);
		return;
	}
	shown.decide = page_decide_view(*visit, view);
	shown.summary = shown.decide.summary;
	snprintf(title, sizeof(title), "%.100s: %s", shown.service.name,
		phase_name(shown.summary->phase));
	frame.title = title;
	frame.follows = "rollout";
	frame.rollout = snapshot->row.id;
	frame.n_waiting = shown.decide.verbs[VERB_APPROVE].may;
	buf_init(&page, PAGE_BYTES_MAX);
	page_rollout_write(&page, &frame, &shown);
	page_answer(visit, 200, &page);
}

static void rollout_seen(
	const struct view *view, const struct err *err, void *arg)
{
	struct visit *visit = arg;

	if (!view)
		visit_fail(&visit, err);
	else if (page_may_see(&visit, view))
		rollout_page(&visit, view);
}

void page_rollout_get(struct visit *visit)
{
	views_ask_whole(daemon_views(visit->daemon), visit->part[0],
		rollout_seen, visit);
}
