/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All points of a recording in one block that grows while it is read; results
 * remember offsets until the block stands still.
 */
#ifndef TIDEGATE_SIM_RECORDING_POINTS_H
#define TIDEGATE_SIM_RECORDING_POINTS_H

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/xalloc.h"
#include "sim/recording.h"

struct points {
	struct recording_point *point;
	size_t n, size;
};

#define POINTS_FILE_BYTES 22 /* that a point takes in a file, at least */
#define POINTS_SOME       256 /* of a file whose length is not known */
#define POINTS_HUGE_BYTES ((size_t)8 * 1024 * 1024)
#define POINTS_PAGE_BYTES ((uintptr_t)4096)

/* Most of the time to read a long recording would go into faults of small
 * pages. */
static inline void points_resize(struct points *points, size_t size)
{
	size_t bytes = size * sizeof(*points->point);
	char *start;
	size_t skip;

	points->point = xrealloc(points->point, size, sizeof(*points->point));
	points->size = size;
	if (bytes < POINTS_HUGE_BYTES)
		return;
	start = (char *)points->point;
	skip = -(uintptr_t)start & (POINTS_PAGE_BYTES - 1);
	madvise(start + skip, bytes - POINTS_PAGE_BYTES, MADV_HUGEPAGE);
}

/* A start that seldom grows; what is not used is never touched. */
static inline void points_init(struct points *points, size_t file_len)
{
	size_t size = file_len / POINTS_FILE_BYTES + POINTS_SOME;

	points->n = 0;
	points->point = NULL;
	points_resize(points,
		size < RECORDING_POINTS_MAX ? size : RECORDING_POINTS_MAX);
}

static inline void points_fini(struct points *points)
{
	free(points->point);
	points->point = NULL;
}

static inline bool points_add(
	struct points *points, int64_t time_ms, double value)
{
	if (points->n == points->size) {
		if (points->n >= RECORDING_POINTS_MAX)
			return false;
		points_resize(points, 2 * points->size < RECORDING_POINTS_MAX
					      ? 2 * points->size
					      : RECORDING_POINTS_MAX);
	}
	points->point[points->n++] = (struct recording_point){time_ms, value};
	return true;
}

/* The points from `begin` on are the result's, as an offset at first. */
static inline void points_take(
	struct points *points, size_t begin, struct recording_result *result)
{
	result->offset = begin;
	result->n = points->n - begin;
}

/* The block, owned by the caller; every result points into it. */
static inline struct recording_point *points_finish(
	struct points *points, struct recording *recording)
{
	struct recording_point *block = xrealloc(points->point,
		points->n ? points->n : 1, sizeof(*points->point));
	size_t i, j;

	for (i = 0; i < recording->n_series; i++) {
		for (j = 0; j < recording->series[i].n_results; j++)
			recording->series[i].result[j].point =
				block + recording->series[i].result[j].offset;
	}
	points->point = NULL;
	return block;
}

#endif
