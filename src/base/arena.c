/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks in a list, newest first; see arena.h. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Bytes; chunks double from the one to the other, since many arenas hold
 * little. A larger object gets a chunk of its own. */
#define CHUNK_SIZE_MIN 512
#define CHUNK_SIZE_MAX 4096

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;
	alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *arena)
{
	*arena = (struct arena){0};
}

void arena_fini(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks, *next;

	for (; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena_init(arena);
}

static size_t next_size(const struct arena_chunk *chunk)
{
	if (!chunk)
		return CHUNK_SIZE_MIN;
	return chunk->size < CHUNK_SIZE_MAX / 2 ? chunk->size * 2
						: CHUNK_SIZE_MAX;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t want, round = alignof(max_align_t);

	if (size > SIZE_MAX / 2)
		abort();
	size = (size + round - 1) / round * round;
	if (!chunk || chunk->size - arena->used < size) {
		want = next_size(chunk);
		if (want < size)
			want = size;
		chunk = xcalloc(1, sizeof(*chunk) + want);
		chunk->size = want;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
		arena->used = 0;
		arena->total += sizeof(*chunk) + want;
	}
	arena->used += size;
	return chunk->bytes + arena->used - size;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *p = arena_alloc(arena, len + 1);

	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *arena, const char *s)
{
	return s ? arena_strndup(arena, s, strlen(s)) : NULL;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	size_t size;
	char *p;

	va_start(args, fmt);
	size = xprintf_len(fmt, args) + 1;
	p = arena_alloc(arena, size);
	vsnprintf(p, size, fmt, args);
	va_end(args);
	return p;
}
