/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people see: tables, messages, colours. Whatever came from outside goes
 * through base/printable.h first. Results go to stdout, all else to stderr.
 */
#ifndef TIDEGATE_CLI_OUTPUT_H
#define TIDEGATE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "engine/event.h"

#define TABLE_COLUMNS_MAX 16
#define OUTPUT_BYTES_MAX  (4 * 1024 * 1024) /* of one text */

/* "tidegate: <text>" on stderr, secrets masked, made printable. */
void output_error(const char *text);

bool output_is_terminal(FILE *stream);
/* A terminal that takes colours, and NO_COLOR is not set. */
bool output_has_colour(FILE *stream);

enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_BAD, COLOUR_WAIT, COLOUR_DIM };

/* Of a rollout that is in this phase. */
enum colour output_phase_colour(enum phase phase);

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

/* ---- what leaves the process ----
 *
 * Usually a text is written at once, and one that could not be written is found
 * by output_finish. Where a rollout is driven nothing that is printed may hold
 * it or change how it ends: after output_never_wait texts go by bounded queues,
 * which are written beside the loop. `json`: standard output is lines of JSON.
 */
void output_never_wait(bool json);

/* A result: in a queue it comes before what is only shown. */
void output_write(FILE *stream, const struct buf *text);
/* One that goes where an option says; "-" or NULL is standard output. */
bool output_is_stdout(const char *path);
MUST_CHECK int output_save(
	const char *path, const struct buf *text, struct err *err_r);
void output_text(FILE *stream, const char *fmt, ...) PRINTFLIKE(2, 3);
/* false: it was dropped, and the reader will be told how many were. */
bool output_show(FILE *stream, const struct buf *text);

/* Adds the line of JSON that tells of `missing` ones; a short one by default. */
typedef void (*output_gap_fn)(uint64_t missing, struct buf *out, void *arg);
void output_set_gap(output_gap_fn gap, void *arg);

size_t output_backlog(FILE *stream); /* bytes that wait in the queue */
/* Lets the reader catch up: for a command that prints much at once. -1: it
 * cannot be written; never so with queues. */
MUST_CHECK int output_catch_up(FILE *stream, struct err *err_r);

/* Adds to a file that others read; `name` says which, should it fail. In a
 * queue it takes the text over. */
void output_append(const char *name, const char *path, struct buf *text);

/* The end of the command: the rest is written. -1: a result is lost. Queues
 * are waited for a few seconds at most, what is lost then is said on standard
 * error, and it is no error. */
MUST_CHECK int output_finish(struct err *err_r);

#endif
