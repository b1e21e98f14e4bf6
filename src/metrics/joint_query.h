/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several queries for counters as one: one request instead of several, and all
 * that is compared is of one instant. Each query's series bear its role in
 * LABEL_ROLE, which also keeps `or` from taking the series of two queries for
 * the same. Pure.
 */
#ifndef TIDEGATE_METRICS_JOINT_QUERY_H
#define TIDEGATE_METRICS_JOINT_QUERY_H

#include <stddef.h>

#include "base/buf.h"

#define JOINT_QUERY_MAX 4 /* queries in one */

struct joint_part {
	const char *role; /* letters and hyphens; no two alike */
	const char *text; /* PromQL for an instant vector */
};

void joint_query_print(
	const struct joint_part *parts, size_t n, struct buf *out);

#endif
