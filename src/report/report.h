/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report of a rollout, out of its journal alone: what happened, when, by
 * whom, on which evidence, and what is left for a person. For any rollout, at
 * any time of its life. Reads the store; asks nobody else.
 *
 *   report_codec.c    the journal -> struct report
 *   report_write.c    the document
 *   report_todo.c     what is left for a person
 *   timeline_data.h   checks, traffic and decisions over time
 *   timeline_page.h   … as sections of a page
 *   page.h, chart.h   how it looks
 */
#ifndef TIDEGATE_REPORT_REPORT_H
#define TIDEGATE_REPORT_REPORT_H

#include "base/buf.h"
#include "policy/policy.h"
#include "report/page.h"
#include "report/timeline_page.h"
#include "status/lookback.h"
#include "status/summary.h"
#include "store/fold.h"
#include "store/store.h"

#define REPORT_BYTES_MAX (16 * 1024 * 1024) /* of a page */

struct report_action {
	int64_t ended_ms;
	enum action_list list;
	const char *name, *type;
	int attempt;
	enum action_result result;
	int64_t duration_ms;
	const char *detail;
};

struct report_person {
	int64_t time_ms;
	const char *who, *verb, *comment;
};

struct report {
	struct timeline_data data; /* and the arena of all texts */
	struct store_rollout row; /* its phase may be older than the fold's */
	struct fold fold;
	TIMELINE_LIST(struct report_action) actions;
	TIMELINE_LIST(struct report_person) people;
	struct lookback *lookback; /* without checks, which `data` has */
	enum summary_driver driver; /* whoever reads it says; else nobody */
	const char *table_before, *table_after; /* traffic as text; NULL */
};

/* `policy` is the one kept with the rollout, or the one it runs under. */
MUST_CHECK struct report *report_load(struct store *store, const char *rollout,
	const struct policy *policy, struct err *err_r);
void report_free(struct report **report);

/* The same for who reads the journal himself, from its first entry on: of a long
 * one that takes seconds. NULL: there is no such rollout. */
struct report_reader;
MUST_CHECK struct report_reader *report_reader_new(struct store *store,
	const char *rollout, const struct policy *policy, struct err *err_r);
MUST_CHECK int report_reader_take(struct report_reader *reader,
	const struct store_event *entry, struct err *err_r);
/* As it stands; more may be taken, and then it is looked at again. `row` is the
 * rollout's as it is now, borrowed; NULL: as it was at first. */
const struct report *report_reader_look(
	struct report_reader *reader, const struct store_rollout *row);
struct report *report_reader_finish(struct report_reader **reader);
void report_reader_free(struct report_reader **reader);

void report_write(
	const struct report *report, enum page_format format, struct buf *out);

/* Sections of it, for other pages about a rollout. */
void report_write_actions(const struct report *report, struct page *page);
void report_write_people(const struct report *report, struct page *page);
void report_write_facts(const struct report *report, struct page *page);
/* One item for each thing that a person has to do or to know. */
void report_todo(const struct report *report, const struct summary *summary,
	struct page *page);

#endif
