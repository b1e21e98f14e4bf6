/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Over-dispersion: how much more the counts of a service vary than independent
 * requests would make them. Errors come in clusters and instances differ; a bet
 * that does not know it takes back good releases. Estimated once, before the
 * rollout, from stable's history; never from the candidate. Pure.
 */
#ifndef TIDEGATE_ENGINE_EVIDENCE_DISPERSION_H
#define TIDEGATE_ENGINE_EVIDENCE_DISPERSION_H

#include <stddef.h>

#include "engine/evidence_objective.h"

#define DISPERSION_UNKNOWN 2 /* without any history */

/* One step of the history, stable's series dealt into two halves. */
struct history_row {
	double bin[2][EVIDENCE_BINS_MAX]; /* not cumulated; good, bad: ratio */
};

struct dispersion {
	double phi; /* of ratio and pass; at least 1, as are the others */
	double phi_level;
	double phi_shape; /* latency only, else 1 */
};

/* `spec` says the bins. Steps of the history are of equal length and in order
 * of time. No rows: all are DISPERSION_UNKNOWN. */
void dispersion_estimate(const struct history_row *rows, size_t n,
	const struct evidence_spec *spec, struct dispersion *dispersion_r);

/* The same of a service that has one series only, which cannot be dealt into
 * halves: each row's first half is all of it. */
void dispersion_estimate_whole(const struct history_row *rows, size_t n,
	const struct evidence_spec *spec, struct dispersion *dispersion_r);

/* Into what the bets divide by: never below 1, the level's never below phi. */
void dispersion_apply(
	const struct dispersion *dispersion, struct evidence_spec *spec);

#endif
