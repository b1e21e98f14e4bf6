/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of one rollout, as far as a daemon has told it: lines become the
 * entries that they were. Pure. */
#ifndef TIDEGATE_REMOTE_JOURNAL_COPY_H
#define TIDEGATE_REMOTE_JOURNAL_COPY_H

#include "base/arena.h"
#include "store/store.h"

#define JOURNAL_COPY_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct journal_copy {
	char rollout[STORE_ROLLOUT_ID_MAX]; /* "": of none */
	struct arena arena;
	struct store_event **entry; /* entry[i] has seq i + 1 */
	size_t n, room, bytes;
};

/* Begins anew when it is of another rollout. */
void journal_copy_choose(struct journal_copy *copy, const char *rollout);
void journal_copy_fini(struct journal_copy *copy);

/* The next line, without its newline; one that is there already is left out.
 * ERR_PROTOCOL, ERR_LIMIT. */
MUST_CHECK int journal_copy_add(struct journal_copy *copy, const char *line,
	size_t len, struct err *err_r);
/* Lines, each with its newline; *added_r: how many. */
MUST_CHECK int journal_copy_add_lines(struct journal_copy *copy,
	const char *text, size_t len, size_t *added_r, struct err *err_r);

/* As store_each_event. */
MUST_CHECK int journal_copy_each(const struct journal_copy *copy,
	int64_t after_seq, store_event_fn fn, void *arg, struct err *err_r);

#endif
