/* SPDX-License-Identifier: Apache-2.0 */
/* Reads windows of time in which nothing goes forward, in policies and in the
 * daemon's configuration. */
#ifndef TIDEGATE_POLICY_POLICY_FREEZE_H
#define TIDEGATE_POLICY_POLICY_FREEZE_H

#include "policy/loader.h"

/* The target's type is struct freezes. */
extern const struct reader freeze_reader;

/* "Fri 16:00 to Mon 07:00 Europe/Berlin, …" */
void freezes_print(const struct freezes *freezes, struct buf *out);

#endif
