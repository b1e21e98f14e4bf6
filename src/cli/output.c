/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, messages, colours; see output.h. */
#include "cli/output.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cells.h"
#include "base/printable.h"

#define COLUMN_GAP 2

bool output_is_terminal(FILE *stream)
{
	return isatty(fileno(stream)) == 1;
}

bool output_has_colour(FILE *stream)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return term && strcmp(term, "dumb") != 0 && output_is_terminal(stream);
}

void output_coloured(
	struct buf *out, bool on, enum colour colour, const char *text)
{
	static const char *const codes[] = {
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_BAD] = "\033[31m",
		[COLOUR_WAIT] = "\033[33m",
		[COLOUR_DIM] = "\033[2m",
	};

	if (!on || colour == COLOUR_NONE) {
		printable_add(out, text);
		return;
	}
	buf_adds(out, codes[colour]);
	printable_add(out, text);
	buf_adds(out, "\033[0m");
}

struct table_row {
	struct table_row *next;
	const char *cell[TABLE_COLUMNS_MAX];
};

void table_init(struct table *table, size_t n_columns)
{
	assert(n_columns > 0 && n_columns <= TABLE_COLUMNS_MAX);
	*table = (struct table){.n_columns = n_columns};
	arena_init(&table->arena);
}

void table_add(struct table *table, const char *const *cells)
{
	struct table_row *row = arena_alloc(&table->arena, sizeof(*row));
	struct buf cell;
	size_t i, width;

	buf_init(&cell, OUTPUT_BYTES_MAX);
	for (i = 0; i < table->n_columns; i++) {
		buf_clear(&cell);
		printable_add(&cell, cells[i] ? cells[i] : "");
		row->cell[i] = arena_strdup(&table->arena, cell.data);
		width = (size_t)cells_width(cell.data);
		if (width > table->width[i])
			table->width[i] = width;
	}
	buf_fini(&cell);
	if (table->last)
		table->last->next = row;
	else
		table->first = row;
	table->last = row;
	table->n_rows++;
}

void table_print(const struct table *table, struct buf *out)
{
	const struct table_row *row;
	size_t i;
	int pad;

	for (row = table->first; row; row = row->next) {
		/* The last column is not padded: no blanks at the end. */
		for (i = 0; i + 1 < table->n_columns; i++) {
			pad = (int)table->width[i] - cells_width(row->cell[i]) +
			      COLUMN_GAP;
			buf_addf(out, "%s%*s", row->cell[i], pad, "");
		}
		buf_addf(out, "%s\n", row->cell[i]);
	}
}

void table_fini(struct table *table)
{
	arena_fini(&table->arena);
	*table = (struct table){0};
}

enum colour output_phase_colour(enum phase phase)
{
	switch (phase) {
	case PHASE_PROMOTED:
	case PHASE_BAKING:
	case PHASE_SHIFTING:
		return COLOUR_GOOD;
	case PHASE_AWAITING_APPROVAL:
	case PHASE_HELD:
	case PHASE_PAUSED:
		return COLOUR_WAIT;
	case PHASE_PREFLIGHT:
		return COLOUR_NONE;
	default:
		return COLOUR_BAD;
	}
}
