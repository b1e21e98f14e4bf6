/* Charts and tables of what happened over time; see timeline_data.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "engine/rollout.h"
#include "report/timeline_data.h"

#define CELL_MAX  256
#define MARKS_MAX 24

static const char *number(double value, char text[JSONW_NUMBER_MAX])
{
	if (isnan(value))
		return "";
	snprintf(text, JSONW_NUMBER_MAX, "%.6g", value);
	return text;
}

/* ---- SLOs ---- */

struct tally {
	int outcome[OUTCOME_ERROR + 1], n, partial;
	double worst; /* NaN: no value at all */
	const struct timeline_check *last;
};

static struct tally tally_of(const struct timeline_data *data, int slo)
{
	bool low_is_bad = data->policy->slos[slo].has_min &&
			  !data->policy->slos[slo].has_max;
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
		value = timeline_value(check);
		if (!isnan(value) &&
			(isnan(tally.worst) ||
				(low_is_bad ? value < tally.worst
					    : value > tally.worst)))
			tally.worst = value;
	}
	return tally;
}

static void write_slo(
	const struct timeline_data *data, struct page *page, int slo)
{
	struct tally tally = tally_of(data, slo);
	char count[CELL_MAX], partial[CELL_MAX] = "", worst[JSONW_NUMBER_MAX],
			      last[JSONW_NUMBER_MAX];
	const char *const cells[] = {
		data->policy->slos[slo].name,
		tally.last ? tally.last->text : "never checked",
		tally.last ? number(timeline_value(tally.last), last) : "",
		number(tally.worst, worst),
		count,
	};

	if (tally.partial)
		snprintf(partial, sizeof(partial), "; %d incomplete",
			tally.partial);
	snprintf(count, sizeof(count),
		"%d: %d pass, %d breach, %d no-data, %d error%.20s", tally.n,
		tally.outcome[OUTCOME_PASS], tally.outcome[OUTCOME_BREACH],
		tally.outcome[OUTCOME_NO_DATA], tally.outcome[OUTCOME_ERROR],
		partial);
	page_row(page,
		tally.outcome[OUTCOME_BREACH]                       ? TONE_BAD
		: tally.n && tally.outcome[OUTCOME_PASS] == tally.n ? TONE_GOOD
								    : TONE_WAIT,
		cells, 5);
}

void timeline_write_slos(const struct timeline_data *data, struct page *page)
{
	static const char *const heads[] = {
		"SLO", "last check", "last value", "worst value", "checks"};

	page_table_begin(page, heads, 5);
	for (size_t i = 0; i < data->policy->n_slos; i++)
		write_slo(data, page, (int)i);
	page_table_end(page);
}

/* ---- charts ---- */

struct marks {
	struct chart_mark item[MARKS_MAX];
	size_t n;
};

