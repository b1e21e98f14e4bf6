/* SPDX-License-Identifier: Apache-2.0 */
/* Samples on a grid; see past_table.h. */
#include "metrics/past_table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define FALLS_MIN   20 /* fewer are restarts */
#define FALLS_SHARE 0.25 /* of all moves */

void past_table_init(struct past_table *table, const struct past_grid *grid)
{
	*table = (struct past_table){.grid = *grid};
}

void past_table_fini(struct past_table *table)
{
	size_t i;

	for (i = 0; i < table->n; i++) {
		free(table->row[i].labels);
		free(table->row[i].values);
	}
	free(table->row);
	*table = (struct past_table){.grid = table->grid};
}

static int by_labels_and_bound(const void *a, const void *b)
{
	const struct past_row *left = a, *right = b;
	int order = strcmp(left->labels, right->labels);

	if (order)
		return order;
	return (left->le > right->le) - (left->le < right->le);
}

static struct past_row *row_of(
	const struct past_table *table, const char *labels, double le)
{
	const struct past_row key = {.labels = (char *)labels, .le = le};

	return table->sorted ? bsearch(&key, table->row, table->sorted,
				       sizeof(key), by_labels_and_bound)
			     : NULL;
}

static double *values_new(size_t looks)
{
	double *values = xcalloc(looks, sizeof(*values));
	size_t i;

	for (i = 0; i < looks; i++)
		values[i] = NAN;
	return values;
}

static struct past_row *row_new(
	struct past_table *table, const char *labels, double le)
{
	struct past_row *row;

	if (table->n == table->size) {
		table->size = 2 * table->size + 64;
		table->row =
			xrealloc(table->row, table->size, sizeof(*table->row));
	}
	row = &table->row[table->n++];
	*row = (struct past_row){
		xstrdup(labels), le, values_new(table->grid.looks)};
	return row;
}

int past_table_add(struct past_table *table, const char *labels, double le,
	const double *values, size_t from, size_t n, struct err *err_r)
{
	struct past_row *row = row_of(table, labels, le);

	assert(from + n <= table->grid.looks);
	if (!row && (table->n + 1) * table->grid.looks > PAST_CELLS_MAX)
		return err_set(err_r, ERR_LIMIT,
			"more than %zu series over %zu samples of time: narrow "
			"the query, or look at a shorter history",
			table->n, table->grid.looks);
	if (!row)
		row = row_new(table, labels, le);
	memcpy(row->values + from, values, n * sizeof(*values));
	return 0;
}

void past_table_sort(struct past_table *table)
{
	if (table->n)
		qsort(table->row, table->n, sizeof(*table->row),
			by_labels_and_bound);
	table->sorted = table->n;
}

void past_table_extend(struct past_table *table, size_t looks)
{
	size_t before = table->grid.looks, i;
	double *values;

	table->grid.looks += looks;
	table->grid.start_ms -= (int64_t)looks * table->grid.step_ms;
	for (i = 0; i < table->n; i++) {
		values = values_new(table->grid.looks);
		memcpy(values + looks, table->row[i].values,
			before * sizeof(*values));
		free(table->row[i].values);
		table->row[i].values = values;
	}
}

void past_table_add_up(struct past_table *table)
{
	size_t i, k;

	for (i = 0; i < table->n; i++) {
		double sum = 0;

		for (k = 0; k < table->grid.looks; k++) {
			if (isnan(table->row[i].values[k]))
				continue;
			sum += table->row[i].values[k];
			table->row[i].values[k] = sum;
		}
	}
}

void past_table_take_apart(struct past_table *table)
{
	size_t i, k;

	for (i = 0; i < table->n; i++) {
		double before = 0, sum;

		for (k = 0; k < table->grid.looks; k++) {
			if (isnan(table->row[i].values[k]))
				continue;
			sum = table->row[i].values[k];
			table->row[i].values[k] = sum - before;
			before = sum;
		}
	}
}

const char *past_table_no_counter(const struct past_table *table)
{
	size_t i, k;

	for (i = 0; i < table->n; i++) {
		const double *v = table->row[i].values;
		double falls = 0, moves = 0, last = NAN;

		for (k = 0; k < table->grid.looks; k++) {
			if (isnan(v[k]))
				continue;
			moves += last != v[k] && !isnan(last);
			falls += v[k] < last;
			last = v[k];
		}
		if (falls >= FALLS_MIN && falls > FALLS_SHARE * moves)
			return table->row[i].labels;
	}
	return NULL;
}

struct past_series *past_table_series(const struct past_table *table)
{
	struct past_series *series =
		xcalloc(table->n ? table->n : 1, sizeof(*series));
	size_t i;

	for (i = 0; i < table->n; i++)
		series[i] = (struct past_series){table->row[i].labels,
			table->row[i].le, table->row[i].values};
	return series;
}
