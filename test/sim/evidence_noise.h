/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kinds of noise that must take no good release back: the candidate is drawn
 * as stable is, and both are drawn like this.
 */
#ifndef TEST_SIM_EVIDENCE_NOISE_H
#define TEST_SIM_EVIDENCE_NOISE_H

#include "evidence_world.h"

struct noise_kind {
	const char *name;
	double base; /* share of errors */
	struct noise noise;
	/* Instances differ for good: the candidate really is another one, which
	 * is not told from a revision that is. */
	bool lasting;
};

extern const struct noise_kind noise_kinds[];
extern const size_t n_noise_kinds;

struct world noise_world(const struct noise_kind *kind, double rate);

#endif
