/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that includes this before all else is compiled to be small, since what
 * it does is done seldom: texts for people, what happens once in a rollout.
 * Without effect where the compiler is not gcc, or does not optimise.
 */
#ifndef TIDEGATE_BASE_SMALL_H
#define TIDEGATE_BASE_SMALL_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__)
#pragma GCC optimize("Os")
#endif

#endif
