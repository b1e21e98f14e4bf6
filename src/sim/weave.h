/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a provider says of the past, at each step of a grid, with what single
 * checks found in between, where that was something else: a simulation then
 * decides on what the rollout saw. Private to the recorder.
 */
#ifndef TIDEGATE_SIM_WEAVE_H
#define TIDEGATE_SIM_WEAVE_H

#include "sim/remembered.h"

/*
 * Appends values, "[1767225600.5,"1"],…", to out, and what was found to them.
 * It changed between the grid's last time, or the check before, and the check: it
 * is put into the middle, as far as can be from the checks of a simulation, which come a little
 * earlier or later. It holds until the grid's next time.
 */
void weave(const char *values, const struct remembered *found,
	const struct remembered_grid *grid, struct buf *out);

#endif
