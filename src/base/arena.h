/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An arena: many small objects that live and die together. Whoever makes it
 * frees it, in one call. Nothing in it is freed alone.
 */
#ifndef TIDEGATE_BASE_ARENA_H
#define TIDEGATE_BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	size_t used; /* bytes taken from the newest chunk */
	size_t total; /* bytes asked of malloc in all */
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena); /* also makes it ready for use again */

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned */
char *arena_strdup(struct arena *arena, const char *s); /* NULL gives NULL */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTFLIKE(2, 3);

#endif