static void find_marks(const struct timeline_data *data, struct marks *marks)
{
	static const struct {
		enum note_type note;
		const char *label;
		enum tone tone;
	} wanted[] = {
		{NOTE_STEP_STARTED, "step", TONE_PLAIN},
		{NOTE_APPROVED, "approved", TONE_GOOD},
		{NOTE_BREACH, "breach", TONE_BAD},
		{NOTE_WOULD_REVERT, "observed", TONE_WAIT},
		{NOTE_DRIFT, "drift", TONE_WAIT},
	};

	marks->n = 0;
	for (size_t i = 0; i < data->lines.n; i++)
		for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
			if (marks->n < MARKS_MAX &&
				!strcmp(data->lines.item[i].what,
					note_name(wanted[k].note)))
				marks->item[marks->n++] = (struct chart_mark){
					data->lines.item[i].time_ms,
					wanted[k].label, wanted[k].tone};
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

static void chart_traffic(const struct timeline_data *data,
	const struct marks *marks, struct page *page)
{
	size_t n = data->percents.n;
	struct chart_point *points = xcalloc(n + 1, sizeof(*points));
	struct chart chart = chart_of(data, marks);

	for (size_t i = 0; i < n; i++)
		points[i] = (struct chart_point){
			.time_ms = data->percents.item[i].time_ms,
			.value = data->percents.item[i].percent,
		};
	chart.title = "Traffic of the candidate, %";
	chart.top = 100;
	chart.holds = true;
	chart.points = points;
	chart.n_points = n;
	page_chart(page, &chart);
	free(points);
}

/* The limit that is the same all the time, with its name as in the file. */
static double limit_of(const struct slo *slo, char text[CELL_MAX])
{
	if (slo->has_max) {
		snprintf(text, CELL_MAX, "max %s", slo->texts.max);
		return slo->max;
	}
	if (slo->has_min) {
		snprintf(text, CELL_MAX, "min %s", slo->texts.min);
		return slo->min;
	}
	return NAN;
}

/* The points of one SLO and, where a check went by another limit than the one
 * that is drawn all along, that limit: stable's value times the ratio. */
struct slo_points {
	struct chart_point *point;
	double *limit;
	size_t n;
	const struct chart_point *decided;
};

static void slo_points_fill(struct slo_points *points,
	const struct timeline_data *data, int slo, double constant)
{
	for (size_t i = 0; i < data->checks.n; i++) {
		const struct timeline_check *check = &data->checks.item[i];

		if (check->slo != slo)
			continue;
		points->limit[points->n] =
			check->limit == constant || isnan(timeline_value(check))
				? NAN
				: check->limit;
		if (data->decisive == (int)i)
			points->decided = &points->point[points->n];
		points->point[points->n++] = (struct chart_point){
			.time_ms = check->time_ms,
			.value = timeline_value(check),
			.tone = timeline_tone(check->outcome),
		};
	}
}

static void chart_slo(const struct timeline_data *data,
	const struct marks *marks, struct page *page, int slo)
{
	struct slo_points points = {
		.point = xcalloc(data->checks.n + 1, sizeof(*points.point)),
		.limit = xcalloc(data->checks.n + 1, sizeof(*points.limit)),
	};
	struct chart chart = chart_of(data, marks);
	char limit[CELL_MAX];

	chart.title = data->policy->slos[slo].name;
	chart.limit = limit_of(&data->policy->slos[slo], limit);
	chart.limit_label = limit;
	slo_points_fill(&points, data, slo, chart.limit);
	chart.points = points.point;
	chart.limits = points.limit;
	chart.n_points = points.n;
	chart.decided = points.decided;
	if (points.n)
		page_chart(page, &chart);
	free(points.point);
	free(points.limit);
}

void timeline_write_charts(const struct timeline_data *data, struct page *page)
{
	struct marks marks;

	if (page->format != PAGE_HTML || data->last_ms <= data->first_ms)
		return;
	find_marks(data, &marks);
	chart_traffic(data, &marks, page);
	for (size_t i = 0; i < data->policy->n_slos; i++)
		chart_slo(data, &marks, page, (int)i);
}

/* ---- lines ---- */

void timeline_each_line(const struct timeline_data *data, struct page *page,
	size_t columns,
	void (*write_line)(const struct timeline_data *data,
		const struct timeline_line *line, struct page *page))
{
	size_t n = data->lines.n, half = TIMELINE_LINES_MAX / 2, from = 0;
	char left_out[CELL_MAX];
	const char *cells[TIMELINE_COLUMNS_MAX] = {"…"};

	for (size_t i = 0; n > TIMELINE_LINES_MAX && i < half; i++)
		write_line(data, &data->lines.item[i], page);
	if (n > TIMELINE_LINES_MAX) {
		from = n - half;
		snprintf(left_out, sizeof(left_out), "%zu more",
			n - TIMELINE_LINES_MAX);
		cells[columns - 1] = left_out;
		page_row(page, TONE_PLAIN, cells, columns);
	}
	for (size_t i = from; i < n; i++)
		write_line(data, &data->lines.item[i], page);
}
