/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of one rollout: what happens, what comes, who may decide what, and
 * everything that led to it, with the report's charts and tables. Pure.
 */
#ifndef TIDEGATE_SERVE_PAGE_ROLLOUT_H
#define TIDEGATE_SERVE_PAGE_ROLLOUT_H

#include "base/service_name.h"
#include "report/report.h"
#include "serve/page_decide.h"
#include "serve/page_frame.h"

struct rollout_view {
	const struct summary *summary;
	const struct report *report;
	struct service_name service;
	struct decide_view decide; /* of the same summary */
};

void page_rollout_write(struct buf *out, const struct page_frame *frame,
	const struct rollout_view *view);

#endif
