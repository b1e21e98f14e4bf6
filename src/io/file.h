/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole texts into files. These calls wait for the disk, and for the reader of
 * a FIFO: beside a loop that drives something, use io/file_job.h.
 */
#ifndef TIDEGATE_IO_FILE_H
#define TIDEGATE_IO_FILE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"

/* Makes `text` the content of the file. A regular file, or one that is not
 * there yet, is replaced by rename: whole or not at all. What is anything else
 * (device, FIFO, symlink) stays what it is and is written through. */
MUST_CHECK int file_replace(
	const char *path, const struct buf *text, struct err *err_r);

/* Adds `text` at the end; makes the file when it is not there. */
MUST_CHECK int file_append(
	const char *path, const struct buf *text, struct err *err_r);

enum file_how { FILE_REPLACE, FILE_APPEND };

/* For a caller that may have given up meanwhile: `is_wanted` is asked (NULL:
 * it is) each time when something was waited for, before anything is changed. */
struct file_order {
	enum file_how how;
	const char *path;
	const struct buf *text;
	bool (*is_wanted)(void *arg);
	void *arg;
};

MUST_CHECK int file_write(const struct file_order *order, struct err *err_r);

/* Opens what an earlier call by the same user made, or makes it, to read it and
 * to add at its end; -1: error. It is a regular file with no other name: what
 * somebody else put there (symlink, FIFO, a file of theirs) is refused, neither
 * waited for nor touched. */
MUST_CHECK int file_open_kept(const char *path, struct err *err_r);

/* Whether file_replace would replace it by rename. */
bool file_is_replaced(const char *path);

#endif
