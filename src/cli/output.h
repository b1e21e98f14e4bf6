/*
 * What people see: tables, messages, colours. Whatever came from outside goes
 * through base/printable.h first. Results go to stdout, all else to stderr.
 */
#ifndef TIDEGATE_CLI_OUTPUT_H
#define TIDEGATE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"

#define TABLE_COLUMNS_MAX 10
#define OUTPUT_BYTES_MAX  (4 * 1024 * 1024) /* of one text */

/* "tidegate: <text>" on stderr, secrets masked, made printable. */
void output_error(const char *text);

bool output_is_terminal(FILE *stream);
/* A terminal that takes colours, and NO_COLOR is not set. */
bool output_has_colour(FILE *stream);

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_WAIT, COLOUR_DIM };

/* Adds a text made printable, in a colour when `on`. */
void output_coloured(
	struct buf *out, bool on, enum colour colour, const char *text);

/* Rows of text with aligned columns; cells are made printable. */
struct table {
	struct arena arena;
	size_t n_columns, n_rows;
	size_t width[TABLE_COLUMNS_MAX];
	struct table_row *first, *last;
};

void table_init(struct table *table, size_t n_columns);
/* n_columns texts, borrowed for the call; NULL is an empty cell. The first
 * row is the heading. */
void table_add(struct table *table, const char *const *cells);
void table_print(const struct table *table, struct buf *out);
void table_fini(struct table *table);

/* Writes all of it; trouble is found when the command ends. */
void output_write(FILE *stream, const struct buf *text);

#endif
