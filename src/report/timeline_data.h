/*
 * What happened in a rollout over time, as a page shows it: checks, traffic,
 * decisions. Filled out of a journal by the report, by a simulation as it
 * runs. Bounded: what is beyond the maxima is left out of the picture.
 *
 *   timeline_data.c   keeps it
 *   timeline_page.c   its charts and tables
 */
#ifndef TIDEGATE_REPORT_TIMELINE_DATA_H
#define TIDEGATE_REPORT_TIMELINE_DATA_H

#include "base/arena.h"
#include "engine/check.h"
#include "engine/evidence_memory.h"
#include "policy/policy.h"
#include "report/page.h"

#define TIMELINE_CHECKS_MAX  200000 /* later ones are not drawn */
#define TIMELINE_COLUMNS_MAX 6 /* of a table of lines */
#define TIMELINE_LINES_MAX   400 /* shown; the middle is left out */

struct timeline_line {
	int64_t time_ms;
	int percent; /* the candidate's */
	const char *what; /* name of the event or note */
	const char *text;
	enum tone tone;
};

/* What was counted since the check before, and what that made of it. */
struct timeline_counts {
	struct evidence_arms arms;
	double log_e, log_pass; /* of the SLO */
};

struct timeline_check {
	int64_t time_ms;
	int slo; /* index in the policy */
	double value, limit; /* NaN: none */
	enum outcome outcome;
	bool partial; /* an answer said that it was incomplete */
	const char *text; /* "0.5 > max 0.05"; "": nothing to say */
	const struct timeline_counts *counts; /* kind evidence; NULL: none */
	const char *query[QUERY_ROLES]; /* NULL: not asked */
};

struct timeline_percent {
	int64_t time_ms;
	int percent; /* the candidate's, from then on */
};

/* A growing list of one of these. */
#define TIMELINE_LIST(type)     \
	struct {                \
		type *item;     \
		size_t n, size; \
	}

/* A new item at the end of a list. */
#define TIMELINE_ADD(list)                                                     \
	((list)->n < (list)->size                                              \
			? (void)0                                              \
			: (void)((list)->size = 2 * (list)->size + 64,         \
				  (list)->item =                               \
					  xrealloc((list)->item, (list)->size, \
						  sizeof(*(list)->item))),     \
		&(list)->item[(list)->n++])

struct timeline_data {
	struct arena arena; /* of the texts */
	const struct policy *policy; /* borrowed */
	int64_t first_ms, last_ms;
	TIMELINE_LIST(struct timeline_line) lines;
	TIMELINE_LIST(struct timeline_check) checks;
	TIMELINE_LIST(struct timeline_percent) percents;
	int decisive; /* index of the check that decided; -1: none did */
};

void timeline_data_init(
	struct timeline_data *data, const struct policy *policy);
void timeline_data_fini(struct timeline_data *data);

/* `text` is kept as it is, `what` is copied. */
void timeline_add_line(
	struct timeline_data *data, const struct timeline_line *line);
/* NULL: there are too many. Zeroed but for what is given. */
struct timeline_check *timeline_add_check(
	struct timeline_data *data, int64_t time_ms, int slo);
/* Only a change is kept. */
void timeline_add_percent(
	struct timeline_data *data, int64_t time_ms, int percent);

enum tone timeline_tone(enum outcome outcome);
/* What was held against a limit; NaN: nothing was. Of "too few requests" old
 * journals have the number of requests as the value. */
double timeline_value(const struct timeline_check *check);

/* Traffic and each SLO against its limits; Markdown has none. */
void timeline_write_charts(const struct timeline_data *data, struct page *page);
/* One row for each SLO: its checks and its worst value. */
void timeline_write_slos(const struct timeline_data *data, struct page *page);

/* Each line by `write_line`, of many the first and the last ones; a row of
 * `columns` cells says how many were left out. */
void timeline_each_line(const struct timeline_data *data, struct page *page,
	size_t columns,
	void (*write_line)(const struct timeline_data *data,
		const struct timeline_line *line, struct page *page));

#endif
