/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logarithms and exponentials four at a time, where the processor can; for
 * logs.c alone.
 */
#ifndef TIDEGATE_ENGINE_LOGS_FOURS_H
#define TIDEGATE_ENGINE_LOGS_FOURS_H

#include <stdbool.h>
#include <stddef.h>

#define LOGS_FOUR 4 /* numbers, at least */

#ifdef __x86_64__

static inline bool logs_have_fours(void)
{
	return __builtin_cpu_supports("avx2");
}

/* Of v[i], or with `one` of 1 + v[i]. False, and nothing has changed: one does
 * not fit. */
bool logs_fours(double *v, size_t n, bool one);
bool exps_fours(double *v, size_t n);

#else

static inline bool logs_have_fours(void)
{
	return false;
}

static inline bool logs_fours(double *v, size_t n, bool one)
{
	return v && n && one && false;
}

static inline bool exps_fours(double *v, size_t n)
{
	return v && n && false;
}

#endif
#endif
