/* SPDX-License-Identifier: Apache-2.0 */
/* Releases with what is stated of them; see evidence_cells.h. */
#include "evidence_cells.h"

const struct good_cell good_cells[] = {
	{"steady", 0.001, 0, 0},
	{"clusters of 5", 0.001, 0, 5},
	{"base 0.5 %", 0.005, 0, 0},
	{"incident at 10 %", 0.001, 150, 0},
	{"incident at 50 %", 0.001, 750, 0},
	{"incident at 100 %", 0.001, 1350, 0},
};

const size_t n_good_cells = sizeof(good_cells) / sizeof(good_cells[0]);

const struct bad_cell bad_cells[] = {
	{"0.1 -> 0.5 %", 0.005, 0, 0, 1, 1,
		{{NEVER, NEVER, .72}, {368, 690, 0}, {60, 120, 0},
			{30, 30, 0}}},
	{"0.1 -> 1 %", 0.01, 0, 0, 1, 1,
		{{795, 1500, .02}, {120, 270, 0}, {30, 45, 0}, {30, 30, 0}}},
	{"0.1 -> 5 %", 0.05, 0, 0, 1, 1,
		{{165, 330, 0}, {30, 60, 0}, {30, 30, 0}, {30, 30, 0}}},
	{"outage 30 %", 0.3, 0, 0, 1, 1,
		{{45, 60, 0}, {30, 30, 0}, {30, 30, 0}, {30, 30, 0}}},
	{"leak to 2 % in 20 min", 0.02, 0, 1200, 1, 1,
		{{885, 1110, 0}, {435, 615, 0}, {218, 270, 0}, {120, 150, 0}}},
	{"2 % from 900 s", 0.02, 900, 0, 1, 1,
		{{270, 465, 0}, {60, 90, 0}, {45, 45, 0}, {45, 45, 0}}},
	{"latency x1.5", 0.001, 0, 0, 1.5, 1,
		{{210, 375, 0}, {90, 105, 0}, {90, 90, 0}, {90, 90, 0}}},
	{"latency x2", 0.001, 0, 0, 2, 1,
		{{120, 150, 0}, {90, 90, 0}, {90, 90, 0}, {90, 90, 0}}},
	{"5 % of requests x4", 0.001, 0, 0, 4, 0.05,
		{{1635, NEVER, .37}, {315, 525, 0}, {105, 135, 0},
			{90, 90, 0}}},
};

const size_t n_bad_cells = sizeof(bad_cells) / sizeof(bad_cells[0]);
