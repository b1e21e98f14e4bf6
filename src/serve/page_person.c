/* SPDX-License-Identifier: Apache-2.0 */
/* Who you are; coming in; what went wrong. See page_person.h. */
#include "serve/page_person.h"

#include <string.h>

#include "serve/page_html.h"

/* ---- who you are ---- */

static void write_who(struct buf *out, const struct me_view *view)
{
	html_addf(out,
		"<dl class=\"facts\"><div><dt>name</dt><dd>%s</dd></div>"
		"<div><dt>came in by</dt><dd>%s</dd></div>",
		view->visitor->name, view->visitor->method);
	if (view->is_machine)
		html_addf(out, "<div><dt>is</dt><dd>software: it never "
			       "approves</dd></div>");
	if (view->expires_ms)
		html_addf(out, "<div><dt>until</dt><dd>%T</dd></div>",
			view->expires_ms);
	html_addf(out, "<div><dt>known by</dt><dd><ul>");
	for (size_t i = 0; i < view->n_keys; i++)
		html_addf(out, "<li>%s</li>", view->keys[i]);
	html_addf(out, "</ul></dd></div></dl>\n");
}

static void write_rights(struct buf *out, const struct me_view *view)
{
	html_addf(out, "<h2>What you may do</h2>");
	if (!view->n_rights) {
		html_addf(out, "<p class=\"none\">Nothing: no row of "
			       "<code>access</code> is about you.</p>");
		return;
	}
	html_addf(out,
		"<table class=\"cards\"><thead><tr><th scope=\"col\">services"
		"</th><th scope=\"col\">policies</th><th scope=\"col\">rights"
		"</th></tr></thead><tbody>");
	for (size_t i = 0; i < view->n_rights; i++) {
		const struct me_right *r = &view->rights[i];

		html_addf(out,
			"<tr><td data-head=\"services\">%s</td><td "
			"data-head=\"policies\">%s</td><td "
			"data-head=\"rights\">%s</td></tr>",
			*r->services ? r->services : "all",
			*r->policies ? r->policies : "all", r->rights);
	}
	html_addf(out, "</tbody></table>\n");
}

static void write_session(struct buf *out, const struct page_frame *frame,
	const struct me_session *s)
{
	char root[PAGE_ROOT_MAX];

	html_addf(out,
		"<tr><td data-head=\"session\">%s%r</td><td "
		"data-head=\"came in by\">%s</td><td "
		"data-head=\"begun\">%T</td><td "
		"data-head=\"last used\">%T</td><td data-head=\"ends\">%T</td>",
		s->name, s->is_this ? " (this one)" : "", s->method,
		s->begun_ms, s->used_ms, s->ends_ms);
	html_addf(out,
		"<td><form method=\"post\" action=\"%rme/end-session\"><input "
		"type=\"hidden\" name=\"form_token\" value=\"%v\"><input "
		"type=\"hidden\" name=\"session\" value=\"%v\"><button "
		"aria-label=\"End session %s\">End</button></form></td></tr>",
		page_root(frame->path, root), frame->visitor->form_token,
		s->name, s->name);
}

static void write_sessions(struct buf *out, const struct page_frame *frame,
	const struct me_view *view)
{
	if (!view->n_sessions)
		return;
	html_addf(out,
		"<h2>Sessions</h2><table class=\"cards\"><thead><tr>"
		"<th scope=\"col\">session</th><th scope=\"col\">came in by"
		"</th><th scope=\"col\">begun</th><th scope=\"col\">last used"
		"</th><th "
		"scope=\"col\">ends</th><td></td></tr></thead><tbody>");
	for (size_t i = 0; i < view->n_sessions; i++)
		write_session(out, frame, &view->sessions[i]);
	html_addf(out, "</tbody></table>\n");
}

static void write_logout(struct buf *out, const struct page_frame *frame)
{
	char root[PAGE_ROOT_MAX];

	if (!frame->visitor || !frame->visitor->has_session)
		return;
	html_addf(out,
		"<form method=\"post\" action=\"%rlogout\"><input "
		"type=\"hidden\" name=\"form_token\" value=\"%v\">"
		"<button>Sign out</button></form>\n",
		page_root(frame->path, root), frame->visitor->form_token);
}

void page_me_write(struct buf *out, const struct page_frame *frame,
	const struct me_view *view)
{
	page_frame_begin(out, frame);
	html_addf(out, "<h1>%s</h1>", frame->title);
	write_who(out, view);
	write_logout(out, frame);
	write_rights(out, view);
	write_sessions(out, frame, view);
	page_frame_end(out, frame);
}

/* ---- coming in ---- */

void page_login_write(struct buf *out, const struct page_frame *frame,
	const struct login_way *ways, size_t n, const char *next)
{
	char root[PAGE_ROOT_MAX];

	page_root(frame->path, root);
	page_frame_begin(out, frame);
	html_addf(out, "<h1>%s</h1>", frame->title);
	if (!n)
		html_addf(out, "<p>The configuration names no way to sign in "
			       "with a browser. A daemon without one prints an "
			       "address when it starts, which lets one browser "
			       "in, once; on the machine itself, "
			       "<code>tidegate</code> knows the commands.</p>");
	for (size_t i = 0; i < n; i++) {
		html_addf(out, "<p><a class=\"button\" href=\"%r%r", root,
			ways[i].path);
		if (*next)
			html_addf(out, "%r=%u",
				strchr(ways[i].path, '?') ? "&amp;next"
							  : "?next",
				next);
		html_addf(out, "\">Sign in with %s</a></p>", ways[i].title);
	}
	page_frame_end(out, frame);
}

/* ---- what went wrong ---- */

void page_error_write(struct buf *out, const struct page_frame *frame,
	const char *what, const char *remedy)
{
	char root[PAGE_ROOT_MAX];

	page_frame_begin(out, frame);
	html_addf(
		out, "<h1>%s</h1><p class=\"wait\">%c</p>", frame->title, what);
	if (remedy)
		html_addf(out, "<p>%c</p>", remedy);
	html_addf(out, "<p><a href=\"%r\">All rollouts</a></p>",
		page_root(frame->path, root));
	page_frame_end(out, frame);
}
