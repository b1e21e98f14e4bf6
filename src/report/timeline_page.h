/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened over time as sections of a page: the report's and the
 * simulation's are the same. Pure.
 *
 *   timeline_chart.c      traffic and SLOs as charts
 *   timeline_page.c       tiles, tables, queries, journal
 *   timeline_evidence.c   what is there for SLOs of kind evidence alone
 */
#ifndef TIDEGATE_REPORT_TIMELINE_PAGE_H
#define TIDEGATE_REPORT_TIMELINE_PAGE_H

#include "report/page.h"
#include "report/timeline_data.h"

#define TIMELINE_LINES_MAX 400 /* shown; the middle is left out */

struct timeline_decider {
	const char *who, *note; /* NULL: nobody decided yet */
};

/* An SLO by its name, else what the cause is called; a person is named by the
 * caller. */
struct timeline_decider timeline_decider(
	const struct policy *policy, enum cause cause, int slo);

/* The tiles of a page. */
void timeline_write_tiles(const struct timeline_data *data,
	const struct timeline_figures *figures,
	const struct timeline_decider *decider, struct page *page);

/* Traffic over time; nothing when the candidate never had users. */
void timeline_write_traffic(
	const struct timeline_data *data, struct page *page);
/* The check that decided, and what it was asked. */
void timeline_write_decision(
	const struct timeline_data *data, struct page *page);
/* A table, and a chart for each; nothing when none was asked. */
void timeline_write_slos(const struct timeline_data *data, struct page *page);
/* … the charts alone, with what was planned. */
void timeline_write_slo_charts(
	const struct timeline_data *data, struct page *page);
void timeline_write_queries(
	const struct timeline_data *data, struct page *page);
/* All lines, folded; of many the first and the last ones. */
void timeline_write_journal(
	const struct timeline_data *data, struct page *page);

/* ---- for the files above alone ---- */

void timeline_chart_slo(
	const struct timeline_data *data, int slo, struct page *page);
void timeline_write_meters(
	const struct timeline_data *data, int slo, struct page *page);
/* The minutes that led to the decision, check by check. */
void timeline_write_increments(
	const struct timeline_data *data, struct page *page);
/* What the policy would find, by stable's past. */
void timeline_write_plan(const struct timeline_data *data, struct page *page);

#endif
