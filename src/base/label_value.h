/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A label's value as Prometheus writes it between quotes, in queries and in what
 * it scrapes. Pure.
 */
#ifndef TIDEGATE_BASE_LABEL_VALUE_H
#define TIDEGATE_BASE_LABEL_VALUE_H

#include "base/buf.h"

void label_value_add(struct buf *out, const char *value); /* without quotes */

#endif
