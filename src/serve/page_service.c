/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a service, section by section; see page_service.h. */
#include "serve/page_service.h"

#include <string.h>

#include "base/timestamp.h"
#include "report/timeline_page.h"
#include "serve/page_html.h"

#define DAY_MS INT64_C(86400000)

/* ---- traffic ---- */

static void write_traffic(struct buf *out, const struct service_view *view)
{
	html_addf(out, "<section id=\"traffic\"><h2>Traffic now</h2>");
	if (!view->n_traffic)
		html_addf(out, "<p class=\"none\">It was not seen yet: a "
			       "rollout looks at it.</p>");
	html_addf(out, "<dl class=\"tiles\">");
	for (size_t i = 0; i < view->n_traffic; i++) {
		const struct service_traffic *t = &view->traffic[i];

		html_addf(out,
			"<div><dt>%s</dt><dd>%d %% <small>%s</small></dd>"
			"</div>",
			*t->role ? t->role : "others", t->percent, t->revision);
	}
	html_addf(out, "</dl>");
	if (view->n_traffic && view->traffic_ms)
		html_addf(
			out, "<p class=\"none\">seen %T</p>", view->traffic_ms);
	html_addf(out, "</section>\n");
}

/* ---- the watch ---- */

static void write_watch(struct buf *out, const struct service_watch *watch)
{
	if (!watch->policy)
		return;
	html_addf(out,
		"<section id=\"watch\"><h2>Watched</h2><p>New revisions are "
		"released by the policy <b>%s</b>. <b>%s</b>: %s.</p>",
		watch->policy, watch->state, watch->text);
	if (*watch->waiting)
		html_addf(out, "<p><b>%s</b> waits.</p>", watch->waiting);
	if (*watch->skipped)
		html_addf(out,
			"<p>%s was not released, since %s came while it waited "
			"(%T).</p>",
			watch->skipped, watch->skipped_for, watch->skipped_ms);
	html_addf(out, "<p class=\"none\">looked at %T</p></section>\n",
		watch->seen_ms);
}

/* ---- the strip ---- */

/* The outcome as a place and a shape, not by its colour alone: above the line
 * what was released, below it what came back, on it what is open. */
static void write_mark(struct buf *out, const struct service_release *r,
	int64_t from_ms, int64_t to_ms)
{
	enum tone tone = timeline_tone_of_phase(r->phase);
	char time[TIMESTAMP_TEXT_MAX];
	double x = 100.0 * (double)(r->started_ms - from_ms) /
		   (double)(to_ms - from_ms);

	if (r->started_ms < from_ms)
		return;
	buf_addf(out,
		"<rect class=\"%s\" x=\"%.2f%%\" y=\"%s\" width=\"7\" "
		"height=\"%s\" rx=\"1\">",
		tone_name(tone), x * 0.99,
		tone == TONE_BAD    ? "26"
		: tone == TONE_GOOD ? "2"
				    : "17",
		tone == TONE_BAD || tone == TONE_GOOD ? "20" : "14");
	html_addf(out, "<title>%s: %s, %s</title></rect>",
		timestamp_print(r->started_ms, time), r->candidate,
		phase_name(r->phase));
}

static void write_strip(
	struct buf *out, const struct service_view *view, int64_t now_ms)
{
	int64_t from_ms = now_ms - 7 * SERVICE_WEEKS * DAY_MS;

	html_addf(out,
		"<svg class=\"strip\" width=\"100%%\" height=\"48\" "
		"role=\"img\" aria-label=\"Releases of the last %d weeks; "
		"they are listed below\"><line x1=\"0\" x2=\"100%%\" "
		"y1=\"24\" y2=\"24\"/>",
		SERVICE_WEEKS);
	for (int week = 1; week < SERVICE_WEEKS; week++)
		html_addf(out,
			"<line class=\"week\" x1=\"%d%%\" x2=\"%d%%\" y1=\"0\" "
			"y2=\"48\"/>",
			100 * week / SERVICE_WEEKS, 100 * week / SERVICE_WEEKS);
	for (size_t i = view->n_releases; i-- > 0;)
		write_mark(out, &view->releases[i], from_ms, now_ms);
	html_addf(out,
		"</svg><p class=\"none\">The last %d weeks: promoted above the "
		"line, rolled back below it, all else on it.</p>",
		SERVICE_WEEKS);
}

/* ---- releases ---- */

static void write_release(
	struct buf *out, const char *root, const struct service_release *r)
{
	html_addf(out,
		"<tr class=\"%r\"><td data-head=\"started\">%T</td>"
		"<td data-head=\"candidate\"><a href=\"%rrollouts/%u\">%s</a>"
		"</td><td data-head=\"outcome\">%s</td><td "
		"data-head=\"by\">%s</td><td data-head=\"because\">%s</td>"
		"</tr>\n",
		tone_name(timeline_tone_of_phase(r->phase)), r->started_ms,
		root, r->id, *r->candidate ? r->candidate : r->id,
		phase_name(r->phase), r->starter, r->reason);
}

static void write_releases(struct buf *out, const char *root,
	const struct service_view *view, int64_t now_ms)
{
	html_addf(out, "<section id=\"releases\"><h2>Releases</h2>");
	if (!view->n_releases) {
		html_addf(out, "<p class=\"none\">There was none yet.</p>"
			       "</section>\n");
		return;
	}
	write_strip(out, view, now_ms);
	html_addf(out,
		"<table class=\"cards\"><thead><tr><th scope=\"col\">started"
		"</th><th scope=\"col\">candidate</th><th scope=\"col\">"
		"outcome</th><th scope=\"col\">by</th><th scope=\"col\">"
		"because</th></tr></thead><tbody>\n");
	for (size_t i = 0; i < view->n_releases; i++)
		write_release(out, root, &view->releases[i]);
	html_addf(out, "</tbody></table></section>\n");
}

static void write_rejected(
	struct buf *out, const char *root, const struct service_view *view)
{
	if (!view->n_rejected)
		return;
	html_addf(out, "<section id=\"rejected\"><h2>Rejected revisions</h2>"
		       "<p>They were rolled back; only <code>--again</code> "
		       "releases them.</p><ul>\n");
	for (size_t i = 0; i < view->n_rejected; i++) {
		const struct service_rejected *r = &view->rejected[i];

		html_addf(out,
			"<li><b>%s</b>, <a href=\"%rrollouts/%u\">%T</a>: %s"
			"</li>\n",
			r->revision, root, r->rollout, r->time_ms, r->reason);
	}
	html_addf(out, "</ul></section>\n");
}

/* ---- together ---- */

void page_service_write(struct buf *out, const struct page_frame *frame,
	const struct service_view *view)
{
	struct page page = {.format = PAGE_HTML, .out = out};
	char root[PAGE_ROOT_MAX];

	page_root(frame->path, root);
	page_frame_begin(out, frame);
	html_addf(out, "<h1>%s</h1><p class=\"none\">%s, %s</p>\n",
		view->service.name, view->service.region,
		view->service.project);
	write_traffic(out, view);
	write_watch(out, &view->watch);
	if (view->n_figures) {
		page_heading(&page, "Delivery");
		page_tiles(&page, view->figures, view->n_figures);
	}
	write_releases(out, root, view, frame->now_ms);
	write_rejected(out, root, view);
	page_frame_end(out, frame);
}
