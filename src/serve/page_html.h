/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML by templates of our own: what is filled in is text and nothing else,
 * unless the template says otherwise. Pure.
 */
#ifndef TIDEGATE_SERVE_PAGE_HTML_H
#define TIDEGATE_SERVE_PAGE_HTML_H

#include "base/buf.h"

/*
 * Fills a template in. It is ours, its arguments are anybody's:
 *
 *   %s   text, for elements and for attributes in double quotes; NULL: ""
 *   %l   the same, in which lines stay lines
 *   %c   the same, in which what stands between backticks is a command
 *   %v   what a form brings back: to the last byte, whatever it looks like
 *   %u   one segment of a URL's path, or a value of its query
 *   %d   an int
 *   %t   an int64_t in ms: <time>, "14:32:10 UTC"
 *   %T   the same with the date
 *   %r   what is HTML already; a constant of ours
 *   %%   a percent sign
 */
void html_addf(struct buf *out, const char *template, ...);

#endif
