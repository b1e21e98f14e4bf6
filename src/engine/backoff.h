/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exponential back-off with full jitter (Marc Brooker, "Exponential Backoff
 * And Jitter", 2015): a wait drawn evenly from 0 to min(cap, base * 2^attempt),
 * never shorter than what the server asked for.
 */
#ifndef TIDEGATE_ENGINE_BACKOFF_H
#define TIDEGATE_ENGINE_BACKOFF_H

#include <stdint.h>

#include "base/rng.h"

struct backoff {
	int64_t base_ms, cap_ms;
};

/* attempt counts from 0; retry_after_ms 0: the server asked for nothing. */
int64_t backoff_delay(const struct backoff *backoff, int attempt,
	int64_t retry_after_ms, struct rng *rng);

#endif
