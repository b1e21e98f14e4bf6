/* SPDX-License-Identifier: Apache-2.0 */
/* GET /me: who the visitor is, what that is good for, and in which browsers; the
 * end of one of these; GET /signed-out. */
#include <stdlib.h>
#include <string.h>

#include "base/form.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "io/server.h"
#include "serve/daemon.h"
#include "serve/desk.h"
#include "serve/handlers.h"
#include "serve/own_sessions.h"
#include "serve/page_person.h"
#include "serve/page_visit.h"
#include "store/store_identity.h"

#define LIST_MAX 4096

/* "a, b"; the text is the visit's. */
static const char *joined(
	struct visit *visit, const char *const *list, size_t n)
{
	const char *text;
	struct buf out;

	buf_init(&out, LIST_MAX);
	for (size_t i = 0; i < n; i++)
		buf_addf(&out, "%s%s", i ? ", " : "", list[i]);
	text = arena_strdup(&visit->arena, out.overflow ? "many" : out.data);
	buf_fini(&out);
	return text;
}

static const char *rights_of(struct visit *visit, unsigned rights)
{
	const char *text;
	struct buf out;

	buf_init(&out, LIST_MAX);
	rights_print(&out, rights);
	text = arena_strdup(&visit->arena, out.data);
	buf_fini(&out);
	return text;
}

static size_t find_rights(struct visit *visit, struct me_right *rights)
{
	const struct access *access = daemon_access(visit->daemon);
	const struct access_row *row;
	size_t n = 0;

	for (size_t i = 0; i < access->n_rows; i++) {
		row = &access->rows[i];
		if (!access_row_is_of(row, visit->visitor))
			continue;
		rights[n++] = (struct me_right){
			joined(visit, row->services, row->n_services),
			joined(visit, row->policies, row->n_policies),
			rights_of(visit, row->may & access_rights(access,
							    visit->visitor)),
		};
	}
	return n;
}

/* ---- the page ---- */

/* A visit to what is about the visitor's own sessions. */
struct person_ask {
	struct desk_job job;
	struct visit *visit;
	struct own_sessions_wish wish;
	struct own_session *list;
	size_t n;
	/* To be ended: its name as it was shown; NULL: they are looked at. */
	const char *name;
	const struct own_session *ended; /* NULL: there is none of that name */
};

static struct person_ask *ask_new(struct visit *visit)
{
	struct person_ask *ask = xcalloc(1, sizeof(*ask));

	ask->visit = visit;
	ask->wish = own_sessions_wish(visit);
	return ask;
}

static int person_run(
	struct desk_job *job, struct store *store, struct err *err_r)
{
	struct person_ask *ask = (struct person_ask *)job;

	return own_sessions_find(store, &ask->wish, &ask->visit->arena,
		&ask->list, &ask->n, err_r);
}

static void write_person(struct person_ask *ask)
{
	struct visit *visit = ask->visit;
	const struct caller *caller = &visit->visitor->caller;
	const struct access *access = daemon_access(visit->daemon);
	struct page_visitor visitor = page_visitor_of(visit);
	struct page_frame frame = page_frame_of(visit, &visitor);
	struct me_session *sessions =
		arena_alloc(&visit->arena, (ask->n + 1) * sizeof(*sessions));
	struct me_right *rights = arena_alloc(
		&visit->arena, (access->n_rows + 1) * sizeof(*rights));
	const struct me_view view = {.visitor = &visitor,
		.keys = caller->keys,
		.n_keys = caller->n_keys,
		.is_machine = caller->is_machine,
		.expires_ms = caller->expires_ms,
		.rights = rights,
		.n_rights = find_rights(visit, rights),
		.sessions = sessions,
		.n_sessions = ask->n};
	struct buf page;

	for (size_t i = 0; i < ask->n; i++)
		sessions[i] = ask->list[i].seen;
	frame.title = visitor.name;
	frame.now_ms = 0;
	buf_init(&page, PAGE_BYTES_MAX);
	page_me_write(&page, &frame, &view);
	page_answer(&ask->visit, 200, &page);
}

static void person_done(struct desk_job *job, const struct err *err)
{
	struct person_ask *ask = (struct person_ask *)job;

	if (err)
		visit_fail(&ask->visit, err);
	else
		write_person(ask);
	free(ask);
}

void page_person_get(struct visit *visit)
{
	struct person_ask *ask = ask_new(visit);

	ask->job.run = person_run;
	ask->job.done = person_done;
	desk_give(daemon_desk(visit->daemon), &ask->job);
}

/* ---- the end of a session ---- */

static int end_run(struct desk_job *job, struct store *store, struct err *err_r)
{
	struct person_ask *ask = (struct person_ask *)job;

	if (person_run(job, store, err_r) < 0)
		return -1;
	for (size_t i = 0; i < ask->n; i++)
		if (!strcmp(ask->list[i].seen.name, ask->name))
			ask->ended = &ask->list[i];
	return ask->ended ? store_session_end(store, ask->ended->hash, err_r)
			  : 0;
}

static void lead_back(struct visit **visit, const char *to)
{
	struct buf page;

	request_set_header((*visit)->request, "Location", to);
	buf_init(&page, PAGE_BYTES_MAX);
	page_answer(visit, 303, &page);
}

static void end_done(struct desk_job *job, const struct err *err)
{
	struct person_ask *ask = (struct person_ask *)job;

	if (err) {
		visit_fail(&ask->visit, err);
	} else if (!ask->ended) {
		visit_problem(&ask->visit, 404, "not-found",
			"You have no such session; it may be over already.");
	} else {
		log_line(LOG_INFO,
			"event=session-end who=\"%s\" session=%s by=\"%s\" "
			"peer=\"%s\"",
			ask->visit->visitor->name, ask->name,
			ask->visit->visitor->caller.proof,
			ask->visit->visitor->caller.peer);
		lead_back(&ask->visit,
			ask->ended->seen.is_this ? "../signed-out" : "../me");
	}
	free(ask);
}

void page_session_end_post(struct visit *visit)
{
	struct person_ask *ask;
	const char *body;
	struct form form;
	struct err err;
	size_t len;

	body = request_body(visit->request, &len);
	if (form_parse(body, len, &visit->arena, &form, &err) < 0) {
		visit_fail(&visit, &err);
		return;
	}
	ask = ask_new(visit);
	ask->name = form_get(&form, "session");
	if (!ask->name)
		ask->name = "";
	ask->job.run = end_run;
	ask->job.done = end_done;
	desk_give(daemon_desk(visit->daemon), &ask->job);
}

/* Nobody has to be signed in to see it. */
void page_signed_out_get(struct visit *visit)
{
	page_sign_in(&visit, 200, "Signed out", "/");
}
