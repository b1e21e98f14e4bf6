/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of every page; see page_frame.h. */
#include "serve/page_frame.h"

#include <string.h>

#include "serve/page_assets.h"
#include "serve/page_html.h"

const char *page_root(const char *path, char root[PAGE_ROOT_MAX])
{
	size_t n = 0;

	for (const char *c = path; *c; c++)
		n += *c == '/';
	strcpy(root, "./");
	if (n < 2)
		return root;
	*root = '\0';
	for (; n > 1 && strlen(root) + strlen("../") < PAGE_ROOT_MAX; n--)
		strcat(root, "../");
	return root;
}

static void add_head(
	struct buf *out, const struct page_frame *frame, const char *root)
{
	html_addf(out, "<!doctype html>\n<html lang=\"en\" data-root=\"%r\"",
		root);
	if (frame->follows)
		html_addf(out, " data-follows=\"%s\"", frame->follows);
	if (frame->rollout)
		html_addf(out, " data-rollout=\"%v\"", frame->rollout);
	html_addf(out,
		"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
		"content=\"width=device-width, initial-scale=1\">"
		"<meta name=\"color-scheme\" content=\"light dark\"><title>");
	if (frame->n_waiting)
		html_addf(out, "(%d) ", (int)frame->n_waiting);
	html_addf(out,
		"%s – tidegate</title>"
		"<link rel=\"icon\" href=\"%rassets/%r\">"
		"<link rel=\"stylesheet\" href=\"%rassets/%r\">"
		"<script type=\"module\" src=\"%rassets/%r\"></script></head>",
		frame->title, root, page_assets[ASSET_ICON].name, root,
		page_assets[ASSET_STYLE].name, root,
		page_assets[ASSET_SCRIPT].name);
}

/* The script makes "live" of it, and says when it is not. */
static void add_age(struct buf *out, const struct page_frame *frame)
{
	if (!frame->now_ms)
		return;
	html_addf(out,
		"<p class=\"age\"><span id=\"age\">as of</span> "
		"<span id=\"as-of\">%t</span></p>",
		frame->now_ms);
}

static void add_visitor(
	struct buf *out, const struct page_frame *frame, const char *root)
{
	html_addf(out,
		"<nav aria-label=\"Pages\"><a href=\"%r\"%r>Rollouts</a>", root,
		strcmp(frame->path, "/") ? "" : " aria-current=\"page\"");
	if (frame->visitor)
		html_addf(out, "<a href=\"%rme\"%r>%s</a>", root,
			strcmp(frame->path, "/me") ? ""
						   : " aria-current=\"page\"",
			frame->visitor->name);
	html_addf(out, "</nav>");
}

void page_frame_begin(struct buf *out, const struct page_frame *frame)
{
	char root[PAGE_ROOT_MAX];

	page_root(frame->path, root);
	add_head(out, frame, root);
	html_addf(out,
		"<body><a class=\"skip\" href=\"#main\">Skip to the page</a>"
		"<header class=\"top\"><a class=\"brand\" href=\"%r\">tidegate"
		"</a>",
		root);
	add_visitor(out, frame, root);
	add_age(out, frame);
	html_addf(out,
		"</header><p id=\"said\" class=\"unseen\" role=\"status\" "
		"aria-live=\"polite\"></p><main id=\"main\" "
		"tabindex=\"-1\">\n");
}

void page_frame_end(struct buf *out, const struct page_frame *frame)
{
	html_addf(out, "</main></body></html>\n");
}
