/*
 * All points of a recording in one block that grows while it is read; results
 * remember offsets until the block stands still.
 */
#ifndef TIDEGATE_SIM_RECORDING_POINTS_H
#define TIDEGATE_SIM_RECORDING_POINTS_H

#include <stdint.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "sim/recording.h"

struct points {
	struct recording_point *point;
	size_t n, size;
};

/* One point takes about 24 bytes of a file; a start that seldom grows. */
static inline void points_init(struct points *points, size_t file_len)
{
	points->n = 0;
	points->size = file_len / 32 + 16;
	if (points->size > RECORDING_POINTS_MAX)
		points->size = RECORDING_POINTS_MAX;
	points->point = xrealloc(NULL, points->size, sizeof(*points->point));
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
		points->size *= 2;
		if (points->size > RECORDING_POINTS_MAX)
			points->size = RECORDING_POINTS_MAX;
		points->point = xrealloc(
			points->point, points->size, sizeof(*points->point));
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
