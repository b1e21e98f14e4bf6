/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A week of a service, piece by piece; see init_week.h.
 *
 *   init_week_start ─ week_next ─ week_answered ─┬─ week_next …
 *                                                └─ week_finish
 */
#include "cli/init_week.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "metrics/counter_codec.h"
#include "metrics/prometheus.h"

#define QUERY_BYTES_MAX (64 * 1024)
#define HOUR_MS         INT64_C(3600000)
#define DAY_MS          (24 * HOUR_MS)

struct init_week {
	struct init_week_what what;
	enum proposal_query query; /* being asked */
	struct past_table table[PROPOSAL_QUERIES];
	size_t from, looks; /* the piece under way */
	struct provider_call *call;
	init_week_fn fn;
	void *arg;
};

static void week_next(struct init_week *week);
static void week_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg);
static void week_finish(struct init_week *week, const struct err *err);

/* ---- grids ---- */

/* From the first look on that may lie at `from_ms`. */
static struct past_grid grid_of(
	const struct init_week *week, int64_t from_ms, int64_t step_ms)
{
	int64_t end_ms = week->what.to_ms / 1000 * 1000;
	struct past_grid grid = {.step_ms = step_ms,
		.looks = (size_t)((end_ms - from_ms) / step_ms) + 1};

	grid.start_ms = end_ms - (int64_t)(grid.looks - 1) * step_ms;
	return grid;
}

/* When the service began to have requests: windows before would be asked for
 * in vain. */
static int64_t first_ms(const struct past_table *rates)
{
	size_t look, i;

	for (look = 0; look < rates->grid.looks; look++)
		for (i = 0; i < rates->n; i++)
			if (rates->row[i].values[look] > 0)
				return rates->grid.start_ms +
				       ((int64_t)look - 1) *
					       rates->grid.step_ms;
	return rates->grid.start_ms;
}

/* Windows as long as is right for what was seen by the hour. */
static void take_traffic(struct init_week *week)
{
	struct proposal *p = week->what.proposal;
	const struct past_table *rates = &week->table[PROPOSAL_RATES];
	struct pace_what what = {.gap_ms = p->gap_ms,
		.is_late = p->is_managed,
		.is_evidence = p->is_evidence};
	struct past_grid grid;
	int64_t from_ms = first_ms(rates);
	size_t query;

	week_traffic(rates, &p->traffic);
	what.quiet = p->traffic.quiet;
	pace_choose(&what, &p->pace);
	p->quantile = proposal_quantile(p->pace.expected);
	if (from_ms < week->what.from_ms)
		from_ms = week->what.from_ms;
	grid = grid_of(week, from_ms, p->pace.window_ms);
	for (query = PROPOSAL_REQUESTS; query < PROPOSAL_QUERIES; query++)
		past_table_init(&week->table[query], &grid);
}

/* ---- piece by piece ---- */

struct init_week *init_week_start(
	const struct init_week_what *what, init_week_fn fn, void *arg)
{
	struct init_week *week = xcalloc(1, sizeof(*week));
	struct past_grid grid;

	week->what = *what;
	week->fn = fn;
	week->arg = arg;
	grid = grid_of(week, what->from_ms, HOUR_MS);
	past_table_init(&week->table[PROPOSAL_RATES], &grid);
	week_next(week);
	return week;
}

void init_week_cancel(struct init_week **week_p)
{
	struct init_week *week = *week_p;
	size_t i;

	if (!week)
		return;
	*week_p = NULL;
	provider_cancel(&week->call);
	for (i = 0; i < PROPOSAL_QUERIES; i++)
		past_table_fini(&week->table[i]);
	free(week);
}

static void week_next(struct init_week *week)
{
	const struct past_grid *grid = &week->table[week->query].grid;
	size_t day = (size_t)(DAY_MS / grid->step_ms);
	struct prometheus_range range = {.step_ms = grid->step_ms};
	struct buf query;

	/* Few points: all of them at once. */
	if (week->query == PROPOSAL_RATES)
		day = grid->looks;
	week->looks = grid->looks - week->from;
	if (week->looks > day)
		week->looks = day;
	range.start_ms = grid->start_ms + (int64_t)week->from * grid->step_ms;
	range.end_ms =
		range.start_ms + (int64_t)(week->looks - 1) * grid->step_ms;
	buf_init(&query, QUERY_BYTES_MAX);
	(void)proposal_query_print(week->what.proposal, week->query, &query);
	week->call = prometheus_range_start(
		week->what.prometheus, query.data, &range, week_answered, week);
	buf_fini(&query);
}

static int take_piece(struct init_week *week, int status, const char *body,
	size_t len, struct err *err_r)
{
	const struct counter_reply reply = {status, body, len, true};
	struct metric_reading reading;

	if (counter_decode_range(&reply, week->from, week->looks,
		    &week->table[week->query], &reading, err_r) < 0)
		return -1;
	xfree(&reading.warnings);
	week->from += week->looks;
	return 0;
}

/* The query after the one that is complete; false: there is none. */
static bool choose_next(struct init_week *week)
{
	if (week->from < week->table[week->query].grid.looks)
		return true;
	if (week->query == PROPOSAL_RATES)
		take_traffic(week);
	if (!(week->what.proposal->traffic.days > 0))
		return false;
	week->from = 0;
	week->query++;
	if (week->query == PROPOSAL_LATENCY && !week->what.proposal->histogram)
		week->query++;
	return week->query < PROPOSAL_QUERIES;
}

static void week_answered(int status, const char *body, size_t len,
	const struct err *err, void *arg)
{
	struct init_week *week = arg;
	struct err trouble;
	int rc = -1;

	week->call = NULL;
	if (err)
		trouble = *err;
	else
		rc = take_piece(week, status, body, len, &trouble);
	if (rc < 0)
		week_finish(week, &trouble);
	else if (choose_next(week))
		week_next(week);
	else
		week_finish(week, NULL);
}

/* ---- what it comes to ---- */

static void judge(
	struct init_week *week, enum proposal_query query, struct week *week_r)
{
	const struct proposal *p = week->what.proposal;
	const struct week_what what = {
		.requests = &week->table[PROPOSAL_REQUESTS],
		.values = &week->table[query],
		.least = p->pace.requests_min,
		.absent = query == PROPOSAL_FAILURES ? 0 : NAN,
		.share = query == PROPOSAL_FAILURES,
	};
	double *value = xcalloc(what.requests->grid.looks + 1, sizeof(*value));
	size_t n = week_values(&what, value), i;

	for (i = 0; query == PROPOSAL_LATENCY && i < n; i++)
		if (!strcmp(p->unit, "ms"))
			value[i] /= 1000;
	week_judge(value, n, p->traffic.days, week_r);
	free(value);
}

static void week_finish(struct init_week *week, const struct err *err)
{
	struct proposal *p = week->what.proposal;
	init_week_fn fn = week->fn;
	void *arg = week->arg;
	struct err trouble = {0};

	if (err)
		trouble = *err;
	if (!err && p->traffic.days > 0) {
		judge(week, PROPOSAL_FAILURES, &p->errors.week);
		if (p->histogram)
			judge(week, PROPOSAL_LATENCY, &p->latency.week);
	}
	init_week_cancel(&week);
	fn(err ? &trouble : NULL, arg);
}
