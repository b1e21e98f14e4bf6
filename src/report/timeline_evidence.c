/* SPDX-License-Identifier: Apache-2.0 */
/* Meters, increments and the plan of SLOs of kind evidence; see
 * timeline_page.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/timestamp.h"
#include "engine/evidence_text.h"
#include "engine/forecast.h"
#include "policy/unit.h"
#include "report/timeline_page.h"

#define DECIDING_CHECKS 12 /* shown of the SLO that decided */
#define CELL_MAX        160

/* ---- meters ---- */

static const struct timeline_check *last_counted(
	const struct timeline_data *data, int slo)
{
	const struct timeline_check *check;

	for (size_t i = data->checks.n; i-- > 0;) {
		check = &data->checks.item[i];
		if (check->slo == slo && check->counts)
			return check;
	}
	return NULL;
}

static void write_meter(struct page *page, enum tone tone, const char *name,
	double now, double full)
{
	char text[CELL_MAX];

	now = fmax(now, 0);
	snprintf(text, sizeof(text), "%.1f of %.1f", now, full);
	page_meter(page, tone, name, now / full, text);
}

void timeline_write_meters(
	const struct timeline_data *data, int slo, struct page *page)
{
	const struct timeline_check *check = last_counted(data, slo);
	const struct timeline_counts *c;

	if (!check)
		return;
	c = check->counts;
	page_meters_begin(page);
	write_meter(page, TONE_BAD, "against", c->log_e, c->full_e);
	write_meter(page, TONE_GOOD, "for", c->log_pass, c->full_pass);
	page_meters_end(page);
}

/* ---- increments ---- */

static void add_arm(char cell[CELL_MAX], const struct request_sum *sum)
{
	if (sum->n > 0)
		snprintf(cell, CELL_MAX, "%.0f of %.0f", sum->x, sum->n);
	else
		snprintf(cell, CELL_MAX, "none");
}

/* A zero has no sign. */
static void print_log(char cell[CELL_MAX], double log)
{
	snprintf(cell, CELL_MAX, "%.2f", fabs(log) < 0.005 ? 0 : log);
}

static void write_counts(const struct timeline_data *data, struct page *page,
	const struct timeline_check *check)
{
	char time[TIMESTAMP_TEXT_MAX], text[4][CELL_MAX];
	const struct timeline_counts *c = check->counts;
	const char *const cells[] = {timeline_clock(data, check->time_ms, time),
		text[0], text[1], text[2], text[3]};

	add_arm(text[0], &c->arms.candidate);
	add_arm(text[1], &c->arms.stable);
	print_log(text[2], c->log_e);
	print_log(text[3], c->log_pass);
	page_row(page, TONE_PLAIN, cells, 5);
}

void timeline_write_increments(
	const struct timeline_data *data, struct page *page)
{
	static const char *const heads[] = {"time (UTC)",
		"bad requests of the candidate", "of stable",
		"evidence against", "evidence for"};
	const struct timeline_check *all = data->checks.item;
	int last = data->decisive, first = last, n = 0, i;

	if (last < 0 || !all[last].counts)
		return;
	for (i = last; i >= 0 && n < DECIDING_CHECKS; i--) {
		if (all[i].slo != all[last].slo || !all[i].counts)
			continue;
		first = i;
		n++;
	}
	page_paragraph(page, TONE_PLAIN,
		"What was counted from check to check, and what that made of "
		"the evidence (natural logarithms):");
	page_numbers_begin(page, heads, 5);
	for (i = first; i <= last; i++) {
		if (all[i].slo == all[last].slo && all[i].counts)
			write_counts(data, page, &all[i]);
	}
	page_table_end(page);
}

/* ---- the plan ---- */

#define PLAN_CELLS (4 + FORECAST_SIZES)

static void add_seconds(struct buf *out, double s)
{
	char text[DURATION_TEXT_MAX];

	if (isfinite(s))
		buf_adds(out, timeline_length((int64_t)(s * 1000), text));
	else
		buf_adds(out, "never");
}

static void print_case(char cell[CELL_MAX], const struct forecast_case *c)
{
	struct buf out;

	buf_init(&out, CELL_MAX - 1);
	add_seconds(&out, c->median_s);
	if (isfinite(c->median_s)) {
		buf_adds(&out, ", ");
		add_seconds(&out, c->most_s);
	}
	snprintf(cell, CELL_MAX, "%s", out.data);
	buf_fini(&out);
}

static void print_smallest(char cell[CELL_MAX], const struct slo *slo,
	const struct forecast_slo *f, const struct forecast_step *step)
{
	char share[UNIT_TEXT_MAX];

	if (!isfinite(step->smallest))
		snprintf(cell, CELL_MAX, "nothing");
	else
		snprintf(cell, CELL_MAX, "%.2g times (%s)", step->smallest,
			unit_print(
				slo, fmin(1, step->smallest * f->base), share));
}

static void write_step(const struct policy *policy, size_t slo, size_t step,
	const struct forecast_slo *f, struct page *page)
{
	char text[PLAN_CELLS][CELL_MAX], rate[UNIT_TEXT_MAX];
	const char *cells[PLAN_CELLS];
	size_t i;

	snprintf(text[0], CELL_MAX, "%s", policy->slos[slo].name);
	snprintf(text[1], CELL_MAX, "%d %%", policy->steps[step].percent);
	snprintf(text[2], CELL_MAX, "%s/s",
		unit_print_count(f->step[step].requests, rate));
	for (i = 0; i < FORECAST_SIZES; i++)
		print_case(text[3 + i], &f->step[step].sizes[i]);
	print_smallest(text[3 + FORECAST_SIZES], &policy->slos[slo], f,
		&f->step[step]);
	for (i = 0; i < PLAN_CELLS; i++)
		cells[i] = text[i];
	page_row(page, TONE_PLAIN, cells, PLAN_CELLS);
}

static struct forecast *plan_of(const struct timeline_data *data)
{
	struct forecast_load load = {.rate = NAN,
		.bad = NAN,
		.slow = NAN,
		.histories = data->histories,
		.n_histories = data->n_histories,
		.counted_only = true};

	return forecast_new(data->policy, &load, data->policy->evidence.harm);
}

void timeline_write_plan(const struct timeline_data *data, struct page *page)
{
	static const char *const heads[PLAN_CELLS] = {"SLO", "step",
		"the candidate's requests", "2 times stable's share", "5 times",
		"10 times", "smallest within the step"};
	const struct policy *policy = data->policy;
	struct forecast *plan;
	size_t i, k;

	if (!data->n_histories)
		return;
	plan = plan_of(data);
	page_subheading(page, "What was planned");
	page_paragraph(page, TONE_PLAIN,
		"By stable's past before the start: after what time so many "
		"bad requests of the candidate are found, by half of such "
		"rollouts and by 9 of 10.");
	page_table_begin(page, heads, PLAN_CELLS);
	for (i = 0; i < policy->n_slos; i++)
		for (k = 0; k < policy->n_steps &&
			    plan->slo[i].by == FORECAST_EVIDENCE;
			k++)
			write_step(policy, i, k, &plan->slo[i], page);
	page_table_end(page);
	free(plan);
}
