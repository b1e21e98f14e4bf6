/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions in a browser; see page_decide.h. */
#include "serve/page_decide.h"

#include <string.h>

#include "base/duration.h"
#include "report/timeline_data.h"
#include "serve/page_html.h"
#include "serve/rulings.h"
#include "store/store.h"

#define SECOND 1000

bool decide_needs_comment(const struct summary *summary, enum verb verb)
{
	return ruling_needs_comment(summary->phase, summary->cause,
		summary->outlook.waits_for == OUTLOOK_FREEZE, verb);
}

bool decide_is_grave(enum verb verb)
{
	return verb == VERB_REJECT || verb == VERB_ABORT;
}

static const char *tone_of(enum verb verb)
{
	return decide_is_grave(verb)  ? "bad"
	       : verb == VERB_APPROVE ? "good"
				      : "plain";
}

static bool any(const struct decide_view *view, bool may)
{
	for (int i = 0; i < VERBS; i++)
		if (view->verbs[i].may == may)
			return true;
	return false;
}

/* ---- what is decided about ---- */

/* "3 of 4 SLOs pass, the newest value is 12s old." */
static void write_evidence(struct buf *out, const struct summary *s)
{
	char age[DURATION_TEXT_MAX];
	int64_t newest_ms = 0;

	for (size_t i = 0; i < s->n_slos; i++)
		if (s->slos[i].checked_ms > newest_ms)
			newest_ms = s->slos[i].checked_ms;
	if (!s->n_slos)
		return;
	html_addf(
		out, " %d of %d SLOs pass", (int)s->n_passing, (int)s->n_slos);
	if (newest_ms)
		html_addf(out, ", the newest value is %s old",
			duration_print(
				(s->read_ms - newest_ms) / SECOND * SECOND,
				age));
	html_addf(out, ".");
}

static void write_who(struct buf *out, const struct page_visitor *visitor)
{
	if (visitor)
		html_addf(out,
			"You are <b>%s</b> (%s): this name stands in the "
			"journal.",
			visitor->name, visitor->method);
	else
		html_addf(out, "You are not signed in.");
}

/* What was seen goes with the decision: it is about nothing else. */
static void begin_form(struct buf *out, const struct page_frame *frame,
	const struct summary *s)
{
	char root[PAGE_ROOT_MAX];

	html_addf(out,
		"<form method=\"post\" action=\"%rrollouts/%u/decide\" "
		"class=\"decision\" autocomplete=\"off\">"
		"<input type=\"hidden\" name=\"" DECIDE_TOKEN
		"\" value=\"%v\"><input type=\"hidden\" name=\"" DECIDE_STEP
		"\" value=\"%d\"><input type=\"hidden\" "
		"name=\"" DECIDE_CANDIDATE "\" value=\"%v\">",
		page_root(frame->path, root), s->id,
		frame->visitor ? frame->visitor->form_token : "", s->step,
		s->candidate);
}

static void write_comment(
	struct buf *out, const char *label, bool needed, const char *comment)
{
	html_addf(out,
		"<label for=\"comment\">%s</label><textarea id=\"comment\" "
		"name=\"" DECIDE_COMMENT
		"\" rows=\"2\" maxlength=\"%d\"%r>%l</textarea>",
		label, STORE_COMMENT_MAX - 1, needed ? " required" : "",
		comment);
}

/* ---- the box ---- */

static void write_buttons(struct buf *out, const struct decide_view *view)
{
	html_addf(out, "<ul class=\"verbs\">");
	for (int i = 0; i < VERBS; i++) {
		enum verb verb = (enum verb)i;
		const char *name = verb_name(verb);

		if (!view->verbs[i].may)
			continue;
		html_addf(out,
			"<li><button name=\"" DECIDE_VERB
			"\" value=\"%s\" class=\"%r\"%r%r "
			"aria-describedby=\"does-%s\">%s</button> <span "
			"id=\"does-%s\">%c</span></li>",
			name, tone_of(verb),
			decide_is_grave(verb) ? " data-grave" : "",
			decide_needs_comment(view->summary, verb)
				? " data-comment"
				: "",
			name, name, name, view->verbs[i].says);
	}
	html_addf(out, "</ul>");
}

static void write_reasons(struct buf *out, const struct decide_view *view)
{
	html_addf(out, "<ul class=\"not-now\">");
	for (int i = 0; i < VERBS; i++)
		if (!view->verbs[i].may)
			html_addf(out, "<li><b>%s</b>: %c</li>",
				verb_name((enum verb)i), view->verbs[i].says);
	html_addf(out, "</ul>");
}

