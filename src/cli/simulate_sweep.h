/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of a sweep share. Not for anybody else.
 *
 *   simulate_sweep.c   values, recordings, the table
 *   simulate_cell.c    a combination, and what a recording comes to with it
 *   simulate_margin.c  where the course of a recording turns
 *   simulate_region.c  which combinations of several keys suit all
 *   simulate_course.c  what it comes to: counts, how each recording ends from
 *                      which value on
 *   simulate_sweep_page.c  … as a page
 */
#ifndef TIDEGATE_CLI_SIMULATE_SWEEP_H
#define TIDEGATE_CLI_SIMULATE_SWEEP_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/simulate.h"

#define AXES_MAX 4

enum sweep_end { END_PROMOTED, END_REVERTED, END_WAITING, END_OTHER, ENDS };

/* What one recording came to with one combination. */
struct sweep_cell {
	enum sweep_end end;
	bool met, wanted_back; /* it should have been rolled back */
	int slo; /* that took it back; -1: none did */
	enum cause cause;
	const char *reason; /* of an end no SLO decided; NULL: promoted */
	float revert_s; /* below 0: it was not */
};

/* Values with which a recording ends alike. */
struct sweep_stretch {
	struct sweep_cell cell;
	double from, to; /* of those that were tried */
	bool exact; /* it begins where the one before it ends */
	size_t point; /* the first value of the axis at or after `from` */
};

/* Of one recording, in the order of the axis. */
struct sweep_course {
	struct sweep_stretch *item; /* of one axis alone */
	size_t n, size;
	struct arena reasons;
	const char *reason; /* the last one */
};

struct sweep {
	const struct simulation *simulation;
	const struct sweep_wish *wish;
	struct axis axis[AXES_MAX];
	size_t n_axes;
	struct policy **policy; /* one for each combination */
	size_t n;
	bool one_past; /* stable's past is the same with all of them */
	const struct path_list *paths;
	struct sweep_cell *cell; /* of recording i, from i * n on */
	struct sweep_course *course; /* of each recording */
	atomic_size_t next; /* recording */
	atomic_bool failed;
	pthread_mutex_t lock; /* of err, and of policies while threads run */
	struct err err; /* the first one */
};

/* Of one combination. */
struct sweep_tally {
	size_t end[ENDS], met;
	size_t false_reverts, missed;
	float *revert_s; /* sorted */
	size_t n_reverts;
};

/* ---- simulate_cell.c ---- */

/* Which value of an axis the combination has; the last one changes fastest. */
size_t sweep_index(const struct sweep *s, size_t axis, size_t point);

/* The policy's file with these values, one for each axis, over what --set
 * says; `quietly`: see simulate_policy_quietly, err_r is not set. */
MUST_CHECK struct policy *sweep_policy(const struct sweep *s,
	const double *numbers, bool quietly, struct err *err_r);
/* `course`: the recording's, which keeps the texts. */
void sweep_take(struct sweep_cell *cell, const struct recording *recording,
	const struct sim_result *result, struct sweep_course *course);

/* ---- simulate_margin.c ---- */

/* They end for the same cause, and by the same SLO. */
bool sweep_are_alike(const struct sweep_cell *a, const struct sweep_cell *b);

/* Adds the stretches of recording `i`, all of whose cells are known. */
void sweep_course_make(struct sweep *s, size_t i,
	const struct recording *recording, const struct sim_options *options,
	struct sweep_course *course);

/* ---- simulate_course.c ---- */

/* Free its revert_s. */
void sweep_count(
	const struct sweep *s, size_t point, struct sweep_tally *tally_r);
/* The smallest time within which so many of ten were taken back. */
double sweep_within(const struct sweep_tally *t, size_t of_ten);

/* What a combination comes to, in words; "-" for a time that never was. */
#define SWEEP_COUNTS 9
extern const char *const sweep_count_names[SWEEP_COUNTS];
void sweep_print_counts(const struct sweep_tally *t,
	char counts_r[SWEEP_COUNTS][SIMULATE_TEXT_MAX]);

const char *sweep_end_name(enum sweep_end end);
/* The SLO that took it back; NULL: none did. */
const char *sweep_decided_by(
	const struct sweep *s, const struct sweep_cell *cell);

/* "rolled back by errors", "waiting (the recording ends …)" */
void sweep_add_end(
	const struct sweep *s, const struct sweep_cell *cell, struct buf *out);

/* For one axis. */

/* "rolled back by errors: 0.5% to 2%; waiting (the recording ends before the
 * decision): above 2% to 5%" */
void sweep_add_course(const struct sweep *s, size_t recording, struct buf *out);
/* Values with which all end as expected, at *point or after it, which is set
 * behind them; false: there are none. */
bool sweep_next_region(
	const struct sweep *s, size_t *point, double *from_r, double *to_r);
/* "0.5% to 2.13%, 4%"; nothing: with no value. */
void sweep_add_region(const struct sweep *s, struct buf *out);
void sweep_print_courses(const struct sweep *s, struct buf *out);

/* ---- simulate_sweep_page.c ---- */

MUST_CHECK int sweep_write_page(const struct sweep *s, struct err *err_r);

/* ---- simulate_region.c ---- */

/* For several axes. */

/* "promoted: 6 of 9; rolled back by errors: 3 of 9" */
void sweep_add_kinds(const struct sweep *s, size_t recording, struct buf *out);
/* How many recordings do not end as expected. */
size_t sweep_missed(const struct sweep *s, size_t point);
/* Of two axes: with value `i` of the axis `down` and value `k` of the other. */
size_t sweep_point(const struct sweep *s, size_t down, size_t i, size_t k);
/* With how many combinations all end as expected. */
size_t sweep_count_suiting(const struct sweep *s);
void sweep_print_region(const struct sweep *s, struct buf *out);

#endif
