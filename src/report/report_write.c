/* The document; see report.h. One function per section, in their order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "base/timestamp.h"
#include "base/xalloc.h"
#include "report/report.h"

#define CELL_MAX  256
#define MARKS_MAX 24

static const char *short_name(const char *service)
{
	const char *slash = strrchr(service, '/');

	return slash ? slash + 1 : service;
}

static const char *number(double value, char text[JSONW_NUMBER_MAX])
{
	if (isnan(value))
		return "";
	snprintf(text, JSONW_NUMBER_MAX, "%.6g", value);
	return text;
}

/* Durations of a report need no milliseconds when they are long. */
static const char *length(int64_t ms, char text[DURATION_TEXT_MAX])
{
	if (ms >= 10000)
		ms -= ms % 1000;
	return duration_print(ms > 0 ? ms : 0, text);
}

/* ---- summary ---- */

static enum tone tone_of_phase(enum phase phase)
{
	switch (phase) {
	case PHASE_PROMOTED:
		return TONE_GOOD;
	case PHASE_ROLLED_BACK:
	case PHASE_ROLLBACK_FAILED:
		return TONE_BAD;
	default:
		return TONE_WAIT;
	}
}

static void row(struct page *page, const char *name, const char *value)
{
	const char *const cells[] = {name, value};

	if (value && *value)
		page_row(page, TONE_PLAIN, cells, 2);
}

/* From the first breaching check of the SLO that decided to stable serving
 * again; -1: not that kind of rollout. */
static int64_t time_to_revert(const struct report *report)
{
	const struct report_check *decisive;

	if (report->decisive < 0)
		return -1;
	decisive = &report->checks.item[report->decisive];
	for (size_t i = 0; i < report->percents.n; i++) {
		const struct report_percent *p = &report->percents.item[i];

		if (p->percent == 0 && p->time_ms >= decisive->time_ms)
			return p->time_ms - decisive->time_ms;
	}
	return -1;
}

static void write_facts(const struct report *report, struct page *page)
{
	static const char *const heads[] = {"", ""};
	const struct rollout *state = &report->fold.state;
	char time[TIMESTAMP_TEXT_MAX], took[DURATION_TEXT_MAX];
	int64_t revert_ms = time_to_revert(report);

	page_table_begin(page, heads, 2);
	row(page, "service", report->row.service);
	row(page, "candidate", report->row.candidate);
	row(page, "stable", report->row.stable);
	row(page, "policy", report->row.policy_name);
	row(page, "policy, SHA-256", report->row.policy_digest);
	row(page, "started", timestamp_print(report->row.started_ms, time));
	row(page, "by", report->row.starter);
	row(page, phase_is_end(state->phase) ? "ended" : "last entry",
		timestamp_print(report->last_ms, time));
	row(page, "took", length(report->last_ms - report->first_ms, took));
	if (revert_ms >= 0)
		row(page, "from the decision to stable serving everything",
			length(revert_ms, took));
	page_table_end(page);
}

static void write_summary(const struct report *report, struct page *page)
{
	const struct rollout *state = &report->fold.state;
	char text[2 * ROLLOUT_TEXT_MAX];

	snprintf(text, sizeof(text), "%s%s%s", phase_name(state->phase),
		*state->reason ? ": " : "", state->reason);
	page_paragraph(page, tone_of_phase(state->phase), text);
	write_facts(report, page);
}

/* ---- evidence ---- */

static void write_queries(struct page *page, const struct report_check *check)
{
	if (check->query)
		page_code(page, check->query);
	if (check->baseline_query) {
		page_paragraph(page, TONE_PLAIN, "Compared with:");
		page_code(page, check->baseline_query);
	}
	if (check->requests_query) {
		page_paragraph(page, TONE_PLAIN, "Enough requests:");
		page_code(page, check->requests_query);
	}
}

static void write_decision(const struct report *report, struct page *page)
{
	const struct report_check *check;
	char time[TIMESTAMP_TEXT_MAX], text[CELL_MAX + CHECK_TEXT_MAX];

	if (report->decisive < 0)
		return;
	check = &report->checks.item[report->decisive];
	page_heading(page, "What decided");
	snprintf(text, sizeof(text), "%s at %s: %s",
		report->policy->slos[check->slo].name,
		timestamp_print(check->time_ms, time), check->text);
	page_paragraph(page, TONE_BAD, text);
	write_queries(page, check);
}

struct tally {
	int outcome[OUTCOME_ERROR + 1], n;
	double worst; /* NaN: no value at all */
	const struct report_check *last;
};

static struct tally tally_of(const struct report *report, int slo)
{
	bool low_is_bad = report->policy->slos[slo].has_min &&
			  !report->policy->slos[slo].has_max;
	struct tally tally = {.worst = NAN};

