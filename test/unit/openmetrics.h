/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of OpenMetrics 1.0, written from its specification: what a
 * page has to keep to, and no more than our own needs.
 */
#ifndef TEST_OPENMETRICS_H
#define TEST_OPENMETRICS_H

#include <stddef.h>

/* NULL: it is one. Else what is wrong, with the line; static. */
const char *openmetrics_trouble(const char *text);

/* The series of a page of either format, "name{labels} value" in order, each
 * with a line end. Caller owns it. */
char *metrics_series(const char *text);

#endif
