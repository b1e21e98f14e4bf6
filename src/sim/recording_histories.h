/* SPDX-License-Identifier: Apache-2.0 */
/* Stable's past in a recording. Private to the reader of recordings. */
#ifndef TIDEGATE_SIM_RECORDING_HISTORIES_H
#define TIDEGATE_SIM_RECORDING_HISTORIES_H

#include "base/scan.h"
#include "sim/recording.h"

/* [{"slo":"errors","seconds":10800,…}], as in a rollout's journal. */
bool histories_read(struct scan *scan, struct recording *recording);

#endif
