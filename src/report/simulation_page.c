/* SPDX-License-Identifier: Apache-2.0 */
/* The document; see simulation_page.h. One function per section, in order. */
#include "report/simulation_page.h"

#include <stdio.h>

#include "base/timestamp.h"

#define TEXT_MAX 1024

static void write_banner(
	const struct simulation_page *simulation, struct page *page)
{
	char title[TEXT_MAX], about[TEXT_MAX], from[TIMESTAMP_TEXT_MAX];
	const struct page_banner banner = {.tone = simulation->tone,
		.title = title,
		.reason = simulation->reason,
		.about = about,
		.is_part = simulation->is_part};

	snprintf(title, sizeof(title), "%.200s: %s",
		simulation->data->policy->name, simulation->outcome);
	snprintf(about, sizeof(about), "Simulated on %.400s, from %s%s%.200s",
		simulation->recording,
		timestamp_print(simulation->data->first_ms, from),
		*simulation->candidate ? ", candidate " : "",
		simulation->candidate);
	page_banner(page, &banner);
}

void simulation_page_write(
	const struct simulation_page *simulation, struct page *page)
{
	const struct timeline_data *data = simulation->data;

	write_banner(simulation, page);
	timeline_write_tiles(
		data, simulation->figures, &simulation->decider, page);
	timeline_write_traffic(data, page);
	timeline_write_decision(data, page);
	timeline_write_slos(data, page);
	page_heading(page, "Simulation");
	page_facts(page, simulation->facts, simulation->n_facts);
	timeline_write_queries(data, page);
	timeline_write_journal(data, page);
}
