/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of `tidegate simulate` share. Not for anybody else.
 *
 *   cmd_simulate.c    options, policies, which of the following
 *   simulate_one.c    one recording: JSON lines, or text of
 *   simulate_text.c   … the timeline and the result, for people
 *   simulate_page.c   … one page with charts
 *   simulate_site.c   a folder of pages, for several recordings
 *   simulate_policy.c   policies, with --set over them
 *   simulate_sweep.c    a policy with many values of a key
 *   simulate_axis.c     … which those are
 *   simulate_cell.c     … what a recording comes to with one of them
 *   simulate_course.c   … how recordings end, value by value
 *   simulate_margin.c   … from which value on exactly
 *   simulate_region.c   … which combinations of several keys suit all
 *   simulate_compare.c  two policies, and where they part
 *   simulate_many.c   several: on all cores, one line each, and
 *   simulate_summary.c  … their summary
 *   simulate_paths.c  folders of recordings
 *   simulate_queries.c  whether a recording answers what the policy asks
 */
#ifndef TIDEGATE_CLI_SIMULATE_H
#define TIDEGATE_CLI_SIMULATE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "cli/args.h"
#include "report/page.h"
#include "sim/series.h"
#include "sim/sim.h"

struct simulation {
	const struct policy *policy;
	const struct policy *other; /* to be compared with it; NULL: none */
	struct fault faults[SIM_FAULTS_MAX];
	struct sim_options options;
	const char
		*html; /* a page goes there, or a folder of them; NULL: none */
	FILE *told; /* where all else goes: not into a page on standard output */
	bool json;
	bool colour; /* of text */
	bool every_check; /* in the timeline, also those that pass */
};

/* ---- simulate_one.c ---- */

/* Prints what happens; the exit status of `run`, -1 with err_r. */
MUST_CHECK int simulate_one(const struct simulation *simulation,
	const struct recording *recording, struct err *err_r);

/* ---- simulate_paths.c ---- */

/* Recordings in the order they are simulated in. */
struct path_list {
	struct arena arena;
	const char **item;
	size_t n, size;
	bool has_folder;
};

/* A folder stands for the *.json in it, in the order of their bytes. */
MUST_CHECK int simulate_paths(
	struct path_list *list, char *const *args, size_t n, struct err *err_r);
void path_list_fini(struct path_list *list);

/* ---- simulate_policy.c ---- */

/* With `sets` over it. `asks`: its Prometheus. Problems go to stderr … */
MUST_CHECK struct policy *simulate_policy(const char *path,
	const struct text_list *sets, bool asks, struct err *err_r);
/* … or nowhere: NULL is all there is to know. */
MUST_CHECK struct policy *simulate_policy_quietly(
	const char *path, const struct text_list *sets);

/* ---- simulate_axis.c ---- */

#define AXIS_VALUES_MAX 100
#define AXIS_TEXT_MAX   256
#define AXIS_UNIT_MAX   8

/* "evidence.alpha=1%..10%:5" */
struct axis {
	char key[AXIS_TEXT_MAX];
	double from, to;
	char unit[AXIS_UNIT_MAX]; /* of both */
	size_t n; /* 1 at least */
};

MUST_CHECK int axis_parse(
	const char *text, struct axis *axis_r, struct err *err_r);
double axis_number(const struct axis *axis, size_t i);
/* "3.25%"; return `text`. */
const char *axis_print(
	const struct axis *axis, double number, char text[AXIS_TEXT_MAX]);
const char *axis_value(
	const struct axis *axis, size_t i, char text[AXIS_TEXT_MAX]);
/* What margins are exact to: three digits of its highest value, and a tenth of
 * the distance of two values at most. */
double axis_grain(const struct axis *axis);

/* ---- simulate_sweep.c ---- */

struct sweep_wish {
	const char *policy; /* the file */
	const struct text_list *sets, *sweeps;
};

/* 0: with some values every expectation is met, 1: with none; -1 with err_r. */
MUST_CHECK int simulate_sweep(const struct simulation *simulation,
	const struct sweep_wish *wish, const struct path_list *paths,
	struct err *err_r);

/* ---- simulate_queries.c ---- */

/* As `run` would ask it; NULL: the SLO does not. */
const char *simulate_query(const struct recording *recording,
	const struct policy *policy, const struct slo *slo,
	enum query_role kind, struct arena *arena);
/* The next series that was recorded with another query, from *at on, which is
 * 0 at first; false: there is none. */
bool simulate_changed_query(const struct policy *policy,
	const struct recording *recording, size_t *at,
	char name[SERIES_NAME_MAX]);
/* Says all of them on stderr. */
void simulate_warn_of_queries(
	const struct simulation *simulation, const struct recording *recording);

