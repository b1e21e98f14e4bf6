/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What many simulations come to: a table of them, unless there are too many to
 * be looked at, and what each outcome cost. See simulate.h.
 */
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "cli/output.h"
#include "cli/simulate.h"

#define TABLE_ROWS_MAX 1000 /* more recordings have no table of their own */
#define NUMBER_MAX     48

/* The recordings that ended alike. */
struct total {
	const char *outcome;
	size_t n, n_reverted; /* by an SLO */
	double revert_ms, revert_ms_max, checks; /* of those; sums */
	double exposure_s, exposure_s_max;
};

static const char *const outcomes[] = {"promoted", "rolled-back",
	"rollback-failed", "refused", "stopped", "waiting", "broken"};

#define OUTCOMES (sizeof(outcomes) / sizeof(outcomes[0]))

struct summary {
	struct total total[OUTCOMES];
	size_t n, met, unexpected, broken;
	bool has_table;
	struct table table;
};

struct summary *summary_new(size_t n)
{
	static const char *const heading[] = {"RECORDING", "OUTCOME",
		"EXPECTED", "TIME TO REVERT", "EXPOSURE"};
	struct summary *summary = xcalloc(1, sizeof(*summary));
	size_t i;

	for (i = 0; i < OUTCOMES; i++)
		summary->total[i].outcome = outcomes[i];
	table_init(&summary->table, sizeof(heading) / sizeof(heading[0]));
	summary->has_table = n <= TABLE_ROWS_MAX;
	table_add(&summary->table, heading);
	return summary;
}

void summary_free(struct summary **summary)
{
	if (!*summary)
		return;
	table_fini(&(*summary)->table);
	free(*summary);
	*summary = NULL;
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_row(struct summary *summary, const struct summary_row *row)
{
	char reaction[SIMULATE_TEXT_MAX], exposure[SIMULATE_TEXT_MAX];

	if (row->broken)
		table_add(&summary->table,
			(const char *const[]){file_name(row->path),
				row->outcome, "-", "-", "-"});
	else
		table_add(&summary->table,
			(const char *const[]){file_name(row->path),
				row->outcome, row->expect,
				simulate_reaction(row->result, reaction),
				simulate_exposure(row->result, exposure)});
}

static void raise_to(double *most, double value)
{
	if (value > *most)
		*most = value;
}

static void add_to_total(struct total *total, const struct sim_result *result)
{
	double revert_ms;

	total->n++;
	if (!result)
		return;
	total->exposure_s += result->exposure_s;
	raise_to(&total->exposure_s_max, result->exposure_s);
	if (!result->revert_ms || !result->first_bad_ms)
		return;
	revert_ms = (double)(result->revert_ms - result->first_bad_ms);
	total->n_reverted++;
	total->revert_ms += revert_ms;
	total->checks += result->checks_to_revert;
	raise_to(&total->revert_ms_max, revert_ms);
}

void summary_add(struct summary *summary, const struct summary_row *row)
{
	size_t i = 0;

	summary->n++;
	if (row->broken)
		summary->broken++;
	else if (row->met)
		summary->met++;
	else
		summary->unexpected++;
	while (i + 1 < OUTCOMES && strcmp(outcomes[i], row->outcome) != 0)
		i++;
	add_to_total(&summary->total[i], row->result);
	if (summary->has_table)
		add_row(summary, row);
}

bool summary_is_met(const struct summary *summary)
{
	return summary->met == summary->n;
}

/* ---- people ---- */

const char *summary_print_short(
	const struct summary *summary, char text[SUMMARY_TEXT_MAX])
{
	snprintf(text, SUMMARY_TEXT_MAX, "%zu as expected, %zu not, %zu broken",
		summary->met, summary->unexpected, summary->broken);
	return text;
}

static void print_total(const struct total *total, struct table *table)
{
	char n[NUMBER_MAX], exposure[SIMULATE_TEXT_MAX],
		most[SIMULATE_TEXT_MAX];
	char mean[SIMULATE_TEXT_MAX] = "-", longest[SIMULATE_TEXT_MAX] = "-";
	char checks[NUMBER_MAX] = "-";
	bool reverted = total->n_reverted > 0;

	snprintf(n, sizeof(n), "%zu", total->n);
	if (reverted) {
		simulate_length(
			total->revert_ms / (double)total->n_reverted, mean);
		simulate_length(total->revert_ms_max, longest);
		snprintf(checks, sizeof(checks), "%.1f",
			total->checks / (double)total->n_reverted);
	}
	simulate_percent_min(total->exposure_s / (double)total->n, exposure);
	simulate_percent_min(total->exposure_s_max, most);
	table_add(table, (const char *const[]){total->outcome, n, mean, longest,
				 checks, exposure, most});
}

static void print_totals(const struct summary *summary, struct buf *out)
{
	static const char *const heading[] = {"OUTCOME", "RECORDINGS",
		"TIME TO REVERT: MEAN", "LONGEST", "CHECKS: MEAN",
		"EXPOSURE: MEAN", "HIGHEST"};
	struct table table;
	size_t i;

	table_init(&table, sizeof(heading) / sizeof(heading[0]));
	table_add(&table, heading);
	for (i = 0; i < OUTCOMES; i++) {
		if (summary->total[i].n)
			print_total(&summary->total[i], &table);
	}
	table_print(&table, out);
	table_fini(&table);
}

void summary_print(const struct summary *summary, struct buf *out)
{
	char text[SUMMARY_TEXT_MAX];

	buf_addc(out, '\n');
	if (summary->has_table) {
		table_print(&summary->table, out);
		buf_addc(out, '\n');
	}
	print_totals(summary, out);
	buf_addf(out, "\n%s\n", summary_print_short(summary, text));
}

/* ---- programs ---- */

static void print_total_json(const struct total *total, struct jsonw *w)
{
	double n = (double)total->n_reverted;

	jsonw_object(w, NULL);
	jsonw_text(w, "outcome", total->outcome);
	jsonw_int(w, "recordings", (int64_t)total->n);
	if (total->n_reverted) {
		jsonw_number(w, "time_to_revert_s_mean",
			total->revert_ms / n / 1000);
		jsonw_number(
			w, "time_to_revert_s_max", total->revert_ms_max / 1000);
		jsonw_number(w, "checks_to_revert_mean", total->checks / n);
	}
	jsonw_number(w, "exposure_percent_min_mean",
		total->exposure_s / (double)total->n * 100 / 60);
	jsonw_number(w, "exposure_percent_min_max",
		total->exposure_s_max * 100 / 60);
	jsonw_end(w, '}');
}

void summary_print_json(const struct summary *summary, struct buf *out)
{
	struct jsonw w = {.out = out};
	size_t i;

	jsonw_object(&w, NULL);
	jsonw_text(&w, "event", "finished");
	jsonw_int(&w, "met", (int64_t)summary->met);
	jsonw_int(&w, "unexpected", (int64_t)summary->unexpected);
	jsonw_int(&w, "broken", (int64_t)summary->broken);
	jsonw_array(&w, "outcomes");
	for (i = 0; i < OUTCOMES; i++) {
		if (summary->total[i].n)
			print_total_json(&summary->total[i], &w);
	}
	jsonw_end(&w, ']');
	jsonw_int(&w, "exit", summary_is_met(summary) ? 0 : 1);
	jsonw_end(&w, '}');
	buf_addc(out, '\n');
}
