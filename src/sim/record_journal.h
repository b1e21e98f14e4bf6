/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a rollout's journal adds to a recording of its metrics: span,
 * revisions, how long traffic took, what the checks found and when nobody
 * could be asked. Reads the store; asks nobody else.
 */
#ifndef TIDEGATE_SIM_RECORD_JOURNAL_H
#define TIDEGATE_SIM_RECORD_JOURNAL_H

#include "sim/recorder.h"
#include "store/store.h"

/* Fills in what the journal knows; the plan's policy is set. 1: the rollout
 * ended so lately that the span is cut at `now_ms`; -1 with err_r. */
MUST_CHECK int record_journal_plan(struct recorder_plan *plan,
	struct store *store, const struct store_rollout *row, int64_t now_ms,
	struct arena *arena, struct err *err_r);

/* Once all is read: adds the checks and outages of the plan's rollout. */
MUST_CHECK int record_journal_checks(struct recorder *recorder,
	const struct recorder_plan *plan, struct store *store,
	struct err *err_r);

#endif
