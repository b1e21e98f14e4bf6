/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as people write them in a policy, and as JSON has them. Pure.
 */
#ifndef TIDEGATE_POLICY_QUANTITY_H
#define TIDEGATE_POLICY_QUANTITY_H

#include <stddef.h>

#include "base/err.h"

/* "0.01", "1%" (0.01), "500ms" (0.5: what a query in seconds gives). Finite. */
MUST_CHECK int quantity_parse(
	const char *text, double *value_r, struct err *err_r);

/* A whole number, decimal digits only. */
MUST_CHECK int whole_parse(const char *text, int *value_r, struct err *err_r);

/* digits [. digits] [e [sign] digits] with an optional minus, and nothing else;
 * finite, whatever the locale. `text` is NUL-terminated behind `len`. -1: it is
 * not one. */
MUST_CHECK int decimal_parse(const char *text, size_t len, double *value_r);

#endif
