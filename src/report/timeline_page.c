/* SPDX-License-Identifier: Apache-2.0 */
/* Sections about what happened over time; see timeline_page.h. */
#include "report/timeline_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "policy/unit.h"

#define CELL_MAX    320
#define ROLES_ASKED 40 /* of a heading beside the SLO's name */

/* ---- tiles ---- */

struct timeline_decider timeline_decider(
	const struct policy *policy, enum cause cause, int slo)
{
	static const char *const who[CAUSES] = {
		[CAUSE_SLO] = "an SLO",
		[CAUSE_UNDECIDED] = "missing evidence",
		[CAUSE_METRICS] = "metrics in trouble",
		[CAUSE_APPROVAL] = "no approval in time",
		[CAUSE_HOOK] = "an action that failed",
		[CAUSE_WRITE] = "Cloud Run",
		[CAUSE_PERSON] = "a person",
		[CAUSE_INTERRUPT] = "a signal",
		[CAUSE_DRIFT] = "somebody else's change",
		[CAUSE_PREFLIGHT] = "preflight",
		[CAUSE_STABLE] = "the stable revision",
	};

	if (cause == CAUSE_SLO && slo >= 0)
		return (struct timeline_decider){
			policy->slos[slo].name, "an SLO"};
	return (struct timeline_decider){who[cause], NULL};
}

static const char *print_bad(const struct timeline_figures *f,
	char text[CELL_MAX], char note[CELL_MAX])
{
	if (isnan(f->bad))
		return NULL;
	snprintf(text, CELL_MAX, "%.0f", f->bad);
	snprintf(note, CELL_MAX, "%.3g %% of its requests",
		f->requests > 0 ? 100 * f->bad / f->requests : 0);
	return text;
}

/* From what was first bad, or else from the decision, to users back. */
static struct page_fact back_tile(const struct timeline_data *data,
	const struct timeline_figures *f, char length[DURATION_TEXT_MAX],
	char note[CELL_MAX])
{
	int64_t from_ms = f->first_bad_ms ? f->first_bad_ms : f->decided_ms;
	char from[TIMESTAMP_TEXT_MAX], back[TIMESTAMP_TEXT_MAX];

	if (!from_ms || !f->back_ms)
		return (struct page_fact){.name = ""};
	snprintf(note, CELL_MAX, "%s to %s UTC",
		timeline_clock(data, from_ms, from),
		timeline_clock(data, f->back_ms, back));
	return (struct page_fact){
		f->first_bad_ms ? "from the first bad sample to users back"
				: "from the decision to users back",
		timeline_length(f->back_ms - from_ms, length), note};
}

void timeline_write_tiles(const struct timeline_data *data,
	const struct timeline_figures *figures,
	const struct timeline_decider *decider, struct page *page)
{
	char highest[CELL_MAX], exposed[DURATION_TEXT_MAX], exposure[CELL_MAX];
	char requests[CELL_MAX], bad[CELL_MAX], share[CELL_MAX];
	char back[DURATION_TEXT_MAX], between[CELL_MAX];
	char took[DURATION_TEXT_MAX];
	const struct page_fact tiles[] = {
		{"highest share of traffic", highest, NULL},
		{"had users for",
			figures->exposed_ms
				? timeline_length(figures->exposed_ms, exposed)
				: NULL,
			exposure},
		{"requests of the candidate",
			isnan(figures->requests) ? NULL : requests, NULL},
		{"bad requests of the candidate",
			print_bad(figures, bad, share), share},
		back_tile(data, figures, back, between),
		{"decided by", decider->who, decider->note},
		{"took", timeline_length(data->last_ms - data->first_ms, took),
			NULL},
	};

	snprintf(highest, sizeof(highest), "%d %%", figures->highest);
	snprintf(exposure, sizeof(exposure), "%.1f %%·min of traffic",
		figures->exposure_s * 100 / 60);
	snprintf(requests, sizeof(requests), "%.0f", figures->requests);
	page_tiles(page, tiles, sizeof(tiles) / sizeof(tiles[0]));
}

