/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that was told; see journal_copy.h. */
#include "remote/journal_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "remote/remote_codec.h"

#define ROOM_FIRST 256

void journal_copy_fini(struct journal_copy *copy)
{
	arena_fini(&copy->arena);
	free(copy->entry);
	*copy = (struct journal_copy){0};
}

void journal_copy_choose(struct journal_copy *copy, const char *rollout)
{
	if (!strcmp(copy->rollout, rollout))
		return;
	journal_copy_fini(copy);
	snprintf(copy->rollout, sizeof(copy->rollout), "%s", rollout);
}

static void append(struct journal_copy *copy, struct store_event *entry)
{
	if (copy->n == copy->room) {
		copy->room = copy->room ? 2 * copy->room : ROOM_FIRST;
		copy->entry =
			xrealloc(copy->entry, copy->room, sizeof(*copy->entry));
	}
	copy->entry[copy->n++] = entry;
}

int journal_copy_add(struct journal_copy *copy, const char *line, size_t len,
	struct err *err_r)
{
	struct store_event *entry =
		arena_alloc(&copy->arena, sizeof(struct store_event));

	copy->bytes += len;
	if (copy->bytes > JOURNAL_COPY_BYTES_MAX)
		return err_set(err_r, ERR_LIMIT,
			"the journal of %s is larger than %zu bytes",
			copy->rollout, JOURNAL_COPY_BYTES_MAX);
	if (remote_entry_decode(
		    line, len, copy->rollout, &copy->arena, entry, err_r) < 0)
		return -1;
	if (entry->seq <= (int64_t)copy->n)
		return 0;
	if (entry->seq != (int64_t)copy->n + 1)
		return err_set(err_r, ERR_PROTOCOL,
			"the journal of %s has entry %" PRId64
			" after entry %zu",
			copy->rollout, entry->seq, copy->n);
	append(copy, entry);
	return 0;
}

int journal_copy_add_lines(struct journal_copy *copy, const char *text,
	size_t len, size_t *added_r, struct err *err_r)
{
	const char *end = text + len, *newline;
	size_t before = copy->n;

	for (; text < end; text = newline + 1) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			return err_set(err_r, ERR_PROTOCOL,
				"the journal of %s ends in the middle of a "
				"line",
				copy->rollout);
		if (journal_copy_add(
			    copy, text, (size_t)(newline - text), err_r) < 0)
			return -1;
	}
	*added_r = copy->n - before;
	return 0;
}

int journal_copy_each(const struct journal_copy *copy, int64_t after_seq,
	store_event_fn fn, void *arg, struct err *err_r)
{
	int rc = 0;

	for (size_t i = after_seq > 0 ? (size_t)after_seq : 0;
		!rc && i < copy->n; i++)
		rc = fn(copy->entry[i], arg, err_r);
	return rc;
}
