/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two policies on the same recordings: what each makes of them, and where they
 * part; see simulate.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate.h"

#define DECISIONS_MAX  1024 /* of one simulation; later ones are not compared */
#define TEXT_MAX       160
#define LINE_BYTES_MAX 65536

struct decision {
	int64_t time_ms;
	enum note_type type;
	enum phase to;
	int step, percent;
	char text[TEXT_MAX];
};

/* What one policy decided. */
struct course {
	struct sim_result result;
	struct decision decision[DECISIONS_MAX];
	size_t n;
	struct timeline_data *page; /* NULL: none is written */
};

static void listen(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	struct course *course = arg;
	struct decision *d;

	if (course->page)
		simulate_page_take(course->page, sim, event, note);
	if (!note || course->n == DECISIONS_MAX ||
		(note->type != NOTE_PHASE && note->type != NOTE_STEP_PASSED &&
			note->type != NOTE_WOULD_REVERT))
		return;
	d = &course->decision[course->n++];
	*d = (struct decision){.time_ms = sim_now(sim),
		.type = note->type,
		.to = note->to,
		.step = note->step,
		.percent = sim_percent(sim)};
	snprintf(d->text, sizeof(d->text), "%s %d %%: %.120s",
		note->type == NOTE_PHASE ? phase_name(note->to)
					 : note_name(note->type),
		d->percent, note->text);
}

static bool are_alike(const struct decision *a, const struct decision *b)
{
	return a->type == b->type && a->to == b->to && a->step == b->step &&
	       a->time_ms == b->time_ms;
}

/* Index of the first decision that is not the other's. */
static size_t part_at(const struct course *a, const struct course *b)
{
	size_t i = 0;

	while (i < a->n && i < b->n &&
		are_alike(&a->decision[i], &b->decision[i]))
		i++;
	return i;
}

static bool courses_differ(const struct course course[2])
{
	size_t i = part_at(&course[0], &course[1]);

	return i < course[0].n || i < course[1].n;
}

static const char *decision_text(const struct course *course, size_t i,
	char text[SIMULATE_TEXT_MAX], const char **what_r)
{
	if (i == course->n) {
		*what_r = sim_outcome(&course->result);
		return simulate_offset(
			&course->result, course->result.end_ms, text);
	}
	*what_r = course->decision[i].text;
	return simulate_offset(
		&course->result, course->decision[i].time_ms, text);
}

/* ---- people ---- */

static const char *const roles[2] = {"--policy", "--compare"};

static void print_figures(const struct policy *const policies[2],
	const struct course course[2], struct buf *out)
{
	static const char *const heading[] = {
		"", "POLICY", "OUTCOME", "AFTER", "TIME TO REVERT", "EXPOSURE"};
	char after[SIMULATE_TEXT_MAX], reaction[SIMULATE_TEXT_MAX];
	char exposure[SIMULATE_TEXT_MAX];
	const struct sim_result *result;
	struct table table;
	size_t i;

	table_init(&table, sizeof(heading) / sizeof(heading[0]));
	table_add(&table, heading);
	for (i = 0; i < 2; i++) {
		result = &course[i].result;
		table_add(&table,
			(const char *const[]){roles[i], policies[i]->path,
				sim_outcome(result),
				simulate_offset(result, result->end_ms, after) +
					1,
				simulate_reaction(result, reaction),
				simulate_exposure(result, exposure)});
	}
	table_print(&table, out);
	table_fini(&table);
}

static void print_parting(const struct course course[2], struct buf *out)
{
	size_t i, at = part_at(&course[0], &course[1]);
	char offset[SIMULATE_TEXT_MAX];
	const char *what;
	struct table table;

	if (!courses_differ(course)) {
		buf_adds(out, "they decide alike\n");
		return;
	}
	buf_adds(out, "they part here:\n");
	table_init(&table, 3);
	for (i = 0; i < 2; i++) {
		decision_text(&course[i], at, offset, &what);
		table_add(
			&table, (const char *const[]){roles[i], offset, what});
	}
	table_print(&table, out);
	table_fini(&table);
}

