/* A simulation as one page that needs nothing else: its figures, charts and
 * decisions. Pure. */
#ifndef TIDEGATE_REPORT_SIMULATION_PAGE_H
#define TIDEGATE_REPORT_SIMULATION_PAGE_H

#include "report/timeline_data.h"

struct simulation_figure {
	const char *name, *value;
};

struct simulation_page {
	const struct timeline_data *data;
	const char *outcome, *reason;
	enum tone tone; /* of the outcome */
	const char *recording, *candidate; /* "": not known */
	const struct simulation_figure *figures;
	size_t n_figures;
};

void simulation_page_write(const struct simulation_page *simulation,
	enum page_format format, struct buf *out);

#endif