/* "Comment, needed for reject and abort" */
static void comment_label(struct buf *label, const struct decide_view *view)
{
	const char *before = ", needed for ";

	buf_adds(label, "Comment");
	for (int i = 0; i < VERBS; i++) {
		if (!view->verbs[i].may ||
			!decide_needs_comment(view->summary, (enum verb)i))
			continue;
		buf_addf(label, "%s%s", before, verb_name((enum verb)i));
		before = " and ";
	}
}

void decide_box_write(struct buf *out, const struct page_frame *frame,
	const struct decide_view *view)
{
	const struct summary *s = view->summary;
	struct buf label;

	if (phase_is_end(s->phase))
		return;
	html_addf(out,
		"<section id=\"decide\" class=\"decide\" "
		"aria-labelledby=\"h-decide\"><h2 id=\"h-decide\">Decide</h2>"
		"<p>");
	write_who(out, frame->visitor);
	write_evidence(out, s);
	html_addf(out, "</p>");
	if (any(view, true)) {
		buf_init(&label, STORE_COMMENT_MAX);
		comment_label(&label, view);
		begin_form(out, frame, s);
		write_comment(out, label.data, false, "");
		write_buttons(out, view);
		html_addf(out, "</form>");
		buf_fini(&label);
	}
	if (any(view, false)) {
		html_addf(out, "<h3>Not now, or not you</h3>");
		write_reasons(out, view);
	}
	html_addf(out, "</section>\n");
}

/* ---- the question ---- */

static void write_back(struct buf *out, const struct page_frame *frame,
	const struct summary *s, const char *text)
{
	char root[PAGE_ROOT_MAX];

	html_addf(out, "<a href=\"%rrollouts/%u\">%r</a>",
		page_root(frame->path, root), s->id, text);
}

static void write_what_is(struct buf *out, const struct summary *s)
{
	html_addf(out,
		"<div class=\"banner %r\"><p class=\"reason\">%c</p>"
		"<p class=\"sentence\">%c</p><p class=\"about\">%s</p></div>\n",
		tone_name(timeline_tone_of_phase(s->phase)), s->now, s->next,
		s->id);
}

void page_question_write(struct buf *out, const struct page_frame *frame,
	const struct decide_question *q)
{
	const struct summary *s = q->view->summary;
	const char *verb = verb_name(q->verb);

	page_frame_begin(out, frame);
	html_addf(out, "<h1>%s</h1>", frame->title);
	write_what_is(out, s);
	if (q->problem)
		html_addf(out, "<p class=\"bad\" role=\"alert\">%s</p>",
			q->problem);
	html_addf(out, "<section class=\"decide\"><p><b>%s</b> %s.</p><p>",
		verb, q->view->verbs[q->verb].says);
	write_who(out, frame->visitor);
	write_evidence(out, s);
	html_addf(out, "</p>");
	begin_form(out, frame, s);
	html_addf(out, "<input type=\"hidden\" name=\"" DECIDE_CONFIRMED
		       "\" value=\"yes\">");
	write_comment(out,
		decide_needs_comment(s, q->verb) ? "Comment: why?"
						 : "Comment, if you like",
		decide_needs_comment(s, q->verb), q->comment);
	html_addf(out,
		"<p class=\"sure\"><button name=\"" DECIDE_VERB
		"\" value=\"%s\" class=\"%r\">%s</button> ",
		verb, tone_of(q->verb), verb);
	write_back(out, frame, s, "Go back, change nothing");
	html_addf(out, "</p></form></section>\n");
	page_frame_end(out, frame);
}

/* ---- what was not taken ---- */

void page_refusal_write(struct buf *out, const struct page_frame *frame,
	const struct decide_refusal *r)
{
	page_frame_begin(out, frame);
	html_addf(out, "<h1>%s</h1>", frame->title);
	if (r->seen)
		html_addf(out,
			"<p class=\"wait\" role=\"alert\">You decided to "
			"<b>%s</b> when you saw %s. That is not what is any "
			"more, so nothing was done. This is:</p>",
			verb_name(r->verb), r->seen);
	else
		html_addf(out,
			"<p class=\"bad\" role=\"alert\"><b>%s</b> was not "
			"taken: %s</p>",
			verb_name(r->verb), r->why);
	write_what_is(out, r->summary);
	if (r->comment && *r->comment)
		html_addf(
			out, "<h2>Your comment</h2><pre>%l</pre>", r->comment);
	html_addf(out, "<p>");
	write_back(out, frame, r->summary, "Look at it as it is now");
	html_addf(out, "</p>\n");
	page_frame_end(out, frame);
}
