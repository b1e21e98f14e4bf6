/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A game day as a page: what was expected, what came, in figures beside their
 * limits, and both rollouts out of their journals. Pure.
 */
#ifndef TIDEGATE_REPORT_GAMEDAY_PAGE_H
#define TIDEGATE_REPORT_GAMEDAY_PAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "report/page.h"
#include "report/report.h"

#define GAMEDAY_FIGURES_MAX   24
#define GAMEDAY_SURPRISES_MAX 24

struct gameday_figure {
	const char *what, *measured, *limit;
	bool met;
};

struct gameday_release {
	const char *revision; /* NULL: none was released */
	const char *wanted, *came; /* phases: "rolled-back" */
	const char *reason;
	const struct report *report; /* NULL: it left no journal */
};

/* All is borrowed. */
struct gameday_story {
	const char *service, *policy, *who, *stable;
	int64_t began_ms, ended_ms;
	bool met; /* both ended as they must, within the limits */
	const char *hypothesis, *steady; /* sentences */
	const char *users; /* what became of requests; a sentence */
	const char *left; /* how the service is left; a sentence */
	struct gameday_release bad, good;
	struct gameday_figure figure[GAMEDAY_FIGURES_MAX];
	size_t n_figures;
	const char *surprise[GAMEDAY_SURPRISES_MAX];
	size_t n_surprises;
};

void gameday_page_write(const struct gameday_story *story,
	enum page_format format, struct buf *out);

#endif
