/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several recordings, on all cores: each is read, simulated and forgotten, so
 * that memory does not grow with their number; lines come in the order of the
 * arguments whichever is ready first, and nobody gets far ahead of the next
 * line.
 */
#define _GNU_SOURCE /* sched_getaffinity */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate.h"

#define THREADS_MAX    64
#define ROWS           256 /* ahead of the next line */
#define LINE_BYTES_MAX 65536

/* One recording, until its line is printed. */
struct row {
	bool ready;
	bool broken; /* not read, or lacks a series: `error` says why */
	bool met; /* it ended as expected */
	bool unwritten; /* its page could not be: `error` says why */
	char error[ERR_TEXT_MAX];
	char expect[32];
	char other[SERIES_NAME_MAX]; /* recorded with another query; "": none */
	struct sim_result result;
};

struct many {
	const struct simulation *simulation;
	const char *const *paths;
	struct site *site; /* pages are written; NULL: none */
	struct row *rows; /* that of recording i is i % ROWS */
	size_t n, next, printed; /* next: to be taken by a thread */
	pthread_mutex_t lock;
	pthread_cond_t ready, room;
};

/* ---- threads ---- */

static void listen(const struct sim *sim, const struct event *event,
	const struct note *note, void *arg)
{
	simulate_page_take(arg, sim, event, note);
}

/* With a page of its own, or without: `page` NULL. */
static void simulate(const struct simulation *simulation,
	const struct recording *recording, const char *page, struct row *row)
{
	struct timeline_data *data = NULL;
	struct err err;

	if (page)
		data = simulate_page_new(
			simulation->policy, recording->start_ms);
	sim_run(simulation->policy, recording, &simulation->options,
		data ? listen : NULL, data, &row->result);
	if (data && simulate_page_save(
			    data, recording, &row->result, page, &err) < 0) {
		row->unwritten = true;
		memcpy(row->error, err.text, sizeof(row->error));
	}
	simulate_page_free(&data);
}

static void simulate_row(const struct simulation *simulation, const char *path,
	const char *page, struct row *row)
{
	struct recording *recording;
	struct err err = {0};
	size_t at = 0;

	*row = (struct row){.ready = false};
	recording = recording_load(path, &err);
	if (!recording || sim_check(simulation->policy, recording, &err) < 0) {
		row->broken = true;
		if (err.pos.line > 0)
			err_wrap(&err, "line %d, column %d", err.pos.line,
				err.pos.col);
		memcpy(row->error, err.text, sizeof(row->error));
		recording_free(&recording);
		return;
	}
	simulate_changed_query(simulation->policy, recording, &at, row->other);
	simulate(simulation, recording, page, row);
	snprintf(row->expect, sizeof(row->expect), "%s",
		recording->expect ? recording->expect : "promoted");
	row->met = strcmp(row->expect, sim_outcome(&row->result)) == 0;
	recording_free(&recording);
}

