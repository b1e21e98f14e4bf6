/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logarithms and exponentials of several numbers at once, natural ones: two in a
 * register, in little more than half the time of as many calls of log() and
 * exp(), and with the same bits whatever the processor can do. Wrong by less
 * than one unit in the last place. Pure.
 */
#ifndef TIDEGATE_ENGINE_LOGS_H
#define TIDEGATE_ENGINE_LOGS_H

#include <stddef.h>

/* v[i] becomes ln(v[i]). */
void logs_of(double *v, size_t n);

/* v[i] becomes ln(1 + v[i]), to the last digit where v[i] is small. */
void logs_of_1p(double *v, size_t n);

/* v[i] becomes e^v[i]. */
void exps_of(double *v, size_t n);

#endif
