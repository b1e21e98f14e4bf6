/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How wide text is on a terminal, in cells: wide characters take two, combining
 * ones none. The widths are libc's. What could move the cursor is escaped first
 * (base/printable.h); where there is no UTF-8, what is not ASCII is replaced.
 */
#ifndef TIDEGATE_BASE_CELLS_H
#define TIDEGATE_BASE_CELLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Of a text that was made printable. */
int cells_width(const char *text);
/* How many bytes of its beginning take no more than `width` cells. */
size_t cells_fit(const char *text, int width);
/* Adds a text of one line from outside, harmless and as the terminal can show
 * it. */
void cells_add(struct buf *out, const char *text, bool utf8);

#endif
