/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened in a rollout over time, as a page shows it: checks, traffic,
 * decisions. Filled out of a journal by the report, by a simulation as it
 * runs. Bounded: what is beyond the maxima is left out of the picture. Pure.
 *
 *   timeline_data.c      keeps it
 *   timeline_figures.c   what it comes to, in a few numbers
 *   timeline_page.h      its charts and tables
 */
#ifndef TIDEGATE_REPORT_TIMELINE_DATA_H
#define TIDEGATE_REPORT_TIMELINE_DATA_H

#include "base/arena.h"
#include "base/duration.h"
#include "base/timestamp.h"
#include "engine/check.h"
#include "engine/event.h"
#include "engine/evidence_memory.h"
#include "policy/policy.h"
#include "report/chart.h"

#define TIMELINE_CHECKS_MAX 200000 /* later ones are not drawn */

struct timeline_line {
	int64_t time_ms;
	int percent; /* the candidate's */
	const char *what; /* name of the event, note or new phase */
	const char *text;
	enum tone tone;
};

/* What was counted since the check before, and what that made of it. */
struct timeline_counts {
	struct evidence_arms arms;
	double log_e, log_pass; /* of the SLO … */
	double full_e, full_pass; /* … and at which it is enough */
};

struct timeline_check {
	int64_t time_ms;
	int slo; /* index in the policy */
	double value, limit; /* NaN: none */
	double other; /* stable's value; NaN: none */
	enum outcome outcome;
	bool partial; /* an answer said that it was incomplete */
	const char *text; /* "0.5 > max 0.05"; "": nothing to say */
	const struct timeline_counts *counts; /* kind evidence; NULL: none */
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
	int64_t reverting_ms; /* when it was decided to go back; 0: never */
	/* What was asked, the latest; NULL: it was not. */
	const char *query[POLICY_SLOS_MAX][QUERY_ROLES];
	/* Stable's past, of SLOs of kind evidence. */
	const struct slo_history *histories;
	size_t n_histories;
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
enum tone timeline_tone_of_phase(enum phase phase);
/* What was held against a limit; NaN: nothing was. Of "too few requests" old
 * journals have the number of requests as the value. */
double timeline_value(const struct timeline_check *check);

/* A check of kind evidence that counted: what it did, what was seen of late. The
 * two numbers are the check's own, before what followed from it. */
void timeline_take_evidence(struct timeline_data *data,
	struct timeline_check *check, struct evidence_memory *memory,
	double log_e, double log_pass);

/* ---- timeline_figures.c ---- */

struct timeline_figures {
	int highest; /* percent of the candidate */
	int64_t exposed_ms; /* how long it had users */
	double exposure_s; /* integral of its percent / 100 */
	/* Of the candidate, counted; NaN: not known. */
	double requests, bad;
	/* The first sample of those that led to the decision, the decision,
	 * users back on stable; 0: was not, or was not seen. */
	int64_t first_bad_ms, decided_ms, back_ms;
};

void timeline_figure_out(
	const struct timeline_data *data, struct timeline_figures *figures_r);

/* "6m12s", without milliseconds when it is long. Returns `text`. */
const char *timeline_length(int64_t ms, char text[DURATION_TEXT_MAX]);
/* When it was, in UTC; with the date where the rollout began on another day than
 * it ended. */
const char *timeline_clock(const struct timeline_data *data, int64_t ms,
	char text[TIMESTAMP_TEXT_MAX]);

#endif
