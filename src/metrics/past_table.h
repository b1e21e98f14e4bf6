/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stable's past while it is being asked for: rows of samples on a grid of time,
 * which come in pieces and may grow backwards. Pure.
 */
#ifndef TIDEGATE_METRICS_PAST_TABLE_H
#define TIDEGATE_METRICS_PAST_TABLE_H

#include <stdint.h>

#include "metrics/slo_history.h"

#define PAST_CELLS_MAX ((size_t)4 * 1024 * 1024) /* samples of one query */

struct past_grid {
	int64_t start_ms, step_ms;
	size_t looks; /* at start, start + step, … */
};

struct past_row {
	char *labels;
	double le;
	double *values; /* one for each look; NaN: no sample */
};

struct past_table {
	struct past_grid grid;
	struct past_row *row;
	size_t n, size, sorted; /* rows up to `sorted` are in order */
};

void past_table_init(struct past_table *table, const struct past_grid *grid);
void past_table_fini(struct past_table *table);

/* `values` are those of looks `from` to `from` + n. Fails with ERR_LIMIT when
 * it is too much to keep. */
MUST_CHECK int past_table_add(struct past_table *table, const char *labels,
	double le, const double *values, size_t from, size_t n,
	struct err *err_r);
/* All rows of an answer are in. */
void past_table_sort(struct past_table *table);

/* The grid begins so many looks earlier. */
void past_table_extend(struct past_table *table, size_t looks);

/* Its values are growth: they are added up, as a counter would show them. */
void past_table_add_up(struct past_table *table);
void past_table_take_apart(struct past_table *table); /* as before that */

/* It falls nearly as often as it grows; the labels of such a row, or NULL. */
const char *past_table_no_counter(const struct past_table *table);

/* The rows as slo_history.h takes them, to be freed; they borrow. */
struct past_series *past_table_series(const struct past_table *table);

#endif
