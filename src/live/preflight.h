/*
 * EFFECT_PREFLIGHT: the look at the world before anything moves. Reads and
 * asks only; all that is wrong is collected, so that one refusal names it all.
 */
#ifndef TIDEGATE_LIVE_PREFLIGHT_H
#define TIDEGATE_LIVE_PREFLIGHT_H

#include <stdint.h>

#include "live/event_fn.h"

struct journal;
struct keepalive;
struct preflight;
struct release;
struct rollout;
struct traffic_io;
struct world;

/* All borrowed until the end. */
struct preflight_what {
	struct release *release; /* learns candidate and stable */
	const struct rollout *state;
	struct traffic_io *traffic; /* keeps the service as read */
	struct keepalive *keepalive; /* keeps what actions capture */
	struct journal *journal; /* whose transaction names the revisions */
	int64_t patient_until_ms; /* of the loop; until then it tries again */
};

struct preflight *preflight_start(struct world *world,
	const struct preflight_what *what, event_fn fn, void *arg);
void preflight_cancel(struct preflight **preflight); /* NULL inside: fine */

#endif
