/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence once more, written from the formulas and not from src/engine: what
 * a journal says that was counted becomes the numbers and decisions that it
 * must say, too. As plain as can be; speed does not matter.
 */
#ifndef TIDEGATE_TEST_EVIDENCE_REFERENCE_H
#define TIDEGATE_TEST_EVIDENCE_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#define REFERENCE_SLOS  4
#define REFERENCE_BINS  40
#define REFERENCE_SIZES 5

struct mixture {
	double stake[REFERENCE_SIZES], cash, wealth;
	int sizes, k;
};

struct reference_slo {
	/* The facts of the journal. */
	bool latency;
	double objective, tolerance, floor, phi, phi_level, phi_shape;
	double past_n, past_x; /* of stable, learned on */
	double histogram[REFERENCE_BINS];
	int bins, bound; /* index of the last good bucket */

	struct mixture relative, absolute, shape;
	double near_c[2], near_s[2], far_c[2], far_s[2]; /* decayed: n, x */
	bool pending[2];
	double waiting[2][REFERENCE_BINS];

	double share, level, low;
	bool none, full, final;
	int checks, with_data;
	double pass_level[5], pass_low[5], pass_ratio[3];

	/* After the latest check. */
	double log_e, ratio, abs, curve, log_pass;
	bool calm;
};

struct reference {
	double alpha, beta, check_s;
	bool step_back, stepped_back, failed;
	int n, climb;
	struct reference_slo slo[REFERENCE_SLOS];

	double log_e, log_pass;
	bool calm;
	const char *decision;
};

void reference_climb(struct reference *r);
void reference_begin(
	struct reference *r, int slo, double share, double limit, bool final);
/* NULL: an arm without a fresh sample. */
void reference_check(struct reference *r, int slo, const double *candidate,
	const double *stable);
void reference_decide(struct reference *r);

#endif
