/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Releases in worlds of requests, with what is stated of the method: errors
 * 0.1 %, a first share of 10 %, checks every 15 s, two objectives; at 5, 50, 500
 * and 5,000 requests per second.
 */
#ifndef TEST_SIM_EVIDENCE_CELLS_H
#define TEST_SIM_EVIDENCE_CELLS_H

#include <math.h>
#include <stddef.h>

#define RATES 4
#define NEVER INFINITY

struct good_cell {
	const char *name;
	double base, incident_s; /* 0: none */
	double cluster;
};

/* Seconds until half, nine of ten are found; the share that never is. */
struct found {
	double median, most, missed;
};

struct bad_cell {
	const char *name;
	double errors, from_s, ramp_s, slower, slow_part; /* see struct world */
	struct found stated[RATES];
};

extern const struct good_cell good_cells[];
extern const size_t n_good_cells;
extern const struct bad_cell bad_cells[];
extern const size_t n_bad_cells;

#endif
