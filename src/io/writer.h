/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output that never waits. Texts are put into a bounded queue and a thread of
 * the writer's own writes them as the other side takes them: a pipe that is not
 * read, a terminal that is stopped, a slow or a full disk hold that thread,
 * never the caller. (To make the descriptor non-blocking would be no way: that
 * flag belongs to everybody who shares it.)
 *
 * What finds no room is dropped and counted, and the reader is told how much is
 * missing at the place where it is missing. All calls come from one thread.
 */
#ifndef TIDEGATE_IO_WRITER_H
#define TIDEGATE_IO_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct writer;

enum writer_rank {
	WRITER_SHOW, /* is dropped when there is no room */
	WRITER_RESULT, /* has some more room, for what matters most */
};

/* Adds a line that says how many texts are missing here. */
typedef void (*writer_gap_fn)(
	int fd, uint64_t missing, struct buf *out, void *arg);

struct writer_spec {
	size_t show_max; /* bytes that wait; one text may be longer */
	size_t result_max; /* the same with results; more than show_max */
	writer_gap_fn gap;
	void *arg;
};

struct writer *writer_new(const struct writer_spec *spec);

/* `text` is copied; `fd` stays the caller's and is open until writer_close.
 * Texts for several descriptors are written in the order they were put in.
 * false: it was dropped. Empty texts are nothing. */
bool writer_put(struct writer *writer, int fd, enum writer_rank rank,
	const struct buf *text);

/* Bytes that wait to be written. */
size_t writer_backlog(struct writer *writer);

/* Waits until no more than `backlog_max` bytes wait, `wait_ms` at most. */
bool writer_wait(struct writer *writer, size_t backlog_max, int64_t wait_ms);

/* Writes what is left, waits for that `wait_ms` at most, and frees the writer.
 * -1: something was not written; err_r says why and how many texts. */
MUST_CHECK int writer_close(
	struct writer **writer, int64_t wait_ms, struct err *err_r);

#endif
