/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a load; see tally.h. */
#include "load/tally.h"

#include <stdio.h>
#include <string.h>

#include "config.h"
#include "status/load_live.h"

#define LOAD_GENERATOR "tidegate-load/" PACKAGE_VERSION

/* ---- counted ---- */

static void count_reason(struct tally *tally, const char *why)
{
	struct load_reason *reason = tally->reason;

	for (size_t i = 0; i < LOAD_REASONS_MAX; i++, reason++) {
		if (!reason->n)
			snprintf(reason->text, sizeof(reason->text), "%s", why);
		else if (strncmp(reason->text, why, sizeof(reason->text) - 1))
			continue;
		reason->n++;
		return;
	}
	tally->other_reasons++;
}

void tally_answer(struct tally *tally, int64_t us, bool warmup, const char *why)
{
	histogram_add(&tally->recent, us);
	tally->recent_requests++;
	tally->recent_failed += why != NULL;
	if (why)
		count_reason(tally, why);
	if (warmup) {
		tally->warmup_requests++;
		tally->warmup_failed += why != NULL;
		return;
	}
	histogram_add(&tally->times, us);
	tally->requests++;
	tally->failed += why != NULL;
}

void tally_drop(struct tally *tally, uint64_t n, bool warmup)
{
	if (!warmup)
		tally->dropped += n;
}

void tally_recent_clear(struct tally *tally)
{
	histogram_clear(&tally->recent);
	tally->recent_requests = 0;
	tally->recent_failed = 0;
}

static double quantile_ms(const struct histogram *times, double q)
{
	return (double)histogram_quantile_us(times, q) / 1000;
}

void tally_figures(const struct tally *tally, struct load_figures *f)
{
	const struct histogram *times = &tally->times;
	double n = (double)times->n;

	*f = (struct load_figures){
		.generator = LOAD_GENERATOR,
		.requests = tally->requests,
		.failed = tally->failed,
		.dropped = tally->dropped,
		.rate = tally->judged_ms ? 1000 * (double)tally->requests /
						   (double)tally->judged_ms
					 : 0,
		.p50_ms = quantile_ms(times, 0.5),
		.p95_ms = quantile_ms(times, 0.95),
		.p99_ms = quantile_ms(times, 0.99),
		.max_ms = (double)times->max_us / 1000,
		.mean_ms = n > 0 ? times->sum_us / n / 1000 : 0,
		.duration_ms = tally->judged_ms,
		.users = tally->users_most,
		.warmup_requests = tally->warmup_requests,
		.warmup_failed = tally->warmup_failed,
		.reason = tally->reason,
		.other_reasons = tally->other_reasons,
		.stopped = tally->stopped,
	};
}

/* ---- printed ---- */

static struct load_live live_of(
	const struct tally *tally, const struct tally_now *now)
{
	double n = (double)tally->recent_requests;

	return (struct load_live){
		.at_ms = now->at_ms,
		.total_ms = now->total_ms,
		.users = now->users,
		.rate = now->since_ms > 0 ? 1000 * n / (double)now->since_ms
					  : 0,
		.p95_ms = quantile_ms(&tally->recent, 0.95),
		.failed = n > 0 ? (double)tally->recent_failed / n : 0,
		.dropped = (int64_t)tally->dropped,
	};
}

void tally_print_live(
	const struct tally *tally, const struct tally_now *now, struct buf *out)
{
	const struct load_live live = live_of(tally, now);

	load_live_print(&live, out);
}

void tally_print_progress(
	const struct tally *tally, const struct tally_now *now, struct buf *out)
{
	const struct load_live live = live_of(tally, now);

	load_live_add_course(&live, out);
}
