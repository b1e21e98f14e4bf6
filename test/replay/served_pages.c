/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of the daemon; see served_pages.h. */
#include "served_pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../unit/situations.h"
#include "base/xalloc.h"
#include "engine/outlook.h"
#include "serve/page_assets.h"
#include "serve/page_front.h"
#include "serve/page_person.h"
#include "serve/page_rollout.h"
#include "serve/page_service.h"

#define PATH_BYTES 4096
#define MANY       500

static const struct page_visitor bob = {.name = "bob",
	.method = "oidc",
	.form_token = "form-token",
	.has_session = true};
static const struct page_visitor eve = {
	.name = "eve", .method = "token", .form_token = ""};

static void must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void write_file(
	const char *folder, const char *name, const void *bytes, size_t len)
{
	char path[PATH_BYTES];
	FILE *file;
	char *slash;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	for (slash = path + strlen(folder); slash;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	must(file, path);
	must(fwrite(bytes, 1, len, file) == len, path);
	must(fclose(file) == 0, path);
}

static void write_page(
	const char *folder, const char *name, const struct buf *out)
{
	must(!out->overflow, name);
	write_file(folder, name, out->data, out->len);
}

/* ---- what a visitor may ---- */

static void take_verbs(struct decide_view *view, const struct policy *policy,
	const struct rollout *rollout, const struct page_visitor *visitor,
	struct arena *arena)
{
	char why[ROLLOUT_TEXT_MAX];

	for (int i = 0; i < VERBS; i++) {
		enum verb verb = (enum verb)i;
		struct decide_verb *v = &view->verbs[i];

		if (visitor == &eve) {
			v->says = verb == VERB_APPROVE
					  ? "eve lacks the right to approve"
					  : "eve lacks the right to operate";
			continue;
		}
		v->may = !rollout_refuses(policy, rollout, verb, rollout->step,
			visitor->name, why);
		v->says = v->may ? view->summary->verbs[verb].says
				 : arena_strdup(arena, why);
	}
}

/* ---- a rollout ---- */

static const struct summary *summary_of(
	const struct report *report, struct arena *arena)
{
	const struct store_rollout *row = &report->row;
	const struct summary_source source = {
		.policy = report->data.policy,
		.rollout = &report->fold.state,
		.lookback = report->lookback,
		.id = row->id,
		.service = row->service,
		.candidate = row->candidate,
		.stable = row->stable,
		.starter = row->starter,
		.started_ms = row->started_ms,
		.ended_ms = row->ended_ms,
		.now_ms = report->data.last_ms,
		.driver = SUMMARY_DRIVEN,
	};

	return summary_make(&source, arena);
}

static void name_of(struct service_name *name, const char *full)
{
	static struct arena arena;
	struct err err;

	if (service_name_parse(name, full, &arena, &err) < 0)
		*name = (struct service_name){full, full, full, full};
}

/* The page, the question before a decision, and what comes when it is late. */
static void write_rollout(const char *folder, const char *name,
	const struct rollout_view *view, const struct page_visitor *visitor)
{
	char path[PATH_BYTES], title[256];
	struct page_frame frame = {.title = title,
		.path = path,
		.visitor = visitor,
		.now_ms = view->summary->now_ms,
		.follows = "rollout",
		.rollout = view->summary->id};
	struct buf out;

	snprintf(title, sizeof(title), "%.60s: %s", view->summary->service,
		phase_name(view->summary->phase));
	snprintf(path, sizeof(path), "/rollouts/%s", name);
	buf_init(&out, PAGE_BYTES_MAX);
	page_rollout_write(&out, &frame, view);
	snprintf(path, sizeof(path), "rollouts/%s.html", name);
	write_page(folder, path, &out);
	buf_fini(&out);
}

static void write_decisions(
	const char *folder, const char *name, const struct rollout_view *view)
{
	const struct decide_question question = {.view = &view->decide,
		.verb = VERB_ABORT,
		.comment = "customers call:\ncheckout is \"slow\"",
		.problem = "Say why: abort needs a comment."};
	const struct decide_refusal moved = {.summary = view->summary,
		.verb = VERB_APPROVE,
		.seen = "step 1 of 3 with backend-00041-abc",
		.comment = "looks good"};
	char path[PATH_BYTES];
	struct page_frame frame = {.title = "abort backend?",
		.path = "/rollouts/x/decide",
		.visitor = &bob,
		.now_ms = view->summary->now_ms};
	struct buf out;

	buf_init(&out, PAGE_BYTES_MAX);
	page_question_write(&out, &frame, &question);
	snprintf(path, sizeof(path), "rollouts/%s/decide.html", name);
	write_page(folder, path, &out);
	buf_clear(&out);
	frame.title = "It has moved on";
	page_refusal_write(&out, &frame, &moved);
	snprintf(path, sizeof(path), "rollouts/%s/moved-on.html", name);
	write_page(folder, path, &out);
	buf_fini(&out);
}

void served_rollout(
	const char *folder, const char *name, const struct report *report)
{
	struct rollout_view view = {.report = report};
	struct arena arena;
	char other[256];

	arena_init(&arena);
	view.summary = view.decide.summary = summary_of(report, &arena);
	name_of(&view.service, report->row.service);
	take_verbs(&view.decide, report->data.policy, &report->fold.state, &bob,
		&arena);
	write_rollout(folder, name, &view, &bob);
	if (!strcmp(name, "waiting") || !strcmp(name, "hostile"))
		write_decisions(folder, name, &view);
	if (!strcmp(name, "waiting")) {
		take_verbs(&view.decide, report->data.policy,
			&report->fold.state, &eve, &arena);
		snprintf(other, sizeof(other), "%s-eve", name);
		write_rollout(folder, other, &view, &eve);
	}
	arena_fini(&arena);
}

/* ---- all rollouts ---- */

struct front {
	struct front_row rows[MANY];
	struct stage stages[MANY];
	struct front_view view;
};

static void add_row(
	struct front *front, size_t i, const struct page_visitor *visitor)
{
	struct stage *stage = &front->stages[i];
	struct decide_view verbs = {.summary = NULL};
	struct front_row *row = &front->rows[i];
	struct summary *summary;

	stage_init(stage);
	situations[i % n_situations].build(stage);
	summary = (struct summary *)stage_look(stage);
	/* Each is another rollout. */
	summary->id = arena_printf(&stage->arena, "%s-%zu", summary->id, i);
	verbs.summary = row->summary = summary;
	take_verbs(&verbs, &stage->test.policy, &stage->world.rollout, visitor,
		&stage->arena);
	name_of(&row->service,
		"projects/acme/locations/us-central1/services/backend");
	row->place = front_place_of(
		summary->phase, verbs.verbs[VERB_APPROVE].may, visitor != &eve);
	front->view.n[row->place]++;
}

static void write_front(const char *folder, const char *name, size_t n,
	const struct page_visitor *visitor)
{
	struct front *front = xcalloc(1, sizeof(*front));
	struct page_frame frame = {.title = "Rollouts",
		.path = "/",
		.visitor = visitor,
		.follows = "front"};
	struct buf out;
	size_t i;

	front->view.filter = (struct front_filter){"", "", ""};
	front->view.rows = front->rows;
	front->view.n_rows = n;
	for (i = 0; i < n; i++)
		add_row(front, i, visitor);
	frame.now_ms = front->stages[0].world.now_ms;
	frame.n_waiting = front->view.n[FRONT_NEEDS_YOU];
	buf_init(&out, PAGE_BYTES_MAX);
	page_front_write(&out, &frame, &front->view);
	write_page(folder, name, &out);
	buf_fini(&out);
	for (i = 0; i < n; i++)
		stage_fini(&front->stages[i]);
	free(front);
}

/* ---- a service ---- */

#define DAY  INT64_C(86400000)
#define NOW  (INT64_C(1767225600000) + 40 * DAY)
#define EVIL "\"><script>window.owned=1</script><img src=x>'</td>"

static void write_service(const char *folder)
{
	static const struct service_traffic traffic[] = {
		{"backend-00042-abc", 50, "candidate"},
		{"backend-00041-xyz", 50, "stable"}};
	static const struct service_release releases[] = {
		{"backend-5", "backend-00042-abc", "alice", "", PHASE_BAKING,
			NOW - DAY / 24, 0},
		{"backend-4", "backend-00041-xyz", "github: repository 5", "",
			PHASE_PROMOTED, NOW - 3 * DAY, NOW - 3 * DAY},
		{"backend-3", "backend-00040-q", "alice",
			"error-rate 14.8 % > 5 %", PHASE_ROLLED_BACK,
			NOW - 9 * DAY, NOW - 9 * DAY},
		{"backend-2", EVIL, EVIL, EVIL, PHASE_REFUSED, NOW - 16 * DAY,
			NOW - 16 * DAY},
		{"backend-1", "backend-00038-a", "bob", "", PHASE_PROMOTED,
			NOW - 39 * DAY, NOW - 39 * DAY}};
	static const struct service_rejected rejected[] = {{"backend-00040-q",
		"backend-3", "error-rate 14.8 % > 5 %", NOW - 9 * DAY}};
	static const struct page_fact figures[] = {
		{"releases", "2 in 4 weeks", "one every 14d"},
		{"failed", "33 %", "1 of 3"},
		{"time to restore", "41s", "median, from the first bad sample"},
	};
	struct service_view view = {.traffic = traffic,
		.n_traffic = 2,
		.traffic_ms = NOW,
		.releases = releases,
		.n_releases = sizeof(releases) / sizeof(releases[0]),
		.figures = figures,
		.n_figures = 3,
		.rejected = rejected,
		.n_rejected = 1,
		.watch = {.policy = "backend-production",
			.state = "waiting",
			.text = EVIL,
			.waiting = "backend-00044-" EVIL,
			.skipped = "backend-00043-abc",
			.skipped_for = "backend-00044-def",
			.skipped_ms = NOW - DAY / 24,
			.seen_ms = NOW}};
	struct page_frame frame = {.title = "backend",
		.path = "/services/acme/us-central1/backend",
		.visitor = &bob,
		.now_ms = NOW};
	struct buf out;

	name_of(&view.service,
		"projects/acme/locations/us-central1/services/backend");
	buf_init(&out, PAGE_BYTES_MAX);
	page_service_write(&out, &frame, &view);
	write_page(folder, "services/acme/us-central1/backend.html", &out);
	buf_fini(&out);
}

/* ---- people ---- */

static void write_me(const char *folder)
{
	static const char *const keys[] = {
		"google:107812345678901234567", "email:bob@example.com", EVIL};
	static const struct me_right rights[] = {
		{"acme/*/backend, acme/*/shop", "", "read, operate, approve"},
		{"", "", "read"}};
	static const struct me_session sessions[] = {
		{"3f9a0c", "oidc", NOW - DAY / 12, NOW, NOW + DAY, true},
		{"77aa01", EVIL, NOW - DAY / 2, NOW - DAY / 4, NOW, false}};
	const struct me_view view = {.visitor = &bob,
		.keys = keys,
		.n_keys = 3,
		.expires_ms = NOW + DAY,
		.rights = rights,
		.n_rights = 2,
		.sessions = sessions,
		.n_sessions = 2};
	const struct page_frame frame = {
		.title = "bob", .path = "/me", .visitor = &bob};
	struct buf out;

	buf_init(&out, PAGE_BYTES_MAX);
	page_me_write(&out, &frame, &view);
	write_page(folder, "me.html", &out);
	buf_fini(&out);
}

static void write_strangers(const char *folder)
{
	static const struct login_way ways[] = {
		{"Google", "login?issuer=0"}, {EVIL, "login?issuer=1"}};
	struct page_frame frame = {.title = "Sign in", .path = "/login"};
	struct buf out;

	buf_init(&out, PAGE_BYTES_MAX);
	page_login_write(&out, &frame, ways, 2, "/rollouts/x?a=\"&b");
	write_page(folder, "login.html", &out);
	buf_clear(&out);
	frame = (struct page_frame){.title = "That is not for you",
		.path = "/services/acme/us-central1/" EVIL,
		.visitor = &eve};
	page_error_write(&out, &frame, "eve lacks the right to `read` " EVIL,
		"An administrator can grant it in `access`.");
	write_page(folder, "services/acme/us-central1/denied.html", &out);
	buf_fini(&out);
}

void served_rest(const char *folder)
{
	char name[PATH_BYTES];

	write_service(folder);
	write_me(folder);
	write_strangers(folder);

	write_front(folder, "index.html", n_situations, &bob);
	write_front(folder, "eve.html", n_situations, &eve);
	write_front(folder, "many.html", MANY, &bob);
	for (size_t i = 0; i < PAGE_ASSETS; i++) {
		snprintf(name, sizeof(name), "assets/%s", page_assets[i].name);
		write_file(
			folder, name, page_assets[i].bytes, page_assets[i].len);
	}
}
