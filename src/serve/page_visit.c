/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of pages share; see page_visit.h. */
#include "serve/page_visit.h"

#include <string.h>

#include "identity/identity.h"
#include "io/loop.h"
#include "serve/daemon.h"
#include "serve/page_person.h"
#include "serve/shelf.h"

struct page_visitor page_visitor_of(const struct visit *visit)
{
	const struct visitor *visitor = visit->visitor;
	const char *method = visitor ? visitor->caller.method : "";

	return (struct page_visitor){
		.name = visitor ? visitor->name : "",
		.method = method,
		.form_token = visitor ? visitor->caller.form_token : "",
		/* The other ways in are none that one could leave. */
		.has_session =
			!strcmp(method, "oidc") || !strcmp(method, "invite"),
	};
}

struct page_frame page_frame_of(
	const struct visit *visit, const struct page_visitor *visitor)
{
	return (struct page_frame){
		.title = "",
		.path = visit->path,
		.visitor = visit->visitor ? visitor : NULL,
		.now_ms = loop_wall_ms(daemon_loop(visit->daemon)),
	};
}

void page_answer(struct visit **visit, int status, struct buf *page)
{
	visit_answer(visit, status, VISIT_HTML, page);
	buf_fini(page);
}

static const char *title_of(int status)
{
	switch (status) {
	case 400:
		return "Not understood";
	case 403:
		return "Not for you";
	case 404:
	case 405:
		return "Not here";
	default:
		return "Not now";
	}
}

static const char *remedy_of(int status)
{
	switch (status) {
	case 403:
		return "Who may do what is told by `access` in the daemon's "
		       "configuration.";
	case 503:
	case 504:
		return "Load the page again in a moment.";
	default:
		return NULL;
	}
}

/* By each issuer with which one can log in, under the name of its host. */
static size_t ways_of(
	struct visit *visit, struct login_way ways[IDENTITY_LOGINS_MAX])
{
	const char *issuers[IDENTITY_LOGINS_MAX], *host;
	size_t n = identity_logins(daemon_identity(visit->daemon), issuers);

	for (size_t i = 0; i < n; i++) {
		host = strstr(issuers[i], "://");
		ways[i].title = host ? host + 3 : issuers[i];
		ways[i].path =
			arena_printf(&visit->arena, "login?issuer=%zu", i);
	}
	return n;
}

void page_sign_in(
	struct visit **visit, int status, const char *title, const char *next)
{
	struct login_way ways[IDENTITY_LOGINS_MAX];
	struct page_frame frame = page_frame_of(*visit, NULL);
	struct buf page;

	frame.title = title;
	frame.now_ms = 0;
	buf_init(&page, PAGE_BYTES_MAX);
	page_login_write(&page, &frame, ways, ways_of(*visit, ways), next);
	page_answer(visit, status, &page);
}

static void answer_problem(struct visit **visit, int status, const char *title,
	const char *detail, const char *remedy)
{
	struct page_visitor visitor = page_visitor_of(*visit);
	struct page_frame frame = page_frame_of(*visit, &visitor);
	struct buf page;

	frame.title = title;
	frame.now_ms = 0;
	buf_init(&page, PAGE_BYTES_MAX);
	page_error_write(&page, &frame, detail, remedy);
	page_answer(visit, status, &page);
}

static const char *login_remedy(enum refusal_code code)
{
	switch (code) {
	case REFUSAL_LOGIN_STATE:
	case REFUSAL_REPLAY:
		return "An invitation opens once, and a login ends in the "
		       "browser in which it began, within ten minutes: begin "
		       "again.";
	case REFUSAL_DOMAIN:
		return "Whose accounts are let in is told by `identity` in the "
		       "daemon's configuration.";
	default:
		return remedy_of(refusal_status(code));
	}
}

void page_login_problem(struct visit **visit, const struct refusal *why)
{
	answer_problem(visit, refusal_status(why->code), "Not signed in",
		arena_printf(&(*visit)->arena,
			"You could not be logged in (%s).",
			refusal_name(why->code)),
		login_remedy(why->code));
}

void page_problem(struct visit **visit, int status, const char *detail)
{
	if (status == 401)
		page_sign_in(visit, status, "Sign in", (*visit)->path);
	else
		answer_problem(visit, status, title_of(status), detail,
			remedy_of(status));
}

struct decide_view page_decide_view(
	const struct visit *visit, const struct view *view)
{
	const struct rollout_snapshot *snapshot = view->snapshot;
	char policy[SHELF_NAME_MAX];
	const struct ruling_case about = {
		.access = daemon_access(visit->daemon),
		.visitor = visit->visitor,
		.policy = snapshot->policy,
		.rollout = &snapshot->fold.state,
		.service = snapshot->row.service,
		.policy_name = shelf_name_of(snapshot->row.policy_path, policy),
	};
	struct arena *arena = (struct arena *)&visit->arena;
	struct decide_view decide;
	struct ruling ruling;

	decide.summary = rollout_snapshot_summary(
		snapshot, view->driver, view->now_ms, NULL, arena);
	for (int i = 0; i < VERBS; i++) {
		ruling = ruling_of(&about, (enum verb)i);
		decide.verbs[i].may = ruling.why == RULING_ALLOWED;
		decide.verbs[i].says =
			decide.verbs[i].may ? decide.summary->verbs[i].says
					    : arena_strdup(arena, ruling.text);
	}
	return decide;
}

bool page_may_see(struct visit **visit, const struct view *view)
{
	const struct access *access = daemon_access((*visit)->daemon);

	if (access_may(access, (*visit)->visitor, RIGHT_READ,
		    view->snapshot->row.service, NULL, NULL))
		return true;
	visit_problem(visit, 404, "not-found",
		"there is no such rollout, or none that you may see");
	return false;
}
