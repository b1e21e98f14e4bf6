/* SPDX-License-Identifier: Apache-2.0 */
/* The panel of a rollout; see panel.h. What is said is the summary's. */
#include "cli/panel.h"

#include <stdlib.h>
#include <string.h>

#include "base/cells.h"
#include "base/duration.h"
#include "base/service_name.h"
#include "cli/panel_parts.h"

#define GAP       2
#define BAR_MIN   6
#define BAR_MAX   40
#define QUERY_MIN 100 /* columns from which on a query is shown */
#define LABEL     6 /* "next: " */

/* ---- who, where, which steps ---- */

static void put_place(struct panel_line *line)
{
	struct service_name name;
	struct arena arena;
	struct err err;

	arena_init(&arena);
	if (service_name_parse(&name, line->panel->service, &arena, &err) < 0)
		line_put(line, COLOUR_NONE, line->panel->summary->service);
	else
		line_putf(line, COLOUR_NONE, "%s  %s  %s", name.name,
			name.region, name.project);
	arena_fini(&arena);
}

static enum colour step_colour(const struct summary *s, int step)
{
	if (step < s->step || s->phase == PHASE_PROMOTED)
		return COLOUR_GOOD;
	if (step > s->step)
		return COLOUR_DIM;
	return s->waits_for_people ? COLOUR_WAIT : COLOUR_NONE;
}

static void put_steps(struct panel_line *line)
{
	const struct panel *panel = line->panel;
	size_t i;

	for (i = 0; i < panel->policy->n_steps; i++) {
		if (i)
			line_put(line, COLOUR_DIM, panel->utf8 ? " ▸ " : " > ");
		line_putf(line, step_colour(panel->summary, (int)i + 1),
			(int)i + 1 == panel->summary->step ? "[%d %%]"
							   : "%d %%",
			panel->policy->steps[i].percent);
	}
}

static int steps_width(const struct panel *panel)
{
	char text[16];
	int width = 2; /* of the brackets */
	size_t i;

	for (i = 0; i < panel->policy->n_steps; i++) {
		snprintf(text, sizeof(text), "%d %%",
			panel->policy->steps[i].percent);
		width += (int)strlen(text) + (i ? 3 : 0);
	}
	return width;
}

/* The service on the left, steps and id on the right, in as many lines as
 * they need. */
static void render_title(struct panel_line *line)
{
	const struct panel *panel = line->panel;
	int right = line_width(panel, panel->summary->id);

	put_place(line);
	if (line->used + GAP + right > panel->columns)
		line_end(line);
	else
		line_pad(line, panel->columns - right);
	line_put(line, COLOUR_DIM, panel->summary->id);
	line_end(line);
}

static void put_bar(
	struct panel_line *line, int64_t done_ms, int64_t whole_ms, int width)
{
	int full = whole_ms > 0 ? (int)(done_ms * width / whole_ms) : width;
	bool utf8 = line->panel->utf8;
	int i;

	for (i = 0; i < width; i++)
		line_put(line, i < full ? COLOUR_GOOD : COLOUR_DIM,
			i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "."));
}

/* "settles" or "bakes", how far, and a bar where there is room. */
static void put_progress(struct panel_line *line)
{
	const struct summary *s = line->panel->summary;
	int64_t done_ms = s->baked_ms, whole_ms = s->bake_ms;
	char done[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX], text[96];
	int room;

	if (!s->step_ms || phase_is_end(s->phase))
		return;
	if (s->settled_ms) {
		whole_ms = s->settled_ms - s->step_ms;
		done_ms = s->now_ms - s->step_ms;
	}
	done_ms = done_ms < whole_ms ? done_ms : whole_ms;
	snprintf(text, sizeof(text), "  %s %s of %s",
		s->settled_ms ? "settled" : "baked",
		duration_print(done_ms / 1000 * 1000, done),
		duration_print(whole_ms, whole));
	room = line->panel->columns - line->used - GAP - (int)strlen(text);
	if (room >= BAR_MIN) {
		line_pad(line, line->used + GAP);
		put_bar(line, done_ms, whole_ms,
			room < BAR_MAX ? room : BAR_MAX);
	}
	if (room >= -GAP)
		line_put(line, COLOUR_NONE, text);
}

/* Phase, steps, and the bar of the bake. */
static void render_phase(struct panel_line *line)
{
	const struct panel *panel = line->panel;
	const struct summary *s = panel->summary;

	line_put(line, output_phase_colour(s->phase), phase_name(s->phase));
	if (s->is_paused && s->phase != PHASE_PAUSED)
		line_put(line, COLOUR_WAIT, ", paused");
	if (line->used + GAP + steps_width(panel) <= panel->columns) {
		line_pad(line, line->used + GAP);
		put_steps(line);
	}
	put_progress(line);
	line_end(line);
}

static void render_arm(struct panel_line *line, const char *arm,
	const char *revision, int percent, int width)
{
	line_putf(line, COLOUR_NONE, "%-11s", arm);
	line_cell(line, COLOUR_NONE, revision, width);
	line_putf(line, COLOUR_NONE, "%5d %%", percent);
}

static void render_traffic(struct panel_line *line)
{
	const struct panel *panel = line->panel;
	const struct summary *s = panel->summary;
	int most = panel->columns - 11 - 7, width, other;

	if (!*s->candidate)
		return;
	width = line_width(panel, s->candidate);
	other = line_width(panel, s->stable);
	width = width > other ? width : other;
	width = width < most ? width : most;
	render_arm(
		line, "candidate", s->candidate, s->candidate_percent, width);
	if (s->wanted_percent >= 0 && s->wanted_percent != s->candidate_percent)
		line_putf(
			line, COLOUR_WAIT, "  %d %% wanted", s->wanted_percent);
	line_end(line);
	render_arm(line, "stable", s->stable, s->stable_percent, width);
	if (s->other_percent)
		line_putf(line, COLOUR_BAD, "  others %d %%", s->other_percent);
	line_end(line);
}

