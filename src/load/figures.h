/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The figures of a load that is over, whoever made it: judged by limits, and
 * printed. Pure.
 */
#ifndef TIDEGATE_LOAD_FIGURES_H
#define TIDEGATE_LOAD_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/policy_action.h"

#define LOAD_REASONS_MAX 8 /* different ones that are told */
#define LOAD_REASON_MAX  160 /* bytes with the NUL */
#define LOAD_TEXT_MAX    4096 /* bytes of a text of all of it */

struct load_reason { /* why an answer was none that was expected */
	char text[LOAD_REASON_MAX];
	uint64_t n;
};

/* Times in milliseconds; below 0: not known. */
struct load_figures {
	const char *generator; /* who made it */
	uint64_t requests, failed; /* answered or given up */
	uint64_t dropped; /* due, and not sent in time */
	double rate; /* per second */
	double p50_ms, p95_ms, p99_ms, max_ms, mean_ms;
	int64_t duration_ms;
	int users; /* at most */
	uint64_t warmup_requests, warmup_failed; /* not among the others */
	const struct load_reason *reason; /* LOAD_REASONS_MAX; NULL: none */
	uint64_t other_reasons;
	const char *verdict; /* of its own; NULL: it has none or is content */
	bool stopped; /* before its end */
};

/* Failed ones and dropped ones, of all that were due. */
double figures_failed_share(const struct load_figures *figures);

/* Whether the limits hold; what does not is appended. */
bool figures_judge(const struct load_figures *figures,
	const struct load_limits *limits, struct buf *missed);
/* One line of JSON: returns whether it passed. */
bool figures_print_json(const struct load_figures *figures,
	const struct load_limits *limits, struct buf *out);
/* The same for people, without a newline. */
bool figures_print_text(const struct load_figures *figures,
	const struct load_limits *limits, struct buf *out);

#endif
