/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON numbers that are valid and that a parser of 64-bit integers and doubles
 * refuses all the same. Text to text; parses nothing else. Pure.
 */
#ifndef TIDEGATE_BASE_JSON_NUMBERS_H
#define TIDEGATE_BASE_JSON_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends the text with such numbers made ones that can be read: an integer
 * beyond int64 becomes a real of the same digits, what is beyond a double the
 * largest there is, with its sign. Whether there were any. */
bool json_numbers_tame(const char *bytes, size_t len, struct buf *out);

#endif