/* ---- what decided ---- */

void timeline_write_decision(
	const struct timeline_data *data, struct page *page)
{
	const struct timeline_check *check;
	char time[TIMESTAMP_TEXT_MAX], text[CELL_MAX + CHECK_TEXT_MAX];

	if (data->decisive < 0)
		return;
	check = &data->checks.item[data->decisive];
	page_heading(page, "What decided");
	snprintf(text, sizeof(text), "%s at %s: %s",
		data->policy->slos[check->slo].name,
		timestamp_print(check->time_ms, time), check->text);
	page_paragraph(page, TONE_BAD, text);
	timeline_write_increments(data, page);
}

/* ---- SLOs ---- */

struct tally {
	int outcome[OUTCOME_ERROR + 1], n, partial;
	bool decided;
	double worst; /* NaN: no value at all */
	const struct timeline_check *last;
};

static bool is_worse(const struct slo *slo, double value, double than)
{
	bool low_is_bad = slo->has_min && !slo->has_max;

	return isnan(than) || (low_is_bad ? value < than : value > than);
}

static struct tally tally_of(const struct timeline_data *data, int slo)
{
	struct tally tally = {.worst = NAN};
	double value;

	for (size_t i = 0; i < data->checks.n; i++) {
		const struct timeline_check *check = &data->checks.item[i];

		if (check->slo != slo)
			continue;
		tally.n++;
		tally.outcome[check->outcome]++;
		tally.partial += check->partial;
		tally.last = check;
		tally.decided |= data->decisive == (int)i;
		value = timeline_value(check);
		if (!isnan(value) &&
			is_worse(&data->policy->slos[slo], value, tally.worst))
			tally.worst = value;
	}
	return tally;
}

/* Checks of kind evidence count, and none passes by itself. */
static void print_counts(
	const struct slo *slo, const struct tally *tally, char cell[CELL_MAX])
{
	const char *const names[] = {
		[OUTCOME_PASS] = slo->kind == SLO_EVIDENCE ? "counted" : "pass",
		[OUTCOME_BREACH] = "breach",
		[OUTCOME_NO_DATA] = "no data",
		[OUTCOME_ERROR] = "error"};
	const char *before = "";
	struct buf out;

	buf_init(&out, CELL_MAX - 1);
	for (int i = OUTCOME_PASS; i <= OUTCOME_ERROR; i++) {
		if (!tally->outcome[i])
			continue;
		buf_addf(&out, "%s%d %s", before, tally->outcome[i], names[i]);
		before = ", ";
	}
	if (tally->partial)
		buf_addf(&out, "; %d incomplete", tally->partial);
	snprintf(cell, CELL_MAX, "%s", tally->n ? out.data : "never checked");
	buf_fini(&out);
}

static enum tone tone_of(const struct tally *tally)
{
	return tally->decided || tally->outcome[OUTCOME_BREACH] ? TONE_BAD
	       : tally->last && tally->last->outcome == OUTCOME_PASS
		       ? TONE_GOOD
		       : TONE_WAIT;
}

static void write_slo(
	const struct timeline_data *data, struct page *page, int slo)
{
	const struct slo *of = &data->policy->slos[slo];
	struct tally tally = tally_of(data, slo);
	const struct timeline_check *last = tally.last;
	char now[UNIT_TEXT_MAX], worst[UNIT_TEXT_MAX], limit[UNIT_TEXT_MAX];
	char other[UNIT_TEXT_MAX], counts[CELL_MAX];
	const char *const cells[] = {of->name,
		last ? unit_print(of, timeline_value(last), now) : "",
		last ? unit_print(of, last->other, other) : "",
		last ? unit_print(of, last->limit, limit) : "",
		unit_print(of, tally.worst, worst), counts,
		last ? last->text : ""};

	print_counts(of, &tally, counts);
	page_row(page, tone_of(&tally), cells, 7);
}

static bool was_checked(const struct timeline_data *data, int slo)
{
	for (size_t i = 0; i < data->checks.n; i++)
		if (data->checks.item[i].slo == slo)
			return true;
	return false;
}

