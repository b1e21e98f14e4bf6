/*
 * Journal entries as lines, for `run`, `resume` and `watch`. Entries may come
 * from a state file of anybody: what is printed is valid and harmless.
 */
#ifndef TIDEGATE_CLI_JOURNAL_PRINT_H
#define TIDEGATE_CLI_JOURNAL_PRINT_H

#include "base/buf.h"
#include "store/store.h"

/* One JSON object and a newline: time, rollout, seq, event, phase, percent and
 * the entry's own fields. */
void journal_print_json(
	const char *rollout, const struct store_event *entry, struct buf *out);

/* One line for people and CI logs: when, where it stands, what happened.
 * Nothing for entries that say nothing new (timers, looks at the service). */
void journal_print_text(const struct store_event *entry, struct buf *out);

#endif
