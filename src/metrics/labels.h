/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels of a series: read from an answer or a recording, as a text that is
 * the same for the same labels, whatever their order was. Pure.
 */
#ifndef TIDEGATE_METRICS_LABELS_H
#define TIDEGATE_METRICS_LABELS_H

#include "base/arena.h"
#include "base/scan.h"

#define LABELS_MAX 128 /* of one series */

/* Says which of several queries a series answers, see metrics/joint_query.h:
 * ours, so that it is never one of the series' own. */
#define LABEL_ROLE "__tidegate_role__"

struct labels {
	const char *text; /* a JSON object without spaces, its keys in order;
			   * all but `le` and LABEL_ROLE */
	const char *name; /* of the metric; NULL: something was made of it */
	const char *role; /* LABEL_ROLE; NULL: none */
	double le; /* NaN: none */
};

/* Reads the object that comes next; the texts are in the arena. */
bool labels_scan(
	struct scan *scan, struct arena *arena, struct labels *labels_r);

#endif
