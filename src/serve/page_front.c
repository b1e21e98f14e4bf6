/* SPDX-License-Identifier: Apache-2.0 */
/* All rollouts; see page_front.h. */
#include "serve/page_front.h"

#include <string.h>

#include "report/timeline_data.h"
#include "serve/page_html.h"

/* ---- what belongs where ---- */

enum front_place front_place_of(
	enum phase phase, bool may_approve, bool may_operate)
{
	if (phase == PHASE_ROLLBACK_FAILED)
		return may_operate ? FRONT_NEEDS_YOU : FRONT_RECENT;
	if (phase_is_end(phase))
		return FRONT_RECENT;
	/* Others are asked at a gate, and a pause was somebody's will. */
	if (may_approve || (phase == PHASE_HELD && may_operate))
		return FRONT_NEEDS_YOU;
	return FRONT_RUNNING;
}

/* ---- the filter ---- */

static const enum phase outcomes[] = {PHASE_PROMOTED, PHASE_ROLLED_BACK,
	PHASE_ROLLBACK_FAILED, PHASE_REFUSED, PHASE_STOPPED};

static void write_outcomes(struct buf *out, const char *chosen)
{
	html_addf(out, "<label>Outcome <select name=\"outcome\">"
		       "<option value=\"\">any</option>");
	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
		const char *name = phase_name(outcomes[i]);

		html_addf(out, "<option%r>%s</option>",
			strcmp(name, chosen) ? "" : " selected", name);
	}
	html_addf(out, "</select></label>");
}

static bool is_filtered(const struct front_filter *filter)
{
	return *filter->service || *filter->person || *filter->outcome;
}

static void write_filter(struct buf *out, const struct page_frame *frame,
	const struct front_filter *filter)
{
	char root[PAGE_ROOT_MAX];

	html_addf(out,
		"<form class=\"filter\" method=\"get\" action=\"%r\" "
		"role=\"search\"><label>Service <input name=\"service\" "
		"value=\"%s\" maxlength=\"200\"></label><label>Person <input "
		"name=\"person\" value=\"%s\" maxlength=\"200\"></label>",
		page_root(frame->path, root), filter->service, filter->person);
	write_outcomes(out, filter->outcome);
	html_addf(out, "<button>Filter</button>");
	if (is_filtered(filter))
		html_addf(out, "<a href=\"%r\">all</a>", root);
	html_addf(out, "</form>\n");
}

/* ---- rows ---- */

static void write_bar(struct buf *out, const struct summary *s)
{
	/* Two rectangles: a style would be refused. */
	html_addf(out,
		"<svg class=\"share\" viewBox=\"0 0 100 1\" "
		"preserveAspectRatio=\"none\" aria-hidden=\"true\">"
		"<rect width=\"100\" height=\"1\"/><rect class=\"candidate\" "
		"width=\"%d\" height=\"1\"/></svg>",
		s->candidate_percent);
}

static void write_stand(struct buf *out, const struct summary *s)
{
	html_addf(out,
		"<div class=\"stand\"><b class=\"phase\">%s</b>%r "
		"<span class=\"step\">",
		phase_name(s->phase),
		s->is_paused && s->phase != PHASE_PAUSED ? ", paused" : "");
	if (phase_is_end(s->phase))
		html_addf(out, "%T", s->ended_ms);
	else if (s->step >= 1 && s->step <= s->n_steps)
		html_addf(out, "%d %%, step %d of %d", s->candidate_percent,
			s->step, s->n_steps);
	else
		html_addf(out, "%d %%", s->candidate_percent);
	html_addf(out, "</span>");
	if (!phase_is_end(s->phase))
		write_bar(out, s);
	html_addf(out, "</div>");
}

static void write_row(
	struct buf *out, const char *root, const struct front_row *row)
{
	const struct summary *s = row->summary;

	html_addf(out,
		"<li class=\"row %r\" id=\"r-%v\"><div class=\"what\">"
		"<a href=\"%rrollouts/%u\">%s</a><span class=\"place\">%s, "
		"%s</span><span class=\"place\">%s%rby %s</span></div>",
		tone_name(timeline_tone_of_phase(s->phase)), s->id, root, s->id,
		row->service.name, row->service.region, row->service.project,
		s->candidate, *s->candidate ? ", " : "", s->people.starter);
	write_stand(out, s);
	html_addf(out, "<div class=\"says\"><p>%c</p>", s->now);
	if (!phase_is_end(s->phase) || row->place == FRONT_NEEDS_YOU)
		html_addf(out, "<p class=\"next\">%c</p>", s->next);
	html_addf(out, "</div>");
	if (row->place == FRONT_NEEDS_YOU)
		html_addf(out,
			"<p class=\"act\"><a class=\"button\" "
			"href=\"%rrollouts/%u#decide\">%r</a></p>",
			root, s->id,
			phase_is_end(s->phase) ? "Look" : "Decide");
	html_addf(out, "</li>\n");
}

/* ---- together ---- */

static void write_place(struct buf *out, const char *root,
	const struct front_view *view, enum front_place place)
{
	static const struct {
		const char *id, *title, *none;
	} texts[] = {
		[FRONT_NEEDS_YOU] = {"needs-you", "Needs you",
			"Nothing waits for you."},
		[FRONT_RUNNING] = {"running", "Running", "Nothing runs."},
		[FRONT_RECENT] = {"recent", "Recent", "Nothing has ended yet."},
	};
	size_t shown = 0;

	html_addf(out,
		"<section id=\"%r\" aria-labelledby=\"h-%r\"><h2 id=\"h-%r\">"
		"%r <span class=\"count\">%d</span></h2><ul class=\"rows\">\n",
		texts[place].id, texts[place].id, texts[place].id,
		texts[place].title, (int)view->n[place]);
	for (size_t i = 0; i < view->n_rows; i++) {
		if (view->rows[i].place != place)
			continue;
		write_row(out, root, &view->rows[i]);
		shown++;
	}
	html_addf(out, "</ul>");
	if (!view->n[place])
		html_addf(out, "<p class=\"none\">%r</p>", texts[place].none);
	else if (shown < view->n[place])
		html_addf(out,
			"<p class=\"none\">%d of %d are shown: filter for the "
			"others.</p>",
			(int)shown, (int)view->n[place]);
	html_addf(out, "</section>\n");
}

void page_front_write(struct buf *out, const struct page_frame *frame,
	const struct front_view *view)
{
	char root[PAGE_ROOT_MAX];

	page_root(frame->path, root);
	page_frame_begin(out, frame);
	html_addf(out, "<h1>%s</h1>", frame->title);
	write_filter(out, frame, &view->filter);
	for (int place = 0; place < FRONT_PLACES; place++)
		write_place(out, root, view, (enum front_place)place);
	page_frame_end(out, frame);
}
