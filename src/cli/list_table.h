/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rollouts as a table for people: what runs comes first, and tries that were
 * refused one after the other are one row. Pure.
 */
#ifndef TIDEGATE_CLI_LIST_TABLE_H
#define TIDEGATE_CLI_LIST_TABLE_H

#include "base/buf.h"
#include "status/summary.h"
#include "store/store.h"

struct list_table {
	/* Newest first. `newest` may hold unfinished ones: they are left out. */
	const struct store_rollout *running, *newest;
	size_t n_running, n_newest;
	size_t limit; /* rows of those that have ended, at most */
	int columns; /* lines are cut there; 0: they are whole */
	size_t lines; /* at most, with the heading; 0: as many as there are */
	summary_clock_fn clock;
};

/* How many rows there are besides the heading; without any nothing is added. */
size_t list_table_print(const struct list_table *list, struct buf *out);

#endif
