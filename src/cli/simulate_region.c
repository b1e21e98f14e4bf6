/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which combinations of the values of several keys suit all recordings; see
 * simulate_sweep.h. Two keys make a grid, more of them, or many values, a list.
 */
#include <string.h>

#include "cli/output.h"
#include "cli/simulate_sweep.h"

#define KINDS_MAX  16 /* of ends that a recording has */
#define LISTED_MAX 20 /* combinations */

/* ---- how a recording ends, how often ---- */

struct kind {
	const struct sweep_cell *cell; /* the first of them */
	size_t n;
};

/* What ends in more than KINDS_MAX ways is counted with the last one. */
static size_t count_kinds(
	const struct sweep *s, size_t recording, struct kind kinds[KINDS_MAX])
{
	const struct sweep_cell *cell = &s->cell[recording * s->n];
	size_t point, i, n = 0;

	for (point = 0; point < s->n; point++) {
		i = 0;
		while (i < n && !sweep_are_alike(kinds[i].cell, &cell[point]))
			i++;
		if (i == n && n < KINDS_MAX)
			kinds[n++] = (struct kind){&cell[point], 0};
		kinds[i < n ? i : n - 1].n++;
	}
	return n;
}

void sweep_add_kinds(const struct sweep *s, size_t recording, struct buf *out)
{
	struct kind kinds[KINDS_MAX];
	size_t n = count_kinds(s, recording, kinds), i;

	for (i = 0; i < n; i++) {
		buf_adds(out, i ? "; " : "");
		sweep_add_end(s, kinds[i].cell, out);
		buf_addf(out, ": %zu of %zu", kinds[i].n, s->n);
	}
}

static void print_kinds(const struct sweep *s, struct buf *out)
{
	static const char *const heading[2] = {"RECORDING", "ENDS"};
	struct table table;
	struct buf text;
	size_t i;

	table_init(&table, 2);
	table_add(&table, heading);
	buf_init(&text, OUTPUT_BYTES_MAX);
	for (i = 0; i < s->paths->n; i++) {
		buf_clear(&text);
		sweep_add_kinds(s, i, &text);
		table_add(
			&table, (const char *[]){s->paths->item[i], text.data});
	}
	buf_addc(out, '\n');
	table_print(&table, out);
	table_fini(&table);
	buf_fini(&text);
}

/* ---- the region ---- */

size_t sweep_missed(const struct sweep *s, size_t point)
{
	size_t i, n = 0;

	for (i = 0; i < s->paths->n; i++)
		n += !s->cell[i * s->n + point].met;
	return n;
}

size_t sweep_point(const struct sweep *s, size_t down, size_t i, size_t k)
{
	return down == 0 ? i * s->axis[1].n + k : k * s->axis[1].n + i;
}

/* The values of one axis are rows, those of the other one columns. */
static void print_grid(
	const struct sweep *s, size_t down, size_t across, struct buf *out)
{
	char texts[TABLE_COLUMNS_MAX][2 * AXIS_TEXT_MAX + 8];
	const char *cells[TABLE_COLUMNS_MAX] = {texts[0]};
	const struct axis *rows = &s->axis[down], *columns = &s->axis[across];
	struct table table;
	size_t i, k, missed;

	table_init(&table, columns->n + 1);
	snprintf(texts[0], sizeof(texts[0]), "%s \\ %s", rows->key,
		columns->key);
	for (k = 0; k < columns->n; k++)
		cells[k + 1] = axis_value(columns, k, texts[k + 1]);
	table_add(&table, cells);
	for (i = 0; i < rows->n; i++) {
		axis_value(rows, i, texts[0]);
		for (k = 0; k < columns->n; k++) {
			missed = sweep_missed(s, sweep_point(s, down, i, k));
			if (missed)
				snprintf(texts[k + 1], sizeof(texts[0]),
					"%zu not", missed);
			else
				strcpy(texts[k + 1], "all");
		}
		table_add(&table, cells);
	}
	buf_adds(out, "\nhow many end as expected\n");
	table_print(&table, out);
	table_fini(&table);
}

/* "evidence.alpha=1% evidence.harm=5" */
static void add_values(const struct sweep *s, size_t point, struct buf *out)
{
	char value[AXIS_TEXT_MAX];
	size_t i;

	for (i = 0; i < s->n_axes; i++)
		buf_addf(out, "%s%s=%s", i ? " " : "", s->axis[i].key,
			axis_value(
				&s->axis[i], sweep_index(s, i, point), value));
}

static void print_list(const struct sweep *s, size_t n, struct buf *out)
{
	size_t point, listed = 0;

	for (point = 0; point < s->n && listed < LISTED_MAX; point++) {
		if (sweep_missed(s, point))
			continue;
		buf_adds(out, "  ");
		add_values(s, point, out);
		buf_addc(out, '\n');
		listed++;
	}
	if (n > listed)
		buf_addf(out, "  and %zu more\n", n - listed);
}

size_t sweep_count_suiting(const struct sweep *s)
{
	size_t point, n = 0;

	for (point = 0; point < s->n; point++)
		n += sweep_missed(s, point) == 0;
	return n;
}

void sweep_print_region(const struct sweep *s, struct buf *out)
{
	size_t n = sweep_count_suiting(s);
	bool drawn = true;

	print_kinds(s, out);
	if (s->n_axes == 2 && s->axis[1].n < TABLE_COLUMNS_MAX)
		print_grid(s, 0, 1, out);
	else if (s->n_axes == 2 && s->axis[0].n < TABLE_COLUMNS_MAX)
		print_grid(s, 1, 0, out);
	else
		drawn = false;
	if (!n)
		buf_adds(out, "\nall end as expected with none of these "
			      "combinations\n");
	else
		buf_addf(out,
			"\nall end as expected with %zu of %zu "
			"combinations%s\n",
			n, s->n, drawn ? "" : ":");
	if (!drawn)
		print_list(s, n, out);
}
