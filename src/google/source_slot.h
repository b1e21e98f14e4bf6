/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The source of one identity, and those that it has replaced: a file that was
 * changed is read again before the next token is fetched, so that a key may be
 * rotated. What cannot be used leaves the source as it was, and the log says so.
 * Part of credentials.c.
 */
#ifndef TIDEGATE_GOOGLE_SOURCE_SLOT_H
#define TIDEGATE_GOOGLE_SOURCE_SLOT_H

#include <sys/queue.h>

struct source;

SLIST_HEAD(source_list, source);

struct source_slot {
	struct source *now; /* NULL: there is none */
	struct source_list older; /* by which something may be fetched */
};

void source_slot_init(struct source_slot *slot, struct source *source);
void source_slot_fini(struct source_slot *slot); /* no fetch is under way */

/* As its file is now. */
struct source *source_slot_renew(struct source_slot *slot);

#endif
