/* SPDX-License-Identifier: Apache-2.0 */
/* A simulation as one page that needs nothing else, in the report's order. Pure. */
#ifndef TIDEGATE_REPORT_SIMULATION_PAGE_H
#define TIDEGATE_REPORT_SIMULATION_PAGE_H

#include "report/timeline_page.h"

struct simulation_page {
	const struct timeline_data *data;
	const char *outcome, *reason;
	enum tone tone; /* of the outcome */
	const struct timeline_figures *figures;
	struct timeline_decider decider;
	const char *recording, *candidate; /* "": not known */
	bool is_part; /* of a page about several */
	const struct page_fact *facts;
	size_t n_facts;
};

/* All but the page's begin and end. */
void simulation_page_write(
	const struct simulation_page *simulation, struct page *page);

#endif
