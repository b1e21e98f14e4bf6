/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be seen of a PromQL text without a server. Pure; no parser: it sees
 * brackets, quotes, names and numbers, and only claims what follows from them.
 */
#ifndef TIDEGATE_POLICY_PROMQL_H
#define TIDEGATE_POLICY_PROMQL_H

#include <stdbool.h>
#include <stddef.h>

#define PROMQL_WHY_MAX 80

/* Whether all brackets and quotes are closed; else where one is not, and how
 * to say it. {{templates}} are passed over. */
bool promql_is_balanced(
	const char *text, size_t *at_r, char why_r[PROMQL_WHY_MAX]);

/* Whether it is the selector of a metric and nothing more: name{…}. */
bool promql_is_selector(const char *text);

/* How long it is without the blanks and comments after it. */
size_t promql_len(const char *text);

struct promql_look {
	bool is_share; /* a part of one metric divided by all of it */
	bool is_percent; /* the same, times 100 */
	bool needs_or; /* failures are told by a label, and may be none yet */
	bool is_seconds, is_milliseconds; /* a latency */
	bool may_be_negative;
	double quantile; /* of histogram_quantile(); 0: none, or no number */
};

void promql_look(const char *text, struct promql_look *look_r);

#endif
