/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A series put together from what single checks found, for providers that
 * cannot be asked for the past. Private to the recorder.
 */
#ifndef TIDEGATE_SIM_REMEMBERED_H
#define TIDEGATE_SIM_REMEMBERED_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define REMEMBERED_MAX 1000000 /* checks of one series; more are left out */

struct remembered_point {
	int64_t asked_ms;
	double value; /* NaN: it had none */
};

struct remembered {
	struct remembered_point *points;
	size_t n, size;
};

void remembered_fini(struct remembered *remembered);

/* In the order of time; what is not later than the last is left out. */
void remembered_add(
	struct remembered *remembered, int64_t asked_ms, double value);

/* How the points become samples: one every step. A value holds until the next
 * check, at most `hold_ms`, and as long before it was asked where nothing else is
 * known of then. It changes in the middle between two checks. */
struct remembered_grid {
	int64_t from_ms, to_ms, step_ms, hold_ms;
};

/* {"resultType":"matrix","result":[…]}, without a series when there is no
 * point. */
void remembered_print(const struct remembered *remembered,
	const struct remembered_grid *grid, struct buf *out);

#endif
