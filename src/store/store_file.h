/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the store only: the state file as a file. Knows nothing of SQLite
 * but the name of its log.
 */
#ifndef TIDEGATE_STORE_STORE_FILE_H
#define TIDEGATE_STORE_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define STORE_PATH_MAX 4096 /* bytes */

/* The file itself, its log and the log's index: without one of them what is
 * written is lost, or seen by nobody. */
#define STORE_PLACES 3

struct store_place {
	dev_t device;
	ino_t inode; /* 0: it is not there */
};

/* The path of the file itself, behind all links, which need not be there yet: its
 * log lies beside it, not beside a link. */
char *store_file_resolve(const char *path);

/* Where one of them is now. */
struct store_place store_file_place(const char *path, int which);

/* Makes it, empty, mode 0600, and its folders, 0700, unless it is there. */
MUST_CHECK int store_file_make(const char *path, struct err *err_r);
/* Makes it with these bytes, whole and durable or not at all, in a folder that is
 * there; who was quicker is let be. 1: it is there, 0: this folder has no way to
 * do that, and nothing was done, -1: error. */
MUST_CHECK int store_file_make_whole(
	const char *path, const void *bytes, size_t len, struct err *err_r);
/* The folders alone. */
MUST_CHECK int store_file_make_folders(const char *path, struct err *err_r);
/* It is there and a regular file. */
MUST_CHECK int store_file_check(const char *path, struct err *err_r);
/* Nothing waits in the write-ahead log. */
bool store_log_is_empty(const char *path);
/* When it was written last; -1: it is not there. */
int64_t store_file_changed_us(const char *path);
/* A tmpfs: nothing that is written there waits for a disk. */
bool store_file_is_in_memory(const char *path);
/* "file:<path, percent-encoded>?immutable=1"; the caller owns it. */
char *store_immutable_uri(const char *path);

#endif
