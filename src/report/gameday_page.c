/* SPDX-License-Identifier: Apache-2.0 */
/* The document of a game day; see gameday_page.h. */
#include "report/gameday_page.h"

#include <stdio.h>
#include <string.h>

#include "base/timestamp.h"
#include "report/timeline_page.h"

#define TITLE_MAX 320

static void write_banner(const struct gameday_story *story, struct page *page)
{
	char title[TITLE_MAX], about[2 * TITLE_MAX], time[TIMESTAMP_TEXT_MAX];
	const struct page_banner banner = {
		.tone = story->met ? TONE_GOOD : TONE_BAD,
		.title = title,
		.reason = story->met ? "The gate did what it is for."
				     : "The gate did not do what it is for.",
		.about = about};

	snprintf(title, sizeof(title), "%.120s: game day", story->service);
	snprintf(about, sizeof(about), "policy %.120s, by %.100s, %s",
		story->policy, story->who,
		timestamp_print(story->began_ms, time));
	page_banner(page, &banner);
}

static void write_figures(const struct gameday_story *story, struct page *page)
{
	static const char *const heads[] = {
		"figure", "measured", "limit", "met"};

	page_heading(page, "Figures against their limits");
	page_table_begin(page, heads, 4);
	for (size_t i = 0; i < story->n_figures; i++) {
		const struct gameday_figure *f = &story->figure[i];
		const char *const cells[] = {
			f->what, f->measured, f->limit, f->met ? "yes" : "no"};

		page_row(page, f->met ? TONE_GOOD : TONE_BAD, cells, 4);
	}
	page_table_end(page);
}

static void write_surprises(
	const struct gameday_story *story, struct page *page)
{
	page_heading(page, "Surprises");
	if (!story->n_surprises) {
		page_paragraph(page, TONE_GOOD, "There were none.");
		return;
	}
	page_list_begin(page);
	for (size_t i = 0; i < story->n_surprises; i++)
		page_item(page, story->surprise[i]);
	page_list_end(page);
}

static void write_release(const char *heading,
	const struct gameday_release *release, struct page *page)
{
	const struct page_fact facts[] = {{"revision", release->revision, NULL},
		{"demanded", release->wanted, NULL},
		{"came", release->came, NULL},
		{"because", release->reason, NULL},
		{"rollout", release->report ? release->report->row.id : NULL,
			NULL}};

	if (!release->revision)
		return;
	page_heading(page, heading);
	page_facts(page, facts, sizeof(facts) / sizeof(*facts));
	if (!release->report)
		return;
	timeline_write_traffic(&release->report->data, page);
	timeline_write_decision(&release->report->data, page);
	timeline_write_slos(&release->report->data, page);
	report_write_actions(release->report, page);
	timeline_write_journal(&release->report->data, page);
}

void gameday_page_write(const struct gameday_story *story,
	enum page_format format, struct buf *out)
{
	struct page page = {.format = format, .out = out};
	char title[TITLE_MAX];

	snprintf(title, sizeof(title), "%.120s: game day", story->service);
	page_begin(&page, title);
	write_banner(story, &page);
	page_heading(&page, "Hypothesis");
	page_paragraph(&page, TONE_PLAIN, story->hypothesis);
	write_figures(story, &page);
	page_heading(&page, "Users");
	page_paragraph(&page, TONE_PLAIN, story->users);
	write_surprises(story, &page);
	page_heading(&page, "Steady state before");
	page_paragraph(&page, TONE_PLAIN, story->steady);
	write_release("The bad revision", &story->bad, &page);
	write_release("The good revision", &story->good, &page);
	page_heading(&page, "What is left");
	page_paragraph(&page, TONE_PLAIN, story->left);
	page_end(&page);
}