	for (size_t i = 0; i < report->checks.n; i++) {
		const struct report_check *check = &report->checks.item[i];

		if (check->slo != slo)
			continue;
		tally.n++;
		tally.outcome[check->outcome]++;
		tally.last = check;
		if (isnan(tally.worst) ||
			(low_is_bad ? check->value < tally.worst
				    : check->value > tally.worst))
			tally.worst = isnan(check->value) ? tally.worst
							  : check->value;
	}
	return tally;
}

static void write_slo(const struct report *report, struct page *page, int slo)
{
	struct tally tally = tally_of(report, slo);
	char count[CELL_MAX], worst[JSONW_NUMBER_MAX], last[JSONW_NUMBER_MAX];
	const char *const cells[] = {
		report->policy->slos[slo].name,
		tally.last ? tally.last->text : "never checked",
		tally.last ? number(tally.last->value, last) : "",
		number(tally.worst, worst),
		count,
	};

	snprintf(count, sizeof(count),
		"%d: %d pass, %d breach, %d no-data, %d error", tally.n,
		tally.outcome[OUTCOME_PASS], tally.outcome[OUTCOME_BREACH],
		tally.outcome[OUTCOME_NO_DATA], tally.outcome[OUTCOME_ERROR]);
	page_row(page,
		tally.outcome[OUTCOME_BREACH]                       ? TONE_BAD
		: tally.n && tally.outcome[OUTCOME_PASS] == tally.n ? TONE_GOOD
								    : TONE_WAIT,
		cells, 5);
}

static void write_slos(const struct report *report, struct page *page)
{
	static const char *const heads[] = {
		"SLO", "last check", "last value", "worst value", "checks"};

	page_heading(page, "SLOs");
	page_table_begin(page, heads, 5);
	for (size_t i = 0; i < report->policy->n_slos; i++)
		write_slo(report, page, (int)i);
	page_table_end(page);
}

/* ---- charts ---- */

struct marks {
	struct chart_mark item[MARKS_MAX];
	size_t n;
};

static void find_marks(const struct report *report, struct marks *marks)
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
	for (size_t i = 0; i < report->lines.n; i++)
		for (size_t k = 0; k < sizeof(wanted) / sizeof(*wanted); k++)
			if (marks->n < MARKS_MAX &&
				!strcmp(report->lines.item[i].what,
					note_name(wanted[k].note)))
				marks->item[marks->n++] = (struct chart_mark){
					report->lines.item[i].time_ms,
					wanted[k].label, wanted[k].tone};
}

static struct chart chart_of(
	const struct report *report, const struct marks *marks)
{
	return (struct chart){
		.from_ms = report->first_ms,
		.to_ms = report->last_ms,
		.top = NAN,
		.limit = NAN,
		.marks = marks->item,
		.n_marks = marks->n,
	};
}

static void chart_traffic(const struct report *report,
	const struct marks *marks, struct page *page)
{
	size_t n = report->percents.n;
	struct chart_point *points = xcalloc(n + 1, sizeof(*points));
	struct chart chart = chart_of(report, marks);

	for (size_t i = 0; i < n; i++)
		points[i] = (struct chart_point){
			.time_ms = report->percents.item[i].time_ms,
			.value = report->percents.item[i].percent,
		};
	chart.title = "Traffic of the candidate, %";
	chart.top = 100;
	chart.holds = true;
	chart.points = points;
	chart.n_points = n;
	page_chart(page, &chart);
	free(points);
}

/* The limit that a line can be drawn for, with its name as in the file. */
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

static void chart_slo(const struct report *report, const struct marks *marks,
	struct page *page, int slo)
{
	struct chart_point *points =
		xcalloc(report->checks.n + 1, sizeof(*points));
	struct chart chart = chart_of(report, marks);
	char limit[CELL_MAX];

	chart.title = report->policy->slos[slo].name;
	chart.limit = limit_of(&report->policy->slos[slo], limit);
	chart.limit_label = limit;
	chart.points = points;
	for (size_t i = 0; i < report->checks.n; i++) {
		const struct report_check *check = &report->checks.item[i];

		if (check->slo != slo)
			continue;
		if (isnan(chart.limit) && isfinite(check->limit)) {
			chart.limit = check->limit; /* of the comparison */
			snprintf(limit, sizeof(limit), "limit");
		}
		points[chart.n_points++] = (struct chart_point){
			.time_ms = check->time_ms,
			.value = check->value,
			.tone = check->outcome == OUTCOME_BREACH ? TONE_BAD
				: check->outcome == OUTCOME_PASS ? TONE_GOOD
								 : TONE_WAIT,
		};
	}
	if (chart.n_points)
		page_chart(page, &chart);
	free(points);
}