/* ---- sentences ---- */

static void render_sentence(struct panel_line *line, enum colour colour,
	const char *label, const char *text)
{
	line_putf(line, COLOUR_DIM, "%-*s", LABEL, label);
	line_flow(line, colour, text, LABEL);
}

static void render_query(struct panel_line *line)
{
	const struct panel *panel = line->panel;
	const struct summary_slo *slo;

	if (panel->selected < 0 || panel->columns < QUERY_MIN)
		return;
	slo = &panel->summary->slos[panel->selected];
	if (slo->query && *slo->query)
		render_sentence(line, COLOUR_DIM, "asks:", slo->query);
}

/* Commands for who has no keys here, each on a line of its own. */
static void render_remedies(struct panel_line *line)
{
	const struct summary *s = line->panel->summary;
	size_t i;

	for (i = 0; i < s->n_remedies; i++) {
		if (LABEL + line_width(line->panel, s->remedies[i].line) <=
			line->panel->columns)
			line_pad(line, LABEL);
		line_flow(line, COLOUR_NONE, s->remedies[i].line, LABEL);
	}
}

/* ---- keys ---- */

static const struct {
	enum verb verb;
	const char *text;
} keys[] = {
	{VERB_APPROVE, "[a]pprove"},
	{VERB_PAUSE, "[p]ause"},
	{VERB_CONTINUE, "[c]ontinue"},
	{VERB_ABORT, "a[b]ort"},
};

static void render_keys(struct panel_line *line)
{
	const struct panel *panel = line->panel;
	struct buf text;
	size_t i;

	if (!panel->has_keys)
		return;
	buf_init(&text, PANEL_LINE_MAX);
	if (panel->question) {
		buf_addf(&text, "%s %s_", panel->question, panel->answer);
	} else {
		for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (panel->verbs & 1U << keys[i].verb)
				buf_addf(&text, "%s ", keys[i].text);
		}
		buf_addf(&text, "%s[q]uit",
			panel->summary->n_slos > 1 ? "[j/k] SLO " : "");
	}
	line_flow(line, panel->question ? COLOUR_WAIT : COLOUR_NONE, text.data,
		0);
	buf_fini(&text);
}

/* ---- lines above it ---- */

void panel_flow(const struct panel *panel, const struct panel_text *text,
	struct buf *out)
{
	struct panel_line line = {.panel = panel, .out = out};

	line_put(&line, COLOUR_NONE, text->label);
	line_flow(&line, text->colour, text->text,
		line_width(panel, text->label));
}

/* ---- rows ---- */

int panel_rows(const char *text, int columns)
{
	const char *at = text, *end;
	struct buf plain;
	int rows = 0, width;

	buf_init(&plain, PANEL_LINE_MAX);
	for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
		buf_clear(&plain);
		while (at < end) {
			if (*at == '\033')
				at += strcspn(at, "m") + 1;
			else
				buf_addc(&plain, *at++);
		}
		width = cells_width(plain.data);
		rows += width > columns ? (width + columns - 1) / columns : 1;
	}
	buf_fini(&plain);
	return rows;
}

/* The SLOs around the selected one, as many as there are rows for. */
static void render_slos(struct panel_line *line, int rows)
{
	const struct panel *panel = line->panel;
	size_t n = panel->summary->n_slos, shown = n, first = 0, selected;

	if (panel->summary->phase == PHASE_PREFLIGHT ||
		panel->summary->phase == PHASE_REFUSED || rows < 2)
		return;
	if ((size_t)rows < n + 1) {
		shown = rows > 3 ? (size_t)rows - 2 : 1;
		selected = panel->selected > 0 ? (size_t)panel->selected : 0;
		first = selected >= shown ? selected - shown + 1 : 0;
	}
	slos_render(line, first, shown);
	if (shown == n || rows < 3)
		return;
	line_putf(line, COLOUR_DIM, "    %zu more SLOs", n - shown);
	line_end(line);
}

/* From the top, until the rest fits. */
static void cut_rows(struct buf *text, int columns, int rows)
{
	const char *at = text->data;
	char *rest;

	while (*at && panel_rows(at, columns) > rows)
		at = strchr(at, '\n') + 1;
	rest = strdup(at);
	buf_clear(text);
	buf_adds(text, rest);
	free(rest);
}

void panel_render(const struct panel *panel, struct buf *out)
{
	const struct summary *s = panel->summary;
	struct buf top, bottom, table;
	struct panel_line line = {.panel = panel};
	int rows = panel->rows - 1;

	buf_init(&top, PANEL_LINE_MAX);
	buf_init(&bottom, PANEL_LINE_MAX);
	buf_init(&table, PANEL_LINE_MAX);
	line.out = &top;
	render_title(&line);
	render_traffic(&line);
	render_phase(&line);
	line.out = &bottom;
	render_query(&line);
	render_sentence(&line, COLOUR_NONE, "now:", s->now);
	render_sentence(&line, COLOUR_NONE, "next:", s->next);
	render_remedies(&line);
	render_keys(&line);
	line.out = &table;
	render_slos(&line, rows - panel_rows(top.data, panel->columns) -
				   panel_rows(bottom.data, panel->columns));
	buf_add(&top, table.data, table.len);
	buf_add(&top, bottom.data, bottom.len);
	cut_rows(&top, panel->columns, rows);
	buf_add(out, top.data, top.len);
	buf_fini(&table);
	buf_fini(&bottom);
	buf_fini(&top);
}