static void print_text(const char *path, const struct policy *const policies[2],
	const struct course course[2], struct buf *out)
{
	output_coloured(out, false, COLOUR_NONE, path);
	buf_adds(out, "\n");
	print_figures(policies, course, out);
	print_parting(course, out);
	buf_addc(out, '\n');
}

/* ---- programs ---- */

static void print_json(const char *path, const struct policy *const policies[2],
	const struct course course[2], struct buf *out)
{
	size_t i, at = part_at(&course[0], &course[1]);
	struct jsonw w = {.out = out};
	char offset[SIMULATE_TEXT_MAX];
	const char *what;

	jsonw_object(&w, NULL);
	jsonw_text(&w, "recording", path);
	jsonw_bool(&w, "alike", !courses_differ(course));
	jsonw_array(&w, "policies");
	for (i = 0; i < 2; i++) {
		const struct sim_result *result = &course[i].result;

		jsonw_object(&w, NULL);
		jsonw_text(&w, "policy", policies[i]->path);
		jsonw_text(&w, "outcome", sim_outcome(result));
		jsonw_text(&w, "reason", result->reason);
		jsonw_int(&w, "exit", result->exit_status);
		jsonw_number(&w, "exposure_percent_min",
			result->exposure_s * 100 / 60);
		if (result->first_bad_ms)
			jsonw_number(&w, "time_to_revert_s",
				(double)(result->revert_ms -
					 result->first_bad_ms) /
					1000);
		if (courses_differ(course)) {
			jsonw_text(&w, "parts_at",
				decision_text(&course[i], at, offset, &what));
			jsonw_text(&w, "parts_with", what);
		}
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

/* ---- pages ---- */

static void page_figures(struct page *page,
	const struct policy *const policies[2], const struct course course[2])
{
	static const char *const heads[] = {"policy", "file", "outcome",
		"after", "time to revert", "exposure"};
	char after[SIMULATE_TEXT_MAX], reaction[SIMULATE_TEXT_MAX];
	char exposure[SIMULATE_TEXT_MAX];
	size_t i;

	page_table_begin(page, heads, 6);
	for (i = 0; i < 2; i++) {
		const struct sim_result *result = &course[i].result;
		const char *const cells[] = {roles[i], policies[i]->path,
			sim_outcome(result),
			simulate_offset(result, result->end_ms, after) + 1,
			simulate_reaction(result, reaction),
			simulate_exposure(result, exposure)};

		page_row(page, TONE_PLAIN, cells, 6);
	}
	page_table_end(page);
}

static void page_parting(struct page *page, const struct course course[2])
{
	static const char *const heads[] = {"policy", "after", "decision"};
	size_t i, at = part_at(&course[0], &course[1]);
	char offset[SIMULATE_TEXT_MAX];
	const char *what;

	if (!courses_differ(course))
		return;
	page_heading(page, "Where they part");
	page_table_begin(page, heads, 3);
	for (i = 0; i < 2; i++) {
		const char *cells[3] = {roles[i]};

		cells[1] = decision_text(&course[i], at, offset, &what);
		cells[2] = what;
		page_row(page, TONE_PLAIN, cells, 3);
	}
	page_table_end(page);
}

/* Both, one beneath the other, after what differs. */
static int save_page(const struct recording *recording,
	const struct policy *const policies[2], struct course course[2],
	const char *path, struct err *err_r)
{
	const char *alike = courses_differ(course)
				    ? "the policies part"
				    : "the policies decide alike";
	char title[2 * POLICY_NAME_MAX + SIMULATE_TEXT_MAX];
	struct page_banner banner = {
		.tone = TONE_PLAIN, .title = title, .about = recording->path};
	struct page page;
	struct buf out;
	int i;

	snprintf(title, sizeof(title), "%s, %s: %s", policies[0]->name,
		policies[1]->name, alike);
	simulate_page_begin(&page, &out, title);
	page_banner(&page, &banner);
	page_figures(&page, policies, course);
	page_parting(&page, course);
	for (i = 0; i < 2; i++)
		simulate_page_write(course[i].page, recording,
			&course[i].result, true, &page);
	return simulate_page_end(&page, path, err_r);
}

static const char *const heads[] = {
	"recording", "--policy", "--compare", "they part"};

static void add_to_site(struct site *site, size_t i, const char *path,
	const struct course course[2])
{
	char offset[SIMULATE_TEXT_MAX];
	const char *what;
	const char *const cells[] = {path, sim_outcome(&course[0].result),
		sim_outcome(&course[1].result),
		courses_differ(course)
			? decision_text(&course[0],
				  part_at(&course[0], &course[1]), offset,
				  &what)
			: "no"};

	site_add(site, i, true, courses_differ(course) ? TONE_WAIT : TONE_GOOD,
		cells);
}

/* ---- together ---- */

struct comparison {
	const struct simulation *simulation;
	const struct policy *policies[2];
	struct site *site; /* of several; NULL: none is written */
};

static void print(const struct comparison *c, const char *path,
	const struct course course[2])
{
	struct buf out;

	buf_init(&out, LINE_BYTES_MAX);
	if (c->simulation->json)
		print_json(path, c->policies, course, &out);
	else
		print_text(path, c->policies, course, &out);
	output_write(c->simulation->told, &out);
	buf_fini(&out);
}

static int run(const struct comparison *c, const struct recording *recording,
	struct course course[2], struct err *err_r)
{
	int i;

	for (i = 0; i < 2; i++) {
		if (sim_check(c->policies[i], recording, err_r) < 0)
			return -1;
		if (c->simulation->html)
			course[i].page = simulate_page_new(
				c->policies[i], recording->start_ms);
		sim_run(c->policies[i], recording, &c->simulation->options,
			listen, &course[i], &course[i].result);
	}
	return 0;
}

/* 1: they part. */
static int compare_one(const struct comparison *c, size_t i,
	const struct recording *recording, struct err *err_r)
{
	struct course *course = xcalloc(2, sizeof(*course));
	const char *page =
		c->site ? site_path(c->site, i) : c->simulation->html;
	int rc = run(c, recording, course, err_r);

	if (rc == 0)
		print(c, recording->path, course);
	if (rc == 0 && page)
		rc = save_page(recording, c->policies, course, page, err_r);
	if (rc == 0 && c->site)
		add_to_site(c->site, i, recording->path, course);
	if (rc == 0)
		rc = courses_differ(course);
	simulate_page_free(&course[0].page);
	simulate_page_free(&course[1].page);
	free(course);
	return rc;
}

static int compare_all(const struct comparison *c,
	const struct path_list *paths, struct err *err_r)
{
	struct recording *recording;
	int rc, worst = 0;
	size_t i;

	for (i = 0; i < paths->n; i++) {
		recording = recording_load(paths->item[i], err_r);
		if (!recording)
			return -1;
		rc = compare_one(c, i, recording, err_r);
		recording_free(&recording);
		if (rc < 0)
			return -1;
		worst |= rc;
	}
	if (c->site && site_finish(c->site,
			       worst ? "the policies part"
				     : "the policies decide alike",
			       !worst, NULL, err_r) < 0)
		return -1;
	return worst;
}

int simulate_compare(const struct simulation *simulation,
	const struct path_list *paths, struct err *err_r)
{
	struct comparison c = {.simulation = simulation,
		.policies = {simulation->policy, simulation->other}};
	int rc;

	if (simulation->html && (paths->n > 1 || paths->has_folder)) {
		c.site = site_new(simulation->html, paths, heads,
			sizeof(heads) / sizeof(heads[0]), err_r);
		if (!c.site)
			return -1;
	}
	rc = compare_all(&c, paths, err_r);
	site_free(&c.site);
	return rc;
}
