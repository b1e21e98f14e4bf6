/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions of a policy, matched against what the world answers.
 * PCRE2 stays behind it. Texts are hostile: the work of one call, wherever in
 * the text it is done, and the depth of its recursion are limited; a pattern
 * that exceeds them is an error, never a hang and never a match.
 */
#ifndef TIDEGATE_POLICY_MATCH_H
#define TIDEGATE_POLICY_MATCH_H

#include <stddef.h>

#include "base/err.h"

#define MATCH_PATTERN_MAX 4096 /* bytes */
#define MATCH_WORK_MAX    1000000 /* items tried, of the whole call: 30 ms */
#define MATCH_STEPS_MAX   1000000 /* from one place in the text */
#define MATCH_DEPTH_MAX   10000 /* nested backtracking points */
#define MATCH_HEAP_MAX    (16 * 1024) /* KiB */
#define MATCH_NEST_MAX    50 /* parentheses inside parentheses */

/* Whether it is a pattern: ERR_POLICY says what is wrong and where. */
MUST_CHECK int match_check(const char *pattern, struct err *err_r);

/* 1: it occurs somewhere in the text, 0: it does not, -1: it could not be
 * found out. The text may hold any bytes. */
MUST_CHECK int match_find(
	const char *pattern, const char *text, size_t len, struct err *err_r);

#endif
