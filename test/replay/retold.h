/* SPDX-License-Identifier: Apache-2.0 */
/* A rollout once more: its journal recorded, and the recording simulated. */
#ifndef TIDEGATE_TEST_RETOLD_H
#define TIDEGATE_TEST_RETOLD_H

#include "engine/event.h"

/* `note` NULL: the event itself. */
typedef void (*retold_fn)(const struct event *event, const struct note *note);

/* Nobody is asked for metrics: the journal has to be enough. Returns why it is
 * not, or NULL. */
const char *retell(const struct policy *policy, const char *rollout,
	int64_t now_ms, retold_fn fn);

#endif
