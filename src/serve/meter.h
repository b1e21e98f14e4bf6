/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts what the daemon does into its page of metrics: listens to the rollouts
 * that it drives and to its journal's commits, and looks each second how late
 * the loop is.
 */
#ifndef TIDEGATE_SERVE_METER_H
#define TIDEGATE_SERVE_METER_H

#include "serve/metrics_page.h"

struct driven_set;
struct fleet;
struct loop;
struct meter;

/* All borrowed; to be freed after the rollouts are let go of. */
struct meter *meter_new(
	struct loop *loop, struct fleet *fleet, struct driven_set *driven);
void meter_free(struct meter **meter); /* NULL inside is accepted */

/* For what else is counted; the meter's own. */
struct metrics_page *meter_page(const struct meter *meter);

/* The page as it is now; `is_open`: as OpenMetrics. */
void meter_print(struct meter *meter, bool is_open, struct buf *out);

#endif
