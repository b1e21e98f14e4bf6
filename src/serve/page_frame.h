/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every page of the daemon has: head, who you are, how old it is. All
 * pages work without a script, and none has a style, a script or an address of
 * its own inside (they are served under a policy that forbids these): links are
 * relative, so that the daemon may stand under any path of a proxy.
 *
 *   page_html.h      templates
 *   page_frame.c     the frame
 *   page_front.h     all rollouts
 *   page_rollout.h   one of them
 *   page_decide.h    decisions: the box, the question, the answers
 *   page_service.h   one service
 *   page_person.h    who you are; coming in; what went wrong
 *   page_assets.h    style, script and icon
 */
#ifndef TIDEGATE_SERVE_PAGE_FRAME_H
#define TIDEGATE_SERVE_PAGE_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PAGE_BYTES_MAX (16 * 1024 * 1024)
#define PAGE_ROOT_MAX  64 /* of "../../", with the NUL */

/* Who looks at a page. All borrowed. */
struct page_visitor {
	const char *name; /* under which they decide */
	const char *method; /* how they came in: "oidc" */
	/* What a form brings back, so that no other site can post it. */
	const char *form_token;
	bool has_session; /* can sign out */
};

struct page_frame {
	const char *title; /* the page's heading, and of the tab */
	const char *path; /* as it was asked for: "/rollouts/x" */
	const struct page_visitor *visitor; /* NULL: nobody is signed in */
	size_t n_waiting; /* for the visitor; in the title */
	int64_t now_ms; /* what it shows is as of then */
	/* What the script does: "front", "rollout"; NULL: nothing, since
	 * nothing changes. */
	const char *follows;
	const char *rollout; /* which one, when it follows one */
};

void page_frame_begin(struct buf *out, const struct page_frame *frame);
void page_frame_end(struct buf *out, const struct page_frame *frame);

/* "../" for each folder of the path: where links begin. Returns `root`. */
const char *page_root(const char *path, char root[PAGE_ROOT_MAX]);

#endif