static void *work(void *arg)
{
	struct many *m = arg;
	struct row *row;
	size_t i;

	pthread_mutex_lock(&m->lock);
	while (m->next < m->n) {
		if (m->next >= m->printed + ROWS) {
			pthread_cond_wait(&m->room, &m->lock);
			continue;
		}
		i = m->next++;
		row = &m->rows[i % ROWS];
		pthread_mutex_unlock(&m->lock);
		simulate_row(m->simulation, m->paths[i],
			m->site ? site_path(m->site, i) : NULL, row);
		pthread_mutex_lock(&m->lock);
		row->ready = true;
		if (i == m->printed)
			pthread_cond_signal(&m->ready);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static const struct row *wait_for_row(struct many *m, size_t i)
{
	const struct row *row = &m->rows[i % ROWS];

	pthread_mutex_lock(&m->lock);
	while (!row->ready)
		pthread_cond_wait(&m->ready, &m->lock);
	pthread_mutex_unlock(&m->lock);
	return row;
}

/* The row of i may be used again. */
static void done_with_row(struct many *m, size_t i)
{
	pthread_mutex_lock(&m->lock);
	m->rows[i % ROWS].ready = false;
	m->printed = i + 1;
	pthread_cond_broadcast(&m->room);
	pthread_mutex_unlock(&m->lock);
}

size_t simulate_threads(size_t n)
{
	cpu_set_t cores;
	size_t wanted = 1;

	if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
		wanted = (size_t)CPU_COUNT(&cores);
	if (wanted > THREADS_MAX)
		wanted = THREADS_MAX;
	return wanted < n ? wanted : n;
}

/* ---- lines ---- */

static void print_json(const struct row *row, const char *path, struct buf *out)
{
	const struct sim_result *result = &row->result;
	struct jsonw w = {.out = out};

	jsonw_object(&w, NULL);
	jsonw_text(&w, "recording", path);
	if (row->broken) {
		jsonw_text(&w, "error", row->error);
	} else {
		jsonw_text(&w, "outcome", sim_outcome(result));
		jsonw_text(&w, "expect", row->expect);
		jsonw_bool(&w, "met", row->met);
		jsonw_text(&w, "reason", result->reason);
		if (result->first_bad_ms) {
			jsonw_number(&w, "time_to_revert_s",
				(double)(result->revert_ms -
					 result->first_bad_ms) /
					1000);
			jsonw_int(&w, "checks_to_revert",
				result->checks_to_revert);
		}
		jsonw_number(&w, "exposure_percent_min",
			result->exposure_s * 100 / 60);
		jsonw_int(&w, "exit", result->exit_status);
		if (*row->other)
			jsonw_text(&w, "other_query", row->other);
	}
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}

static void print_text(const struct simulation *simulation,
	const struct row *row, const char *path, struct buf *out)
{
	bool good = !row->broken && row->met;

	output_coloured(out, simulation->colour,
		good ? COLOUR_GOOD : COLOUR_BAD,
		good          ? "ok        "
		: row->broken ? "broken    "
			      : "unexpected");
	buf_adds(out, "  ");
	output_coloured(out, false, COLOUR_NONE, path);
	buf_adds(out, ": ");
	if (row->broken) {
		output_coloured(out, false, COLOUR_NONE, row->error);
	} else {
		buf_adds(out, sim_outcome(&row->result));
		if (!row->met)
			buf_addf(out, ", expected %s", row->expect);
		if (*row->result.reason)
			buf_adds(out, ": ");
		output_coloured(out, false, COLOUR_NONE, row->result.reason);
	}
	if (*row->other)
		buf_addf(out, " (\"%s\" was recorded with another query)",
			row->other);
	buf_addc(out, '\n');
}

static void print_row(const struct simulation *simulation,
	const struct row *row, const char *path)
{
	struct buf out;

	buf_init(&out, LINE_BYTES_MAX);
	if (simulation->json)
		print_json(row, path, &out);
	else
		print_text(simulation, row, path, &out);
	output_write(simulation->told, &out);
	buf_fini(&out);
}

/* ---- the index of pages ---- */

static const char *const heads[] = {"recording", "outcome", "expected",
	"time to revert", "exposure", "reason"};

static void add_to_site(
	struct site *site, size_t i, const struct row *row, const char *path)
{
	char reaction[SIMULATE_TEXT_MAX], exposure[SIMULATE_TEXT_MAX];
	const char *cells[] = {path, "broken", "", "", "", row->error};

	if (!row->broken) {
		cells[1] = sim_outcome(&row->result);
		cells[2] = row->met ? "as expected" : row->expect;
		cells[3] = simulate_reaction(&row->result, reaction);
		cells[4] = simulate_exposure(&row->result, exposure);
		cells[5] = row->result.reason;
	}
	site_add(site, i, !row->broken && !row->unwritten,
		!row->broken && row->met ? TONE_GOOD : TONE_BAD, cells);
}

static int finish_site(struct site *site, const struct simulation *simulation,
	const struct summary *summary, struct err *err_r)
{
	char title[SIMULATE_TEXT_MAX + POLICY_NAME_MAX];
	char reason[SUMMARY_TEXT_MAX];

	snprintf(title, sizeof(title), "%s: %s", simulation->policy->name,
		summary_is_met(summary) ? "as expected" : "not as expected");
	return site_finish(site, title, summary_is_met(summary),
		summary_print_short(summary, reason), err_r);
}

/* ---- together ---- */

static void take_row(const struct many *m, size_t i, const struct row *row,
	struct summary *sum)
{
	const struct summary_row line = {
		.path = m->paths[i],
		.outcome = row->broken ? "broken" : sim_outcome(&row->result),
		.expect = row->expect,
		.broken = row->broken,
		.met = row->met,
		.result = row->broken ? NULL : &row->result,
	};

	print_row(m->simulation, row, m->paths[i]);
	summary_add(sum, &line);
	if (m->site)
		add_to_site(m->site, i, row, m->paths[i]);
}

static int run(struct many *m, struct summary *summary, struct err *err_r)
{
	pthread_t threads[THREADS_MAX];
	size_t i, n = 0, wanted = simulate_threads(m->n);
	const struct row *row;
	int rc = 0;

	while (n < wanted && pthread_create(&threads[n], NULL, work, m) == 0)
		n++;
	if (!n)
		return err_set(err_r, ERR_IO, "no thread can be started");
	for (i = 0; i < m->n; i++) {
		row = wait_for_row(m, i);
		take_row(m, i, row, summary);
		if (row->unwritten && rc == 0)
			rc = err_set(err_r, ERR_IO, "%.400s", row->error);
		done_with_row(m, i);
	}
	while (n)
		pthread_join(threads[--n], NULL);
	return rc;
}

static void print_summary(
	const struct simulation *simulation, const struct summary *summary)
{
	struct buf out;

	buf_init(&out, OUTPUT_BYTES_MAX);
	if (simulation->json)
		summary_print_json(summary, &out);
	else
		summary_print(summary, &out);
	output_write(simulation->told, &out);
	buf_fini(&out);
}

static int run_and_tell(
	struct many *m, struct summary *summary, struct err *err_r)
{
	if (run(m, summary, err_r) < 0)
		return -1;
	print_summary(m->simulation, summary);
	if (m->site && finish_site(m->site, m->simulation, summary, err_r) < 0)
		return -1;
	return summary_is_met(summary) ? 0 : 1;
}

int simulate_many(const struct simulation *simulation,
	const struct path_list *paths, struct err *err_r)
{
	struct many m = {.simulation = simulation,
		.paths = paths->item,
		.n = paths->n,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ready = PTHREAD_COND_INITIALIZER,
		.room = PTHREAD_COND_INITIALIZER};
	struct summary *summary;
	int rc;

	if (simulation->html) {
		m.site = site_new(simulation->html, paths, heads,
			sizeof(heads) / sizeof(heads[0]), err_r);
		if (!m.site)
			return -1;
	}
	m.rows = xcalloc(ROWS, sizeof(*m.rows));
	summary = summary_new(paths->n);
	rc = run_and_tell(&m, summary, err_r);
	summary_free(&summary);
	site_free(&m.site);
	free(m.rows);
	return rc;
}
