/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast a service may be released: by how many requests it has in a quiet
 * hour and how often they are counted, the window of a check, how many requests
 * it must have seen, the steps. Pure.
 */
#ifndef TIDEGATE_INIT_PACE_H
#define TIDEGATE_INIT_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_STEPS_MAX 3

struct pace {
	struct {
		int percent;
		int64_t bake_ms;
	} step[PACE_STEPS_MAX];
	size_t n;
	int64_t window_ms, interval_ms;
	int64_t settle_ms; /* 0: as the loader finds it needed */
	int requests_min;
	double expected; /* of the candidate in a window, in a quiet hour */
	bool is_thin; /* a window holds fewer than a check should have */
};

/* What is known: 0 for what is not. */
struct pace_what {
	double quiet; /* requests a second of the service */
	int64_t gap_ms; /* from one sample to the next */
	bool is_late; /* as Cloud Monitoring: minutes after */
	bool is_evidence; /* stable must keep requests to compare with */
};

void pace_choose(const struct pace_what *what, struct pace *pace_r);

#endif
