/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part file: one line that says what it is a part of, then one line for each
 * chunk as it came. A line that was cut off is forgotten. Private to the
 * recorder.
 */
#ifndef TIDEGATE_SIM_RECORDER_PART_H
#define TIDEGATE_SIM_RECORDER_PART_H

#include <stdint.h>

#include "base/err.h"

#define PART_LINE_MAX (64 * 1024 * 1024) /* bytes */

struct part_head {
	const char *identity; /* what is asked, as one text */
	int64_t from_ms, to_ms;
};

struct part_chunk {
	int series; /* index */
	int64_t to_ms; /* how far it goes */
	const char *body;
	size_t body_len;
};

struct part;

/* -1 stops. The texts are valid during the call. */
typedef int (*part_chunk_fn)(
	const struct part_chunk *chunk, void *arg, struct err *err_r);

/*
 * Opens the file; when it was begun for the same identity its times replace
 * those of `head`. It is an error when it was begun for something else.
 */
MUST_CHECK struct part *part_open(
	const char *path, struct part_head *head, struct err *err_r);
/* Tells the chunks that are there; then the file stands at their end. */
MUST_CHECK int part_each_chunk(
	struct part *part, part_chunk_fn fn, void *arg, struct err *err_r);
MUST_CHECK int part_add(
	struct part *part, const struct part_chunk *chunk, struct err *err_r);
void part_free(struct part **part);

#endif
