/* SPDX-License-Identifier: Apache-2.0 */
/* Charts of what happened over time; see timeline_page.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"
#include "base/xalloc.h"
#include "engine/rollout.h"
#include "policy/unit.h"
#include "report/timeline_page.h"

#define LABEL_MAX 160
#define MARKS_MAX 40
#define MARK_MAX  24

/* ---- what happened ---- */

struct marks {
	struct chart_mark item[MARKS_MAX];
	char text[MARKS_MAX][MARK_MAX];
	size_t n;
};

static void add_mark(
	struct marks *marks, int64_t time_ms, enum tone tone, const char *label)
{
	size_t n = marks->n;

	if (n == MARKS_MAX)
		return;
	snprintf(marks->text[n], MARK_MAX, "%s", label);
	marks->item[n] = (struct chart_mark){time_ms, marks->text[n], tone};
	marks->n++;
}

static void mark_percents(const struct timeline_data *data, struct marks *marks)
{
	char label[MARK_MAX];
	size_t i;

	for (i = 0; i < data->percents.n; i++) {
		const struct timeline_percent *p = &data->percents.item[i];

		if (!i && p->percent == 0)
			continue;
		if (p->percent == 0) {
			add_mark(marks, p->time_ms, TONE_PLAIN, "back");
			continue;
		}
		snprintf(label, sizeof(label), "%d %%", p->percent);
		add_mark(marks, p->time_ms, TONE_PLAIN, label);
	}
}

static void mark_lines(const struct timeline_data *data, struct marks *marks)
{
	static const struct {
		const char *label;
		enum note_type note;
		enum tone tone;
	} wanted[] = {
		{"approved", NOTE_APPROVED, TONE_GOOD},
		{"observed", NOTE_WOULD_REVERT, TONE_WAIT},
		{"drift", NOTE_DRIFT, TONE_WAIT},
	};
	static const struct {
		const char *label;
		enum phase phase;
	} phases[] = {
		{"held", PHASE_HELD},
		{"paused", PHASE_PAUSED},
		{"gate", PHASE_AWAITING_APPROVAL},
	};

	for (size_t i = 0; i < data->lines.n; i++) {
		const struct timeline_line *line = &data->lines.item[i];

		for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
			if (!strcmp(line->what, note_name(wanted[k].note)))
				add_mark(marks, line->time_ms, wanted[k].tone,
					wanted[k].label);
		for (size_t k = 0; k < sizeof(phases) / sizeof(*phases); k++)
			if (!strcmp(line->what, phase_name(phases[k].phase)))
				add_mark(marks, line->time_ms, TONE_WAIT,
					phases[k].label);
	}
}

static int earlier(const void *a, const void *b)
{
	int64_t left = ((const struct chart_mark *)a)->time_ms;
	int64_t right = ((const struct chart_mark *)b)->time_ms;

	return (left > right) - (left < right);
}

static void find_marks(const struct timeline_data *data, struct marks *marks)
{
	marks->n = 0;
	if (data->decisive >= 0)
		add_mark(marks, data->checks.item[data->decisive].time_ms,
			TONE_BAD, "breach");
	mark_percents(data, marks);
	mark_lines(data, marks);
	qsort(marks->item, marks->n, sizeof(marks->item[0]), earlier);
}

static struct chart chart_of(
	const struct timeline_data *data, const struct marks *marks)
{
	return (struct chart){
		.from_ms = data->first_ms,
		.to_ms = data->last_ms,
		.top = NAN,
		.limit = NAN,
		.marks = marks->item,
		.n_marks = marks->n,
	};
}

/* ---- traffic ---- */

static const char *print_percent(
	const void *arg, double value, char text[CHART_TEXT_MAX])
{
	snprintf(text, CHART_TEXT_MAX, "%.4g %%", value);
	return text;
}

static void chart_traffic(const struct timeline_data *data, struct page *page)
{
	size_t n = data->percents.n;
	struct chart_point *points = xcalloc(n, sizeof(*points));
	struct marks marks;
	struct chart chart;

	find_marks(data, &marks);
	for (size_t i = 0; i < n; i++)
		points[i] = (struct chart_point){
			.time_ms = data->percents.item[i].time_ms,
			.value = data->percents.item[i].percent,
			.other = NAN,
			.limit = NAN,
		};
	chart = chart_of(data, &marks);
	chart.title = "Share of the candidate";
	chart.top = 100;
	chart.holds = true;
	chart.points = points;
	chart.n_points = n;
	chart.labels = true;
	chart.print = print_percent;
	page_chart(page, &chart);
	free(points);
}

