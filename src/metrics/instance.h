/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance that a series is of, as its labels say: where an instance is known
 * already, a series of it that is new began at zero. Pure.
 */
#ifndef TIDEGATE_METRICS_INSTANCE_H
#define TIDEGATE_METRICS_INSTANCE_H

#include <stddef.h>

struct instance {
	const char *name; /* in the labels; not terminated */
	size_t len; /* 0: they do not say */
};

/* What the label `instance` says, or one of its other names. `labels` as in
 * counters.h; borrowed. */
struct instance instance_of(const char *labels);

int instance_order(const struct instance *a, const struct instance *b);

#endif