/* ---- simulate_page.c ---- */

struct timeline_data;
struct timeline_data *simulate_page_new(
	const struct policy *policy, int64_t start_ms);
void simulate_page_free(struct timeline_data **data);
/* An event, or a note of it: as sim_listener. */
void simulate_page_take(struct timeline_data *data, const struct sim *sim,
	const struct event *event, const struct note *note);
/* Its sections; `is_part`: of a page about several. */
void simulate_page_write(struct timeline_data *data,
	const struct recording *recording, const struct sim_result *result,
	bool is_part, struct page *page);
/* A page of HTML; `out` is the caller's, and freed by the end, which writes it
 * to a file. */
void simulate_page_begin(struct page *page, struct buf *out, const char *title);
MUST_CHECK int simulate_page_end(
	struct page *page, const char *path, struct err *err_r);
/* One of its own. */
MUST_CHECK int simulate_page_save(struct timeline_data *data,
	const struct recording *recording, const struct sim_result *result,
	const char *path, struct err *err_r);

/* ---- simulate_site.c ---- */

#define SITE_CELLS_MAX 8

/* A folder of pages: one for each recording, and index.html, whose table has
 * `heads`. */
struct site;
MUST_CHECK struct site *site_new(const char *folder,
	const struct path_list *paths, const char *const *heads, size_t n,
	struct err *err_r);
void site_free(struct site **site);
/* Where the page of recording `i` goes. Valid as long as the site. */
const char *site_path(const struct site *site, size_t i);
/* The next row of the index: recording `i`, whose name is the first cell.
 * `has_page`: there is one to lead to. */
void site_add(struct site *site, size_t i, bool has_page, enum tone tone,
	const char *const *cells);
/* Writes the index; `good`: all is as it should be. */
MUST_CHECK int site_finish(struct site *site, const char *title, bool good,
	const char *reason, struct err *err_r);

/* ---- simulate_compare.c ---- */

/* 0: they decide alike on all of them, 1: not; -1 with err_r. */
MUST_CHECK int simulate_compare(const struct simulation *simulation,
	const struct path_list *paths, struct err *err_r);

/* ---- simulate_many.c ---- */

/* 0: every expectation is met, 1: not; -1 with err_r. */
MUST_CHECK int simulate_many(const struct simulation *simulation,
	const struct path_list *paths, struct err *err_r);

/* How many threads are worth it for so many recordings: not more than there
 * are cores for this process, or 64. */
size_t simulate_threads(size_t n);

/* ---- simulate_summary.c ---- */

/* Of many recordings; what it holds does not grow with their number. */
struct summary;

struct summary_row {
	const char *path;
	const char *outcome; /* "broken" when it could not be simulated */
	const char *expect; /* borrowed for the call */
	bool broken, met;
	const struct sim_result *result; /* NULL when broken */
};

struct summary *summary_new(size_t n);
void summary_free(struct summary **summary);
void summary_add(struct summary *summary, const struct summary_row *row);
/* Every one ended as expected. */
bool summary_is_met(const struct summary *summary);
/* "8 as expected, 0 not, 0 broken"; returns `text`. */
#define SUMMARY_TEXT_MAX 96
const char *summary_print_short(
	const struct summary *summary, char text[SUMMARY_TEXT_MAX]);
void summary_print(const struct summary *summary, struct buf *out);
void summary_print_json(const struct summary *summary, struct buf *out);

/* ---- simulate_text.c ---- */

/* One line of the timeline for each decision; knows what was said before. */
struct timeline {
	FILE *stream;
	bool colour, every_check;
	const struct policy *policy;
	int64_t start_ms;
	enum outcome told[POLICY_SLOS_MAX];
};

void timeline_print(struct timeline *timeline, const struct sim *sim,
	const struct event *event, const struct note *note);
void simulate_print_result(const struct simulation *simulation,
	const struct sim_result *result, struct buf *out);

#define SIMULATE_TEXT_MAX 48

/* "+12m30s"; "-" for a time that never was. Return `text`. */
const char *simulate_offset(const struct sim_result *result, int64_t time_ms,
	char text[SIMULATE_TEXT_MAX]);
/* "30s, 2 checks" or "-": from the first bad sample to the revert. */
const char *simulate_reaction(
	const struct sim_result *result, char text[SIMULATE_TEXT_MAX]);
/* "12.5 %·min" */
const char *simulate_exposure(
	const struct sim_result *result, char text[SIMULATE_TEXT_MAX]);
const char *simulate_percent_min(
	double exposure_s, char text[SIMULATE_TEXT_MAX]);
/* "2.3s" */
const char *simulate_length(double ms, char text[SIMULATE_TEXT_MAX]);

#endif
