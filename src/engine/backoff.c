/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential back-off with full jitter; see backoff.h. */
#include "engine/backoff.h"

int64_t backoff_delay(const struct backoff *backoff, int attempt,
	int64_t retry_after_ms, struct rng *rng)
{
	int64_t most = backoff->base_ms, delay;

	while (attempt-- > 0 && most < backoff->cap_ms)
		most *= 2;
	if (most > backoff->cap_ms)
		most = backoff->cap_ms;
	delay = (int64_t)rng_below(rng, (uint64_t)most + 1);
	return delay < retry_after_ms ? retry_after_ms : delay;
}
