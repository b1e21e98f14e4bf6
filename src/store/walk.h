/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal read entry by entry on a loop, a slice in each turn: it may have
 * very many entries, and each is some work for its reader.
 */
#ifndef TIDEGATE_STORE_WALK_H
#define TIDEGATE_STORE_WALK_H

#include "store/store.h"

struct loop;
struct walk;

/* All entries were read, or err says why not. Once, last; the walk is gone. */
typedef void (*walk_end_fn)(const struct err *err, void *arg);

/* The first slice is read in a later turn. What is appended meanwhile is read,
 * too. The store is borrowed; -1 of `entry` ends the walk with its error. */
struct walk *walk_start(struct loop *loop, struct store *store,
	const char *rollout, store_event_fn entry, walk_end_fn end, void *arg);
/* Before the first slice: begins after this entry. */
void walk_after(struct walk *walk, int64_t seq);
/* NULL inside is accepted. Not from `entry`. */
void walk_cancel(struct walk **walk);

#endif