static void list_traffic(const struct timeline_data *data, struct page *page)
{
	char time[TIMESTAMP_TEXT_MAX], text[LABEL_MAX];

	page_list_begin(page);
	for (size_t i = 0; i < data->percents.n; i++) {
		const struct timeline_percent *p = &data->percents.item[i];

		if (i >= MARKS_MAX)
			break;
		snprintf(text, sizeof(text), "%s UTC: %d %%",
			timeline_clock(data, p->time_ms, time), p->percent);
		page_item(page, text);
	}
	page_list_end(page);
}

void timeline_write_traffic(const struct timeline_data *data, struct page *page)
{
	struct timeline_figures figures;

	timeline_figure_out(data, &figures);
	if (!figures.highest || data->last_ms <= data->first_ms)
		return;
	page_heading(page, "Traffic");
	if (page->format == PAGE_HTML)
		chart_traffic(data, page);
	else
		list_traffic(data, page);
}

/* ---- SLOs ---- */

static const char *print_value(
	const void *arg, double value, char text[CHART_TEXT_MAX])
{
	return unit_print(arg, value, text);
}

/* The limit that is the same all the time, with its name; NAN: there is none,
 * or others may be nearer. */
static double limit_of(const struct slo *slo, char label[LABEL_MAX])
{
	char text[UNIT_TEXT_MAX];
	double limit;

	snprintf(label, LABEL_MAX, "effective limit");
	if (slo->has_max_ratio || slo->has_max_increase)
		return NAN;
	if (slo->kind == SLO_EVIDENCE)
		limit = slo->objective;
	else if (slo->has_max)
		limit = slo->max;
	else if (slo->has_min)
		limit = slo->min;
	else
		return NAN;
	snprintf(label, LABEL_MAX, "%s %s",
		slo->kind == SLO_EVIDENCE ? "objective"
		: slo->has_max            ? "max"
					  : "min",
		unit_print_given(slo, limit, text));
	return limit;
}

/* The nearest of all, whichever of them decided. */
static double effective_limit(
	const struct slo *slo, const struct timeline_check *check)
{
	double limit = INFINITY;

	if (isnan(timeline_value(check)))
		return NAN;
	if (isnan(check->other) || slo->has_min)
		return check->limit;
	if (slo->has_max)
		limit = slo->max;
	if (slo->has_max_ratio)
		limit = fmin(limit, check->other * slo->max_ratio);
	if (slo->has_max_increase)
		limit = fmin(limit, check->other + slo->max_increase);
	return isinf(limit) ? check->limit : limit;
}

/* Of a check of kind evidence alone nothing follows, but of the last. */
static enum tone tone_of(const struct timeline_data *data, size_t i)
{
	if (data->decisive == (int)i)
		return TONE_BAD;
	return data->checks.item[i].counts
		       ? TONE_PLAIN
		       : timeline_tone(data->checks.item[i].outcome);
}

static size_t find_points(const struct timeline_data *data, int slo,
	struct chart_point *points, const struct chart_point **decided_r)
{
	size_t n = 0;

	for (size_t i = 0; i < data->checks.n; i++) {
		const struct timeline_check *check = &data->checks.item[i];

		if (check->slo != slo)
			continue;
		if (data->decisive == (int)i)
			*decided_r = &points[n];
		points[n++] = (struct chart_point){
			.time_ms = check->time_ms,
			.value = timeline_value(check),
			.other = check->other,
			.limit = effective_limit(
				&data->policy->slos[slo], check),
			.tone = tone_of(data, i),
		};
	}
	return n;
}

void timeline_chart_slo(
	const struct timeline_data *data, int slo, struct page *page)
{
	struct chart_point *points =
		xcalloc(data->checks.n + 1, sizeof(*points));
	char label[LABEL_MAX];
	struct marks marks;
	struct chart chart;

	find_marks(data, &marks);
	chart = chart_of(data, &marks);
	chart.title = data->policy->slos[slo].name;
	chart.limit = limit_of(&data->policy->slos[slo], label);
	chart.limit_label = label;
	chart.value_name = "candidate";
	chart.other_name = "stable";
	chart.points = points;
	chart.n_points = find_points(data, slo, points, &chart.decided);
	chart.print = print_value;
	chart.arg = &data->policy->slos[slo];
	if (chart.n_points && data->last_ms > data->first_ms)
		page_chart(page, &chart);
	free(points);
}
