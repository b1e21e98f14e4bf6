/* SPDX-License-Identifier: Apache-2.0 */
/* The last answers of a revision; see recent.h. */
#include "sandbox/recent.h"

#include <math.h>
#include <stdlib.h>

void recent_count(
	struct recent *recent, int64_t now_ms, int code, int64_t latency_us)
{
	recent->answer[recent->n++ % RECENT_ANSWERS] =
		(struct recent_answer){now_ms, latency_us, code};
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The smallest that so many of a hundred are not above; n > 0. */
static double quantile_s(const int64_t *sorted, size_t n, size_t percent)
{
	size_t rank = (n * percent + 99) / 100;

	return (double)sorted[rank - 1] / 1e6;
}

void recent_look(const struct recent *recent, int64_t since_ms,
	struct recent_view *view_r)
{
	int64_t latency[RECENT_ANSWERS] = {0};
	uint64_t at = recent ? recent->n : 0;
	size_t n = 0, errors = 0;

	while (n < RECENT_ANSWERS && at > 0) {
		const struct recent_answer *answer =
			&recent->answer[--at % RECENT_ANSWERS];

		if (answer->ms <= since_ms)
			break;
		errors += answer->code >= 500;
		latency[n++] = answer->latency_us;
	}
	*view_r = (struct recent_view){n, NAN, NAN, NAN};
	if (!n)
		return;
	qsort(latency, n, sizeof(*latency), by_size);
	view_r->error_ratio = (double)errors / (double)n;
	view_r->p50_s = quantile_s(latency, n, 50);
	view_r->p95_s = quantile_s(latency, n, 95);
}
