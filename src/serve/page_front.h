/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front page: what needs the visitor first, then what runs, then what has
 * ended of late. Pure.
 */
#ifndef TIDEGATE_SERVE_PAGE_FRONT_H
#define TIDEGATE_SERVE_PAGE_FRONT_H

#include "base/service_name.h"
#include "serve/page_decide.h"
#include "serve/page_frame.h"

#define FRONT_ROWS_MAX 500 /* shown; a filter finds the others */

enum front_place { FRONT_NEEDS_YOU, FRONT_RUNNING, FRONT_RECENT, FRONT_PLACES };

struct front_row {
	const struct summary *summary;
	struct service_name service;
	enum front_place place;
};

/* As it came with the form; "": all. */
struct front_filter {
	const char *service, *person, *outcome;
};

struct front_view {
	struct front_filter filter;
	/* In the order in which they are shown within their place. */
	const struct front_row *rows;
	size_t n_rows;
	size_t n[FRONT_PLACES]; /* that there are, shown or not */
};

/* Where a rollout belongs for somebody who may do this about it now. */
enum front_place front_place_of(
	enum phase phase, bool may_approve, bool may_operate);

void page_front_write(struct buf *out, const struct page_frame *frame,
	const struct front_view *view);

#endif
