/* SPDX-License-Identifier: Apache-2.0 */
/* EFFECT_CHECK: one check of one SLO, from its queries to the event. */
#ifndef TIDEGATE_LIVE_CHECK_RUN_H
#define TIDEGATE_LIVE_CHECK_RUN_H

#include "live/event_fn.h"
#include "live/measure.h"

struct check_run;
struct counting;

/* `counting` is what the SLO's counters showed before; NULL: it has none. */
struct check_run *check_run_start(struct world *world,
	const struct measure_what *what, struct counting *counting, event_fn fn,
	void *arg);
void check_run_cancel(struct check_run **run); /* NULL inside is accepted */

#endif
