/* SPDX-License-Identifier: Apache-2.0 */
/* The labels of recorded series. Private to the reader of recordings. */
#ifndef TIDEGATE_SIM_RECORDING_LABELS_H
#define TIDEGATE_SIM_RECORDING_LABELS_H

#include "base/scan.h"
#include "sim/recording.h"

/* The series of that name are counters: several results are wanted, and their
 * labels tell them apart. */
bool labels_are_kept(const char *series);

/* {"instance":"a","le":"0.5"} into the result; `le` apart from the others. */
bool labels_read(struct scan *scan, struct arena *arena,
	struct recording_result *result);

/* By labels and bound. Returns false when two are the same. */
bool labels_sort(struct recording_result *results, size_t n);

#endif