static void write_charts(const struct report *report, struct page *page)
{
	struct marks marks;

	if (page->format != PAGE_HTML || report->last_ms <= report->first_ms)
		return;
	find_marks(report, &marks);
	chart_traffic(report, &marks, page);
	for (size_t i = 0; i < report->policy->n_slos; i++)
		chart_slo(report, &marks, page, (int)i);
}

/* ---- traffic ---- */

static void write_traffic(const struct report *report, struct page *page)
{
	page_heading(page, "Traffic");
	if (!report->table_before) {
		page_paragraph(page, TONE_WAIT, "The service was never read.");
		return;
	}
	page_paragraph(page, TONE_PLAIN, "Before, as found:");
	page_code(page, report->table_before);
	page_paragraph(page, TONE_PLAIN, "After, as last read:");
	page_code(page, report->table_after);
}

/* ---- actions and people ---- */

static void write_actions(const struct report *report, struct page *page)
{
	static const char *const heads[] = {
		"ended (UTC)", "list", "action", "result", "took", "detail"};
	char time[TIMESTAMP_TEXT_MAX], took[DURATION_TEXT_MAX], name[CELL_MAX];

	if (!report->actions.n)
		return;
	page_heading(page, "Actions");
	page_table_begin(page, heads, 6);
	for (size_t i = 0; i < report->actions.n; i++) {
		const struct report_action *a = &report->actions.item[i];
		const char *const cells[] = {
			timestamp_print_clock(a->ended_ms, time),
			action_list_name(a->list), name,
			action_result_name(a->result),
			length(a->duration_ms, took), a->detail};

		if (a->attempt > 1)
			snprintf(name, sizeof(name), "%s (%s), attempt %d",
				a->name, a->type, a->attempt);
		else
			snprintf(name, sizeof(name), "%s (%s)", a->name,
				a->type);
		page_row(page,
			a->result == ACTION_OK        ? TONE_GOOD
			: a->result == ACTION_SKIPPED ? TONE_WAIT
						      : TONE_BAD,
			cells, 6);
	}
	page_table_end(page);
}

static void write_people(const struct report *report, struct page *page)
{
	static const char *const heads[] = {"time", "who", "did", "comment"};
	char time[TIMESTAMP_TEXT_MAX];

	page_heading(page, "People");
	page_table_begin(page, heads, 4);
	for (size_t i = 0; i < report->people.n; i++) {
		const struct report_person *p = &report->people.item[i];
		const char *const cells[] = {timestamp_print(p->time_ms, time),
			p->who, p->verb, p->comment};

		page_row(page, TONE_PLAIN, cells, 4);
	}
	page_table_end(page);
}

/* ---- timeline ---- */

static void write_line(const struct report_line *line, struct page *page)
{
	char time[TIMESTAMP_TEXT_MAX];
	const char *const cells[] = {
		timestamp_print(line->time_ms, time), line->what, line->text};

	page_row(page, line->tone, cells, 3);
}

static void write_timeline(const struct report *report, struct page *page)
{
	static const char *const heads[] = {"time (UTC)", "event", ""};
	size_t n = report->lines.n, half = REPORT_LINES_MAX / 2, from = 0;
	char left_out[CELL_MAX];
	const char *const cells[] = {"…", "", left_out};

	page_heading(page, "Timeline");
	page_table_begin(page, heads, 3);
	for (size_t i = 0; n > REPORT_LINES_MAX && i < half; i++)
		write_line(&report->lines.item[i], page);
	if (n > REPORT_LINES_MAX) {
		from = n - half;
		snprintf(left_out, sizeof(left_out), "%zu more",
			n - REPORT_LINES_MAX);
		page_row(page, TONE_PLAIN, cells, 3);
	}
	for (size_t i = from; i < n; i++)
		write_line(&report->lines.item[i], page);
	page_table_end(page);
}

/* ---- together ---- */

void report_write(
	const struct report *report, enum page_format format, struct buf *out)
{
	struct page page = {.format = format, .out = out};
	char title[2 * CELL_MAX];

	snprintf(title, sizeof(title), "%.120s: %s, %.200s",
		short_name(report->row.service),
		phase_name(report->fold.state.phase), report->row.id);
	page_begin(&page, title);
	write_summary(report, &page);
	page_heading(&page, "Left for a person");
	report_todo(report, &page);
	write_decision(report, &page);
	write_charts(report, &page);
	write_slos(report, &page);
	write_traffic(report, &page);
	write_actions(report, &page);
	write_people(report, &page);
	write_timeline(report, &page);
	page_end(&page);
}
