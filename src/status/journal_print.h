/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Journal entries as lines, for `run`, `resume` and `watch`. Entries may come
 * from a state file of anybody: what is printed is valid and harmless.
 */
#ifndef TIDEGATE_STATUS_JOURNAL_PRINT_H
#define TIDEGATE_STATUS_JOURNAL_PRINT_H

#include <stdint.h>

#include "base/buf.h"
#include "base/jsonw.h"
#include "store/store.h"

#define JOURNAL_PHASE_MAX 32 /* bytes with the NUL */

/* One JSON object and a newline: time, rollout, seq, event, phase, percent and
 * the entry's own fields. */
void journal_print_json(
	const char *rollout, const struct store_event *entry, struct buf *out);

/* Where an entry stood. */
struct journal_place {
	char rollout[STORE_ROLLOUT_ID_MAX], phase[JOURNAL_PHASE_MAX];
	int64_t seq, time_ms;
	int percent;
};

void journal_place_take(struct journal_place *place, const char *rollout,
	const struct store_event *entry);
/* The line that stands for `count` ones, of which that at `place` is the last:
 * time, rollout, seq, event ("dropped"), phase, percent and count. */
void journal_print_dropped(
	const struct journal_place *place, uint64_t count, struct buf *out);

/* Begins the line of something that is no entry, behind the one at `place`. */
void journal_place_begin(struct jsonw *w, const struct journal_place *place,
	int64_t time_ms, const char *event);

/* One line for people and CI logs: when, where it stands, what happened.
 * Nothing for entries that say nothing new (timers, looks at the service). */
void journal_print_text(const struct store_event *entry, struct buf *out);

#endif
