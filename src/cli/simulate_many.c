/*
 * Several recordings, on all cores: each is read, simulated and forgotten, so
 * that memory does not grow with their number; lines come in the order of the
 * arguments whichever is ready first.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate.h"

#define THREADS_MAX    64
#define LINE_BYTES_MAX 65536

/* What is kept of one recording. */
struct row {
	bool ready;
	bool broken; /* not read, or lacks a series: `error` says why */
	bool met; /* it ended as expected */
	char error[ERR_TEXT_MAX];
	char expect[32];
	struct sim_result result;
};

struct many {
	const struct simulation *simulation;
	char *const *paths;
	struct row *rows;
	size_t n, next; /* next: to be taken by a thread */
	pthread_mutex_t lock;
	pthread_cond_t ready;
};

/* ---- threads ---- */

static void simulate_row(
	const struct simulation *simulation, const char *path, struct row *row)
{
	struct recording *recording;
	struct err err = {0};

	recording = recording_load(path, &err);
	if (!recording || sim_check(simulation->policy, recording, &err) < 0) {
		row->broken = true;
		if (err.pos.line > 0)
			err_wrap(&err, "%s:%d:%d", path, err.pos.line,
				err.pos.col);
		memcpy(row->error, err.text, sizeof(row->error));
		recording_free(&recording);
		return;
	}
	sim_run(simulation->policy, recording, &simulation->options, NULL, NULL,
		&row->result);
	snprintf(row->expect, sizeof(row->expect), "%s",
		recording->expect ? recording->expect : "promoted");
	row->met = strcmp(row->expect, sim_outcome(&row->result)) == 0;
	recording_free(&recording);
}

static void *work(void *arg)
{
	struct many *m = arg;
	size_t i;

	pthread_mutex_lock(&m->lock);
	while (m->next < m->n) {
		i = m->next++;
		pthread_mutex_unlock(&m->lock);
		simulate_row(m->simulation, m->paths[i], &m->rows[i]);
		pthread_mutex_lock(&m->lock);
		m->rows[i].ready = true;
		pthread_cond_signal(&m->ready);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void wait_for_row(struct many *m, size_t i)
{
	pthread_mutex_lock(&m->lock);
	while (!m->rows[i].ready)
		pthread_cond_wait(&m->ready, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

static size_t threads_wanted(size_t n)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = cores > 1 ? (size_t)cores : 1;

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
	buf_addc(out, '\n');
}

static void print_row(const struct many *m, size_t i)
{
	struct buf out;

	buf_init(&out, LINE_BYTES_MAX);
	if (m->simulation->json)
		print_json(&m->rows[i], m->paths[i], &out);
	else
		print_text(m->simulation, &m->rows[i], m->paths[i], &out);
	output_write(stdout, &out);
	buf_fini(&out);
}

/* ---- the summary ---- */

struct tally {
	size_t met, unexpected, broken;
};

static struct tally count(const struct many *m)
{
	struct tally tally = {0};
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->rows[i].broken)
			tally.broken++;
		else if (m->rows[i].met)
			tally.met++;
		else
			tally.unexpected++;
	}
	return tally;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_row(
	struct table *table, const char *path, const struct row *row)
{
	char reaction[SIMULATE_TEXT_MAX], exposure[SIMULATE_TEXT_MAX];

	if (row->broken) {
		table_add(table, (const char *const[]){file_name(path),
					 "broken", "-", "-", "-"});
		return;
	}
	table_add(table, (const char *const[]){file_name(path),
				 sim_outcome(&row->result), row->expect,
				 simulate_reaction(&row->result, reaction),
				 simulate_exposure(&row->result, exposure)});
}

static void print_summary(const struct many *m, const struct tally *tally)
{
	static const char *const heading[] = {"RECORDING", "OUTCOME",
		"EXPECTED", "TIME TO REVERT", "EXPOSURE"};
	struct table table;
	struct buf out;
	size_t i;

	buf_init(&out, OUTPUT_BYTES_MAX);
	table_init(&table, sizeof(heading) / sizeof(heading[0]));
	table_add(&table, heading);
	for (i = 0; i < m->n; i++)
		add_row(&table, m->paths[i], &m->rows[i]);
	buf_addc(&out, '\n');
	table_print(&table, &out);
	buf_addf(&out, "\n%zu as expected, %zu not, %zu broken\n", tally->met,
		tally->unexpected, tally->broken);
	output_write(stdout, &out);
	table_fini(&table);
	buf_fini(&out);
}

static void print_summary_json(const struct tally *tally)
{
	struct buf out;
	struct jsonw w = {.out = &out};

	buf_init(&out, LINE_BYTES_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "event", "finished");
	jsonw_int(&w, "met", (int64_t)tally->met);
	jsonw_int(&w, "unexpected", (int64_t)tally->unexpected);
	jsonw_int(&w, "broken", (int64_t)tally->broken);
	jsonw_int(&w, "exit", tally->unexpected || tally->broken ? 1 : 0);
	jsonw_end(&w, '}');
	buf_addc(&out, '\n');
	output_write(stdout, &out);
	buf_fini(&out);
}

/* ---- together ---- */

static int run(struct many *m, struct err *err_r)
{
	pthread_t threads[THREADS_MAX];
	size_t i, n = 0, wanted = threads_wanted(m->n);

	while (n < wanted && pthread_create(&threads[n], NULL, work, m) == 0)
		n++;
	if (!n)
		return err_set(err_r, ERR_IO, "no thread can be started");
	for (i = 0; i < m->n; i++) {
		wait_for_row(m, i);
		print_row(m, i);
	}
	while (n)
		pthread_join(threads[--n], NULL);
	return 0;
}

int simulate_many(const struct simulation *simulation, char *const *paths,
	size_t n, struct err *err_r)
{
	struct many m = {.simulation = simulation,
		.paths = paths,
		.n = n,
		.rows = xcalloc(n, sizeof(*m.rows)),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.ready = PTHREAD_COND_INITIALIZER};
	struct tally tally;
	int rc = run(&m, err_r);

	if (rc == 0) {
		tally = count(&m);
		if (simulation->json)
			print_summary_json(&tally);
		else
			print_summary(&m, &tally);
		rc = tally.unexpected || tally.broken ? 1 : 0;
	}
	free(m.rows);
	return rc;
}
