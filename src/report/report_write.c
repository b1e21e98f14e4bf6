/* The document; see report.h. One function per section, in their order. */
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/timestamp.h"
#include "report/report.h"

#define DECIDING_CHECKS 12 /* shown of the SLO that decided */
#define CELL_MAX        320

static const char *short_name(const char *service)
{
	const char *slash = strrchr(service, '/');

	return slash ? slash + 1 : service;
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

/* From the decision to go back to stable serving everything; -1: it was not
 * taken, or that was not seen. */
static int64_t time_to_revert(const struct report *report)
{
	if (!report->reverting_ms)
		return -1;
	for (size_t i = 0; i < report->data.percents.n; i++) {
		const struct timeline_percent *p =
			&report->data.percents.item[i];

		if (p->percent == 0 && p->time_ms >= report->reverting_ms)
			return p->time_ms - report->reverting_ms;
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
		timestamp_print(report->data.last_ms, time));
	row(page, "took",
		length(report->data.last_ms - report->data.first_ms, took));
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

static void write_queries(struct page *page, const struct timeline_check *check)
{
	static const char *const heads[QUERY_ROLES] = {
		[QUERY_BASELINE] = "Compared with:",
		[QUERY_REQUESTS] = "Enough requests:",
		[QUERY_TOTAL] = "The candidate's requests:",
		[QUERY_TOTAL_STABLE] = "Stable's requests:",
		[QUERY_BAD] = "The candidate's bad ones:",
		[QUERY_BAD_STABLE] = "Stable's bad ones:",
	};

	for (size_t i = 0; i < QUERY_ROLES; i++) {
		if (!check->query[i])
			continue;
		if (heads[i])
			page_paragraph(page, TONE_PLAIN, heads[i]);
		page_code(page, check->query[i]);
	}
}

/* ---- what was counted ---- */

static void write_counts(struct page *page, const struct timeline_check *check)
{
	char time[TIMESTAMP_TEXT_MAX], text[4][CELL_MAX];
	const struct timeline_counts *c = check->counts;
	const char *const cells[] = {
		timestamp_print_clock(check->time_ms, time), text[0], text[1],
		text[2], text[3]};

	snprintf(text[0], CELL_MAX, "%.0f of %.0f", c->arms.candidate.x,
		c->arms.candidate.n);
	snprintf(text[1], CELL_MAX, "%.0f of %.0f", c->arms.stable.x,
		c->arms.stable.n);
	snprintf(text[2], CELL_MAX, "%.2f", c->log_e);
	snprintf(text[3], CELL_MAX, "%.2f", c->log_pass);
	page_row(page, TONE_PLAIN, cells, 5);
}

/* The minutes that led to the decision, check by check. */
static void write_deciding_counts(
	const struct report *report, struct page *page)
{
	static const char *const heads[] = {"time (UTC)",
		"bad requests of the candidate", "of stable",
		"evidence against", "evidence for"};
	const struct timeline_check *all = report->data.checks.item;
	int last = report->data.decisive, first = last, n = 0, i;

	if (!all[last].counts)
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
	page_table_begin(page, heads, 5);
	for (i = first; i <= last; i++) {
		if (all[i].slo == all[last].slo && all[i].counts)
			write_counts(page, &all[i]);
	}
	page_table_end(page);
}

static void write_decision(const struct report *report, struct page *page)
{
	const struct timeline_check *check;
	char time[TIMESTAMP_TEXT_MAX], text[CELL_MAX + CHECK_TEXT_MAX];

	if (report->data.decisive < 0)
		return;
	check = &report->data.checks.item[report->data.decisive];
	page_heading(page, "What decided");
	snprintf(text, sizeof(text), "%s at %s: %s",
		report->data.policy->slos[check->slo].name,
		timestamp_print(check->time_ms, time), check->text);
	page_paragraph(page, TONE_BAD, text);
	write_deciding_counts(report, page);
	write_queries(page, check);
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

static void write_line(const struct timeline_data *data,
	const struct timeline_line *line, struct page *page)
{
	char time[TIMESTAMP_TEXT_MAX];
	const char *const cells[] = {
		timestamp_print(line->time_ms, time), line->what, line->text};

	page_row(page, line->tone, cells, 3);
}

static void write_timeline(const struct report *report, struct page *page)
{
	static const char *const heads[] = {"time (UTC)", "event", ""};

	page_heading(page, "Timeline");
	page_table_begin(page, heads, 3);
	timeline_each_line(&report->data, page, 3, write_line);
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
	timeline_write_charts(&report->data, &page);
	page_heading(&page, "SLOs");
	timeline_write_slos(&report->data, &page);
	write_traffic(report, &page);
	write_actions(report, &page);
	write_people(report, &page);
	write_timeline(report, &page);
	page_end(&page);
}
