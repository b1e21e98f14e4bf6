/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts from outside on their way into a page: secrets masked, made printable,
 * and escaped so that they are text and nothing else. Pure.
 */
#ifndef TIDEGATE_BASE_ESCAPE_H
#define TIDEGATE_BASE_ESCAPE_H

#include "base/buf.h"

#define ESCAPE_BYTES_MAX (64 * 1024) /* of one text; the rest is cut off */

/* One line, for elements and for attributes in double quotes. */
void escape_html(struct buf *out, const char *text);
/* The same, lines stay lines. */
void escape_html_lines(struct buf *out, const char *text);
/* One line of Markdown: also good for a table's cell. */
void escape_markdown(struct buf *out, const char *text);
/* A fenced block: whatever the text holds does not end it. */
void escape_markdown_code(struct buf *out, const char *text);

#endif
