/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /rollouts/ID/decide: a decision by the form of a page. Asked once more
 * what it will do, unless it was; then it goes the way of all decisions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/xalloc.h"
#include "io/server.h"
#include "serve/daemon.h"
#include "serve/decision.h"
#include "serve/handlers.h"
#include "serve/page_visit.h"

#define TITLE_MAX 256
#define SEEN_MAX  256

struct deciding {
	struct visit *visit;
	struct decision_order order; /* in the visit's arena */
	char seen[SEEN_MAX];
};

static void deciding_seen(
	const struct view *view, const struct err *err, void *arg);
static void deciding_done(const struct decision_answer *answer, void *arg);

/* ---- what was sent ---- */

static const char *text_of(const struct form *form, const char *name)
{
	const char *text = form_get(form, name);

	return text ? text : "";
}

static int read_order(
	struct deciding *d, const struct form *form, struct err *err_r)
{
	const char *step = text_of(form, DECIDE_STEP);

	d->order = (struct decision_order){
		.rollout = d->visit->part[0],
		.verb = verb_find(text_of(form, DECIDE_VERB)),
		.step = (int)strtol(step, NULL, 10),
		.candidate = text_of(form, DECIDE_CANDIDATE),
		.comment = text_of(form, DECIDE_COMMENT),
	};
	if (d->order.verb == VERBS || !*step ||
		step[strspn(step, "0123456789")] || strlen(step) > 3)
		return err_set(err_r, ERR_USAGE,
			"this is no form of these pages: verb and step are "
			"missing or wrong");
	snprintf(d->seen, sizeof(d->seen), "step %d with %.200s", d->order.step,
		*d->order.candidate ? d->order.candidate : "no candidate yet");
	return 0;
}

void page_decide_post(struct visit *visit)
{
	struct deciding *d = xcalloc(1, sizeof(*d));
	struct form form;
	const char *body;
	struct err err;
	size_t len;

	d->visit = visit;
	body = request_body(visit->request, &len);
	if (form_parse(body, len, &visit->arena, &form, &err) < 0 ||
		read_order(d, &form, &err) < 0) {
		visit_fail(&visit, &err);
		free(d);
		return;
	}
	if (!strcmp(text_of(&form, DECIDE_CONFIRMED), "yes"))
		decision_make(visit->daemon, visit->visitor, &d->order,
			deciding_done, d);
	else
		views_ask(daemon_views(visit->daemon), visit->part[0],
			deciding_seen, d);
}

/* ---- pages ---- */

static void ask(struct deciding *d, const struct view *view, int status,
	const char *problem)
{
	struct page_visitor visitor = page_visitor_of(d->visit);
	struct page_frame frame = page_frame_of(d->visit, &visitor);
	struct decide_view decide = page_decide_view(d->visit, view);
	const struct decide_question question = {.view = &decide,
		.verb = d->order.verb,
		.comment = d->order.comment,
		.problem = problem};
	char title[TITLE_MAX];
	struct buf page;

	snprintf(title, sizeof(title), "%s: %.100s", verb_name(d->order.verb),
		decide.summary->service);
	frame.title = title;
	buf_init(&page, PAGE_BYTES_MAX);
	page_question_write(&page, &frame, &question);
	page_answer(&d->visit, status, &page);
}

/* `seen` NULL: `why` says why not. */
static void refuse(struct deciding *d, const struct view *view, int status,
	const char *seen, const char *why)
{
	struct page_visitor visitor = page_visitor_of(d->visit);
	struct page_frame frame = page_frame_of(d->visit, &visitor);
	struct decide_view decide = page_decide_view(d->visit, view);
	const struct decide_refusal refusal = {.summary = decide.summary,
		.verb = d->order.verb,
		.seen = seen,
		.why = why,
		.comment = d->order.comment};
	struct buf page;

	frame.title = seen ? "It has moved on" : "Not taken";
	buf_init(&page, PAGE_BYTES_MAX);
	page_refusal_write(&page, &frame, &refusal);
	page_answer(&d->visit, status, &page);
}

/* A page that is loaded again decides nothing. */
static void lead_back(struct deciding *d)
{
	struct buf to, page;

	buf_init(&to, SEEN_MAX + STORE_ROLLOUT_ID_MAX);
	buf_addf(&to, "../%s", d->visit->part[0]);
	request_set_header(d->visit->request, "Location", to.data);
	buf_fini(&to);
	buf_init(&page, PAGE_BYTES_MAX);
	page_answer(&d->visit, 303, &page);
}

/* ---- the question ---- */

static bool has_moved_on(
	const struct deciding *d, const struct decide_view *decide)
{
	return decide->summary->step != d->order.step ||
	       strcmp(decide->summary->candidate, d->order.candidate) != 0;
}

static void deciding_seen(
	const struct view *view, const struct err *err, void *arg)
{
	struct deciding *d = arg;
	struct decide_view decide;

	if (!view) {
		visit_fail(&d->visit, err);
	} else if (page_may_see(&d->visit, view)) {
		decide = page_decide_view(d->visit, view);
		if (has_moved_on(d, &decide))
			refuse(d, view, 409, d->seen, NULL);
		else if (!decide.verbs[d->order.verb].may)
			refuse(d, view, 409, NULL,
				decide.verbs[d->order.verb].says);
		else
			ask(d, view, 200, NULL);
	}
	free(d);
}

/* ---- the decision ---- */

static void deciding_done(const struct decision_answer *answer, void *arg)
{
	struct deciding *d = arg;
	int status = decision_status(answer->result);

	if (status < 300) {
		lead_back(d);
	} else if (!answer->may_see) {
		visit_problem(&d->visit, status, decision_code(answer->result),
			"%s", answer->text);
	} else if (answer->result == DECIDED_UNCOMMENTED) {
		ask(d, answer->view, status, answer->text);
	} else {
		refuse(d, answer->view, status,
			answer->result == DECIDED_MOVED_ON ? d->seen : NULL,
			answer->text);
	}
	free(d);
}
