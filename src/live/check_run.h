/* EFFECT_CHECK: one check of one SLO, from its queries to the event. */
#ifndef TIDEGATE_LIVE_CHECK_RUN_H
#define TIDEGATE_LIVE_CHECK_RUN_H

#include "live/event_fn.h"
#include "live/measure.h"

struct check_run;

struct check_run *check_run_start(struct world *world,
	const struct measure_what *what, event_fn fn, void *arg);
void check_run_cancel(struct check_run **run); /* NULL inside is accepted */

#endif
