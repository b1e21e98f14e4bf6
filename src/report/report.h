/*
 * The report of a rollout, out of its journal alone: what happened, when, by
 * whom, on which evidence, and what is left for a person. For any rollout, at
 * any time of its life. Reads the store; asks nobody else.
 *
 *   report_codec.c    the journal -> struct report
 *   report_write.c    the document
 *   report_todo.c     what is left for a person
 *   page.h, chart.h   how it looks
 */
#ifndef TIDEGATE_REPORT_REPORT_H
#define TIDEGATE_REPORT_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "policy/policy.h"
#include "report/page.h"
#include "store/fold.h"
#include "store/store.h"

#define REPORT_BYTES_MAX  (16 * 1024 * 1024) /* of a page */
#define REPORT_LINES_MAX  400 /* of the timeline; the middle is left out */
#define REPORT_CHECKS_MAX 200000 /* later ones are not drawn */

/* One line of the timeline. Texts live in the report's arena. */
struct report_line {
	int64_t time_ms;
	const char *what; /* name of the event or note */
	const char *text;
	enum tone tone;
};

struct report_check {
	int64_t time_ms;
	int slo; /* index in the policy */
	double value, limit; /* NaN: none */
	enum outcome outcome;
	const char *text; /* "0.5 > max 0.05"; "": nothing to say */
	const char *query, *baseline_query, *requests_query; /* NULL: none */
};

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

struct report_percent {
	int64_t time_ms;
	int percent; /* the candidate's */
};

/* A growing list of one of these; see report_codec.c. */
#define REPORT_LIST(type)       \
	struct {                \
		type *item;     \
		size_t n, size; \
	}

struct report {
	struct arena arena;
	struct store_rollout row; /* its phase may be older than the fold's */
	const struct policy *policy; /* borrowed */
	struct fold fold;
	REPORT_LIST(struct report_line) lines;
	REPORT_LIST(struct report_check) checks;
	REPORT_LIST(struct report_action) actions;
	REPORT_LIST(struct report_person) people;
	REPORT_LIST(struct report_percent) percents;
	const char *table_before, *table_after; /* traffic as text; NULL */
	int64_t first_ms, last_ms;
	int decisive; /* index of the check that decided; -1: none did */
};

/* `policy` is the one kept with the rollout, or the one it runs under. */
MUST_CHECK struct report *report_load(struct store *store, const char *rollout,
	const struct policy *policy, struct err *err_r);
void report_free(struct report **report);

void report_write(
	const struct report *report, enum page_format format, struct buf *out);

/* One item for each thing that a person has to do or to know. */
void report_todo(const struct report *report, struct page *page);

#endif
