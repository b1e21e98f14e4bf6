/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in lines of a terminal's width: broken between words, never inside one,
 * nor inside a command that stands in `backticks`. Pure, but for the look for
 * the width.
 */
#ifndef TIDEGATE_CLI_WRAP_H
#define TIDEGATE_CLI_WRAP_H

#include <stdio.h>

#include "base/buf.h"

#define WRAP_COLUMNS_MIN 20

/* How wide lines to `stream` may be: a terminal's columns, else $COLUMNS; 0: as
 * long as they are. */
int wrap_columns(FILE *stream);

/* Adds a text made printable, and a newline; lines after the first begin with
 * `indent` blanks. What is on the line already is not known: begin one. */
void wrap_add(struct buf *out, const char *text, int columns, int indent);

#endif
