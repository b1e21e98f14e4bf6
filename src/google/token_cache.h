/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One cached token: fetched when somebody wants it, handed out to all,
 * fetched again ahead of its end, by one fetch at a time. Part of
 * credentials.c, which has one for the access token and one per audience.
 */
#ifndef TIDEGATE_GOOGLE_TOKEN_CACHE_H
#define TIDEGATE_GOOGLE_TOKEN_CACHE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "google/credentials.h"

struct loop;
struct source_slot;
struct rng;

TAILQ_HEAD(token_calls, token_call);

struct token_cache {
	TAILQ_ENTRY(token_cache) link; /* the owner's */
	struct loop *loop;
	struct source_slot *slot;
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

void token_cache_init(struct token_cache *cache, struct loop *loop,
	struct source_slot *slot, struct rng *rng, const char *audience);
void token_cache_fini(struct token_cache *cache);

/* As token_start, token_cached and token_reject of credentials.h. */
struct token_call *token_cache_start(
	struct token_cache *cache, token_fn fn, void *arg);
const struct secret *token_cache_get(struct token_cache *cache);
void token_cache_reject(struct token_cache *cache, unsigned serial);

/* Nobody waits for it, and it may be forgotten. */
bool token_cache_is_idle(const struct token_cache *cache);

#endif
