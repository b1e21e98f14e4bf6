/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8, strictly: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef TIDEGATE_BASE_UTF8_H
#define TIDEGATE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the sequence that `text` begins with, 0 when it is not one.
 * Never reads past a NUL. */
size_t utf8_decode(const char *text, uint32_t *c_r);

/* Valid but deceiving: C1 controls, zero-width and bidirectional marks, line
 * separators, the byte order mark, tags. */
bool utf8_is_hidden(uint32_t c);

#endif
