/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Globs as Redis reads them: "*", "?", "[a-c]", "[^a]", and a backslash in
 * front of what stands for itself. Pure.
 */
#ifndef TIDEGATE_POLICY_GLOB_H
#define TIDEGATE_POLICY_GLOB_H

#include <stdbool.h>

struct buf;

/* What follows the class that begins at `p` with "[", or the end. */
const char *glob_skip_class(const char *p);

/* Whether it has a character that every text it matches must have: a class
 * such as [^x] is no limit. */
bool glob_is_narrow(const char *glob);

/* Appends a text that the glob matches; of a class with several characters the
 * first one, or the last one. Whether it has such a class. */
bool glob_sample(const char *glob, bool last, struct buf *out);

#endif
