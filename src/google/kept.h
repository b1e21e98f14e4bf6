/*
 * A token that is kept: fetched when somebody wants it, handed out to all,
 * fetched again ahead of its end, by one fetch at a time. Part of
 * credentials.c, which has one for the access token and one per audience.
 */
#ifndef TIDEGATE_GOOGLE_KEPT_H
#define TIDEGATE_GOOGLE_KEPT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "google/credentials.h"

struct loop;
struct source;
struct rng;

TAILQ_HEAD(token_calls, token_call);

struct kept {
	TAILQ_ENTRY(kept) link; /* the owner's */
	struct loop *loop;
	struct source *source;
	struct rng *rng;
	char *audience; /* NULL: the access token */

	struct secret *token; /* NULL: none, or rejected */
	unsigned serial; /* of the newest, 1 for the first; 0: none yet */
	struct secret *retired; /* the one before: somebody may borrow it */
	int64_t refresh_ms; /* from then on it is fetched ahead of expiry */
	int64_t expires_ms; /* from then on it is not handed out */

	struct fetch *fetch; /* under way */
	int64_t fetch_started_ms;
	struct token_calls waiting, served;
	bool serving; /* a callback is on the stack */
	struct timer *wake; /* somebody waits for a token that is there */
};

void kept_init(struct kept *kept, struct loop *loop, struct source *source,
	struct rng *rng, const char *audience);
void kept_fini(struct kept *kept);

/* As token_start, token_cached and token_reject of credentials.h. */
struct token_call *kept_start(struct kept *kept, token_fn fn, void *arg);
const struct secret *kept_cached(struct kept *kept);
void kept_reject(struct kept *kept, unsigned serial);

/* Nobody waits for it, and it may be forgotten. */
bool kept_is_idle(const struct kept *kept);

#endif
