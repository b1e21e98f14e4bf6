/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a rollout, section by section; see page_rollout.h. */
#include "serve/page_rollout.h"

#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "serve/page_html.h"

#define SECOND 1000

/* ---- what is ---- */

static void write_banner(struct buf *out, const struct page_frame *frame,
	const struct rollout_view *view)
{
	const struct summary *s = view->summary;
	const struct service_name *service = &view->service;
	char root[PAGE_ROOT_MAX];

	html_addf(out,
		"<div class=\"banner %r\" id=\"now\"><h1>%s: <span "
		"id=\"phase\">%s</span>%r</h1><p class=\"reason\">%c</p>",
		tone_name(timeline_tone_of_phase(s->phase)), service->name,
		phase_name(s->phase),
		s->is_paused && s->phase != PHASE_PAUSED ? ", paused" : "",
		s->now);
	if (!phase_is_end(s->phase))
		html_addf(out, "<p class=\"sentence\">%c</p>", s->next);
	html_addf(out,
		"<p class=\"about\"><a href=\"%rservices/%u/%u/%u\">%s, %s, "
		"%s</a> %s, started by %s, %T</p></div>\n",
		page_root(frame->path, root), service->project, service->region,
		service->name, service->name, service->region, service->project,
		s->id, s->people.starter, s->started_ms);
	if (s->drift && s->drift->time_ms)
		html_addf(out, "<p class=\"wait\">%s</p>", s->drift->text);
	if (!phase_is_end(s->phase) && !s->is_driven && *s->driver)
		html_addf(out, "<p class=\"bad\">%s</p>", s->driver);
}

/* ---- steps ---- */

static const char *state_of(const struct summary *s, int step)
{
	if (step < s->step || s->phase == PHASE_PROMOTED)
		return "done";
	if (step != s->step)
		return "to-come";
	return phase_is_end(s->phase) ? "left" : "current";
}

static void write_step(struct buf *out, const struct summary *s, int number,
	const struct step *step)
{
	const char *state = state_of(s, number);
	char bake[DURATION_TEXT_MAX];

	html_addf(out, "<li class=\"%r\"%r><b>%d %%</b> <span>%s</span>", state,
		strcmp(state, "current") ? "" : " aria-current=\"step\"",
		step->percent, duration_print(step->bake_ms, bake));
	if (step->approval)
		html_addf(out, " <span class=\"gate\">gate, %d of %d</span>",
			step->approval->minimum,
			(int)step->approval->n_approvers);
	if (!strcmp(state, "done") || !strcmp(state, "left"))
		html_addf(out, " <span class=\"unseen\">%r</span>",
			*state == 'd' ? "done" : "it ended here");
	html_addf(out, "</li>");
}

/* "baked 4m of 10m", or settled, with a bar. */
static void write_progress(struct buf *out, const struct summary *s)
{
	int64_t done_ms = s->baked_ms, whole_ms = s->bake_ms;
	char done[DURATION_TEXT_MAX], whole[DURATION_TEXT_MAX];

	if (!s->step_ms || phase_is_end(s->phase))
		return;
	if (s->settled_ms) {
		whole_ms = s->settled_ms - s->step_ms;
		done_ms = s->now_ms - s->step_ms;
	}
	done_ms = done_ms < whole_ms ? done_ms : whole_ms;
	html_addf(out,
		"<p class=\"progress\"><label for=\"progress\">%r %s of %s"
		"</label> <progress id=\"progress\" max=\"%d\" value=\"%d\">"
		"</progress></p>",
		s->settled_ms ? "settled" : "baked",
		duration_print(done_ms / SECOND * SECOND, done),
		duration_print(whole_ms, whole),
		(int)(whole_ms > 0 ? whole_ms / SECOND + 1 : 1),
		(int)(whole_ms > 0 ? done_ms / SECOND : 1));
}

static void write_arm(
	struct buf *out, const char *arm, const char *revision, int percent)
{
	html_addf(out, "<div><dt>%r</dt><dd>%d %% <small>%s</small></dd></div>",
		arm, percent, *revision ? revision : "not known yet");
}

static void write_steps(struct buf *out, const struct rollout_view *view)
{
	const struct policy *policy = view->report->data.policy;
	const struct summary *s = view->summary;

	html_addf(out, "<section id=\"steps\"><h2>Steps</h2>"
		       "<ol class=\"steps\">");
	for (size_t i = 0; i < policy->n_steps; i++)
		write_step(out, s, (int)i + 1, &policy->steps[i]);
	html_addf(out, "</ol>");
	write_progress(out, s);
	html_addf(out, "<dl class=\"tiles\">");
	write_arm(out, "candidate", s->candidate, s->candidate_percent);
	write_arm(out, "stable", s->stable, s->stable_percent);
	if (s->other_percent)
		write_arm(out, "others", "not ours", s->other_percent);
	html_addf(out, "</dl></section>\n");
}

/* ---- SLOs ---- */

static enum tone tone_of(const struct summary_slo *slo)
{
	return slo->failed || slo->verdict == SLO_BREACHES ? TONE_BAD
	       : slo->verdict == SLO_PASSES                ? TONE_GOOD
	       : slo->verdict == SLO_UNDECIDED             ? TONE_PLAIN
							   : TONE_WAIT;
}

static void write_slo(struct page *page, const struct summary_slo *slo)
{
	const char *const cells[] = {slo->name, slo->value_text,
		slo->limit_text, slo->stable_text, slo->passes_text,
		slo_verdict_name(slo->verdict), slo->reason};

	page_row(page, tone_of(slo), cells, 7);
}

static void write_slos(struct page *page, const struct rollout_view *view)
{
	static const char *const heads[] = {
		"SLO", "now", "limit", "stable", "passes", "says", "because"};
	const struct summary *s = view->summary;

	if (!s->n_slos)
		return;
	page_heading(page, "SLOs");
	page_table_begin(page, heads, 7);
	for (size_t i = 0; i < s->n_slos; i++)
		write_slo(page, &s->slos[i]);
	page_table_end(page);
	timeline_write_slo_charts(&view->report->data, page);
}

/* ---- together ---- */

static void write_left(struct page *page, const struct rollout_view *view)
{
	if (!phase_is_end(view->summary->phase))
		return;
	page_heading(page, "Left for a person");
	report_todo(view->report, view->summary, page);
}

void page_rollout_write(struct buf *out, const struct page_frame *frame,
	const struct rollout_view *view)
{
	struct page page = {.format = PAGE_HTML, .out = out};
	const struct report *report = view->report;

	page_frame_begin(out, frame);
	write_banner(out, frame, view);
	decide_box_write(out, frame, &view->decide);
	write_steps(out, view);
	write_left(&page, view);
	timeline_write_traffic(&report->data, &page);
	timeline_write_decision(&report->data, &page);
	write_slos(&page, view);
	report_write_people(report, &page);
	report_write_actions(report, &page);
	report_write_facts(report, &page);
	timeline_write_queries(&report->data, &page);
	timeline_write_journal(&report->data, &page);
	page_frame_end(out, frame);
}
