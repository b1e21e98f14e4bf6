/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from outside on its way to a terminal or a log: what could move the
 * cursor, change colours, reorder or hide characters is shown as an escape.
 * Pure.
 */
#ifndef TIDEGATE_BASE_PRINTABLE_H
#define TIDEGATE_BASE_PRINTABLE_H

#include <stddef.h>

#include "base/buf.h"

#define PRINTABLE_QUOTE_MAX 256 /* bytes with the NUL */

/* Appends one line: control characters (also newline and tab), bytes that are
 * not UTF-8, and invisible or bidirectional marks become \n, \t, \x1b,
 * \u{202e}. A backslash stays as it is. */
void printable_add(struct buf *out, const char *text);

/* The same for texts of several lines: newlines and tabs stay. */
void printable_add_lines(struct buf *out, const char *text);

/* One line into an array of `size` bytes, cut between characters. */
void printable_copy(char *out, size_t size, const char *text);

/* The beginning of a body that makes no sense, for a message: in quotes, with
 * "…" when it goes on; "an empty body". */
void printable_quote(
	char out[PRINTABLE_QUOTE_MAX], const char *bytes, size_t len);

#endif
