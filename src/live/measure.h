/* SPDX-License-Identifier: Apache-2.0 */
/* A measurement of a release: which SLO, about whom. */
#ifndef TIDEGATE_LIVE_MEASURE_H
#define TIDEGATE_LIVE_MEASURE_H

#include "metrics/measurement.h"

struct release;
struct rollout;
struct world;

/* Borrowed for the start. */
struct measure_what {
	const struct release *release;
	const struct rollout *state;
	int slo;
	/* Stands in for {{candidate}}, and for {{revision}} except in the
	 * baseline. */
	const char *candidate;
};

/* As measurement_start. */
struct measurement *measure_start(struct world *world,
	const struct measure_what *what, measurement_fn fn, void *arg);

#endif
