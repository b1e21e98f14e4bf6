/* SPDX-License-Identifier: Apache-2.0 */
/* The document; see report.h. One function per section, in their order. */
#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "report/report.h"
#include "report/timeline_page.h"
#include "status/rollout_snapshot.h"

#define CELL_MAX 320

static const char *short_name(const char *service)
{
	const char *slash = strrchr(service, '/');

	return slash ? slash + 1 : service;
}

/* ---- outcome and reason ---- */

static enum tone tone_of(enum phase phase)
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

static void print_title(const struct report *report, char text[CELL_MAX])
{
	snprintf(text, CELL_MAX, "%.120s: %s", short_name(report->row.service),
		phase_name(report->fold.state.phase));
}

/* As it stood at its last entry. Lives in `arena`. */
static const struct summary *summary_of(
	const struct report *report, struct arena *arena)
{
	struct summary_source source = rollout_source(&report->row,
		report->data.policy, &report->fold.state, report->lookback);

	source.now_ms = report->data.last_ms;
	source.driver = report->driver;
	return summary_make(&source, arena);
}

static void write_banner(const struct report *report,
	const struct summary *summary, struct page *page)
{
	const struct rollout *state = &report->fold.state;
	const struct store_rollout *row = &report->row;
	char title[CELL_MAX], about[2 * CELL_MAX], time[TIMESTAMP_TEXT_MAX];
	struct page_banner banner = {.tone = tone_of(state->phase),
		.title = title,
		.reason = summary->now,
		.sentence = phase_is_end(state->phase) ? NULL : summary->next,
		.about = about};

	print_title(report, title);
	snprintf(about, sizeof(about), "%.130s, started by %.100s, %s", row->id,
		row->starter, timestamp_print(row->started_ms, time));
	page_banner(page, &banner);
}

/* The last one who decided of those who abort and reject. */
static const struct report_person *person_of(const struct report *report)
{
	const struct report_person *p;

	for (size_t i = report->people.n; i-- > 0;) {
		p = &report->people.item[i];
		if (!strcmp(p->verb, verb_name(VERB_ABORT)) ||
			!strcmp(p->verb, verb_name(VERB_REJECT)))
			return p;
	}
	return report->people.n ? &report->people.item[0] : NULL;
}

static struct timeline_decider decider_of(const struct report *report)
{
	const struct rollout *state = &report->fold.state;
	const struct report_person *person;

	if (state->cause == CAUSE_PERSON) {
		person = person_of(report);
		if (person)
			return (struct timeline_decider){
				person->who, state->undoing ? "rolled it back"
							    : person->verb};
	}
	if (state->phase == PHASE_PROMOTED)
		return (struct timeline_decider){
			report->data.policy->n_slos ? "all SLOs" : "the policy",
			NULL};
	return timeline_decider(
		report->data.policy, state->cause, state->failed_slo);
}

static void write_tiles(const struct report *report, struct page *page)
{
	struct timeline_decider decider = decider_of(report);
	struct timeline_figures figures;

	timeline_figure_out(&report->data, &figures);
	timeline_write_tiles(&report->data, &figures, &decider, page);
}

/* ---- the rollout ---- */

void report_write_facts(const struct report *report, struct page *page)
{
	const struct store_rollout *row = &report->row;
	char started[TIMESTAMP_TEXT_MAX], last[TIMESTAMP_TEXT_MAX];
	const struct page_fact facts[] = {
		{"rollout", row->id, NULL},
		{"service", row->service, NULL},
		{"candidate", row->candidate, NULL},
		{"stable", row->stable, NULL},
		{"policy", row->policy_name, NULL},
		{"policy, SHA-256", row->policy_digest, NULL},
		{"started", timestamp_print(row->started_ms, started), NULL},
		{phase_is_end(report->fold.state.phase) ? "ended"
							: "last entry",
			timestamp_print(report->data.last_ms, last), NULL},
	};

	page_heading(page, "Rollout");
	page_facts(page, facts, sizeof(facts) / sizeof(facts[0]));
	if (!report->table_before)
		return;
	page_subheading(page, "Traffic before, as found");
	page_code(page, report->table_before);
	page_subheading(page, "Traffic after, as last read");
	page_code(page, report->table_after);
}

/* ---- actions and people ---- */

static void write_action(const struct timeline_data *data,
	const struct report_action *a, struct page *page)
{
	char time[TIMESTAMP_TEXT_MAX], took[DURATION_TEXT_MAX], name[CELL_MAX];
	const char *const cells[] = {timeline_clock(data, a->ended_ms, time),
		action_list_name(a->list), name, action_result_name(a->result),
		timeline_length(a->duration_ms, took), a->detail};

	if (a->attempt > 1)
		snprintf(name, sizeof(name), "%s (%s), attempt %d", a->name,
			a->type, a->attempt);
	else
		snprintf(name, sizeof(name), "%s (%s)", a->name, a->type);
	page_row(page,
		a->result == ACTION_OK        ? TONE_GOOD
		: a->result == ACTION_SKIPPED ? TONE_WAIT
					      : TONE_BAD,
		cells, 6);
}

void report_write_actions(const struct report *report, struct page *page)
{
	static const char *const heads[] = {
		"time (UTC)", "list", "action", "result", "took", "output"};

	if (!report->actions.n)
		return;
	page_heading(page, "Actions");
	page_table_begin(page, heads, 6);
	for (size_t i = 0; i < report->actions.n; i++)
		write_action(&report->data, &report->actions.item[i], page);
	page_table_end(page);
}

void report_write_people(const struct report *report, struct page *page)
{
	static const char *const heads[] = {
		"time (UTC)", "who", "did", "comment"};
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

/* ---- together ---- */

void report_write(
	const struct report *report, enum page_format format, struct buf *out)
{
	struct page page = {.format = format, .out = out};
	char title[CELL_MAX], whole[2 * CELL_MAX];
	const struct summary *summary;
	struct arena arena;

	arena_init(&arena);
	summary = summary_of(report, &arena);
	print_title(report, title);
	snprintf(whole, sizeof(whole), "%s, %.200s", title, report->row.id);
	page_begin(&page, whole);
	write_banner(report, summary, &page);
	write_tiles(report, &page);
	page_heading(&page, "Left for a person");
	report_todo(report, summary, &page);
	timeline_write_traffic(&report->data, &page);
	timeline_write_decision(&report->data, &page);
	timeline_write_slos(&report->data, &page);
	report_write_actions(report, &page);
	report_write_people(report, &page);
	report_write_facts(report, &page);
	timeline_write_queries(&report->data, &page);
	timeline_write_journal(&report->data, &page);
	page_end(&page);
	arena_fini(&arena);
}
