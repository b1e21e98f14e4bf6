/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a revision answered in the last seconds, as a share of errors and
 * quantiles: for who has no Prometheus. Pure.
 */
#ifndef TIDEGATE_SANDBOX_RECENT_H
#define TIDEGATE_SANDBOX_RECENT_H

#include <stddef.h>
#include <stdint.h>

#define RECENT_ANSWERS 2048 /* kept of a revision; older ones are not seen */

struct recent_answer {
	int64_t ms, latency_us;
	int code;
};

struct recent {
	struct recent_answer answer[RECENT_ANSWERS]; /* a ring */
	uint64_t n; /* all that ever were */
};

/* NaN where nothing was answered. */
struct recent_view {
	size_t requests;
	double error_ratio; /* those with 500 and more, 0 to 1 */
	double p50_s, p95_s;
};

/* Times do not go back. */
void recent_count(
	struct recent *recent, int64_t now_ms, int code, int64_t latency_us);
/* Of what was answered after `since_ms`. NULL: nothing ever was. */
void recent_look(const struct recent *recent, int64_t since_ms,
	struct recent_view *view_r);

#endif