void timeline_write_slo_charts(
	const struct timeline_data *data, struct page *page)
{
	for (size_t i = 0; i < data->policy->n_slos; i++) {
		if (!was_checked(data, (int)i))
			continue;
		timeline_chart_slo(data, (int)i, page);
		timeline_write_meters(data, (int)i, page);
	}
	timeline_write_plan(data, page);
}

void timeline_write_slos(const struct timeline_data *data, struct page *page)
{
	static const char *const heads[] = {"SLO", "last", "stable", "limit",
		"worst", "checks", "last check"};

	if (!data->checks.n)
		return;
	page_heading(page, "SLOs");
	page_table_begin(page, heads, 7);
	for (size_t i = 0; i < data->policy->n_slos; i++)
		write_slo(data, page, (int)i);
	page_table_end(page);
	timeline_write_slo_charts(data, page);
}

/* ---- queries ---- */

static void write_query(const struct timeline_data *data, size_t slo,
	size_t role, struct page *page)
{
	static const char *const roles[QUERY_ROLES] = {
		[QUERY_VALUE] = "",
		[QUERY_BASELINE] = ", compared with",
		[QUERY_REQUESTS] = ", enough requests",
		[QUERY_TOTAL] = ", the candidate's requests",
		[QUERY_TOTAL_STABLE] = ", stable's requests",
		[QUERY_BAD] = ", the candidate's bad ones",
		[QUERY_BAD_STABLE] = ", stable's bad ones",
	};
	char heading[POLICY_NAME_MAX + ROLES_ASKED];

	if (!data->query[slo][role])
		return;
	snprintf(heading, sizeof(heading), "%s%s", data->policy->slos[slo].name,
		roles[role]);
	page_subheading(page, heading);
	page_code(page, data->query[slo][role]);
}

void timeline_write_queries(const struct timeline_data *data, struct page *page)
{
	bool any = false;
	size_t i, role;

	for (i = 0; i < data->policy->n_slos; i++)
		for (role = 0; role < QUERY_ROLES; role++)
			any |= data->query[i][role] != NULL;
	if (!any)
		return;
	page_heading(page, "Queries");
	for (i = 0; i < data->policy->n_slos; i++)
		for (role = 0; role < QUERY_ROLES; role++)
			write_query(data, i, role, page);
}

/* ---- the journal ---- */

#define COLUMNS 5

static void write_line(const struct timeline_data *data,
	const struct timeline_line *line, struct page *page)
{
	char time[TIMESTAMP_TEXT_MAX], length[DURATION_TEXT_MAX];
	char after[DURATION_TEXT_MAX + 1], percent[16];
	const char *const cells[COLUMNS] = {
		timestamp_print(line->time_ms, time), after, percent,
		line->what, line->text};

	snprintf(after, sizeof(after), "+%s",
		timeline_length(line->time_ms - data->first_ms, length));
	snprintf(percent, sizeof(percent), "%d %%", line->percent);
	page_row(page, line->tone, cells, COLUMNS);
}

static void write_left_out(size_t n, struct page *page)
{
	char text[CELL_MAX];
	const char *const cells[COLUMNS] = {"…", NULL, NULL, NULL, text};

	snprintf(text, sizeof(text), "%zu more", n);
	page_row(page, TONE_PLAIN, cells, COLUMNS);
}

void timeline_write_journal(const struct timeline_data *data, struct page *page)
{
	static const char *const heads[COLUMNS] = {
		"time (UTC)", "after", "traffic", "what", "because"};
	size_t n = data->lines.n, half = TIMELINE_LINES_MAX / 2, i;

	page_fold_begin(page, "Journal");
	page_table_begin(page, heads, COLUMNS);
	for (i = 0; i < n; i++) {
		if (n > TIMELINE_LINES_MAX && i == half) {
			write_left_out(n - TIMELINE_LINES_MAX, page);
			i = n - half;
		}
		write_line(data, &data->lines.item[i], page);
	}
	page_table_end(page);
	page_fold_end(page);
}
