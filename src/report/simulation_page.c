/* The document; see simulation_page.h. One function per section, in order. */
#include "report/simulation_page.h"

#include <stdio.h>

#include "base/duration.h"
#include "base/timestamp.h"

#define TEXT_MAX 1024

static void write_figures(
	const struct simulation_page *simulation, struct page *page)
{
	static const char *const heads[] = {"", ""};

	page_table_begin(page, heads, 2);
	for (size_t i = 0; i < simulation->n_figures; i++) {
		const struct simulation_figure *f = &simulation->figures[i];
		const char *const cells[] = {f->name, f->value};

		page_row(page, TONE_PLAIN, cells, 2);
	}
	page_table_end(page);
}

static void write_summary(
	const struct simulation_page *simulation, struct page *page)
{
	char text[TEXT_MAX], from[TIMESTAMP_TEXT_MAX];

	page_paragraph(page, simulation->tone, simulation->reason);
	snprintf(text, sizeof(text), "Simulated on %.400s, from %s%s%.200s.",
		simulation->recording,
		timestamp_print(simulation->data->first_ms, from),
		*simulation->candidate ? ", candidate " : "",
		simulation->candidate);
	page_paragraph(page, TONE_PLAIN, text);
	write_figures(simulation, page);
}

static void write_decision(const struct timeline_data *data,
	const struct timeline_line *line, struct page *page)
{
	char clock[TIMESTAMP_TEXT_MAX], length[DURATION_TEXT_MAX];
	char after[DURATION_TEXT_MAX + 1], percent[8];
	const char *const cells[] = {after,
		timestamp_print_clock(line->time_ms, clock), percent,
		line->what, line->text};

	snprintf(after, sizeof(after), "+%s",
		duration_print((line->time_ms - data->first_ms) / 1000 * 1000,
			length));
	snprintf(percent, sizeof(percent), "%d %%", line->percent);
	page_row(page, line->tone, cells, sizeof(cells) / sizeof(*cells));
}

static void write_decisions(
	const struct simulation_page *simulation, struct page *page)
{
	static const char *const heads[] = {
		"after", "UTC", "traffic", "decision", "because"};
	size_t columns = sizeof(heads) / sizeof(*heads);

	page_heading(page, "Decisions");
	page_table_begin(page, heads, columns);
	timeline_each_line(simulation->data, page, columns, write_decision);
	page_table_end(page);
}

void simulation_page_write(const struct simulation_page *simulation,
	enum page_format format, struct buf *out)
{
	struct page page = {.format = format, .out = out};
	char title[TEXT_MAX];

	snprintf(title, sizeof(title), "%.200s: %s",
		simulation->data->policy->name, simulation->outcome);
	page_begin(&page, title);
	write_summary(simulation, &page);
	timeline_write_charts(simulation->data, &page);
	page_heading(&page, "SLOs");
	timeline_write_slos(simulation->data, &page);
	write_decisions(simulation, &page);
	page_end(&page);
}
