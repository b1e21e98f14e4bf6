/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches one token; see token_cache.h. Owns when it is fetched again, and who
 * waits for it. How it is fetched is the source's.
 *
 *   fetched ---- fresh ----> near its end ---- usable ----> expired
 *                            (one fetch in the background)  (all wait)
 */
#include "google/token_cache.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "google/fetch.h"
#include "google/source.h"
#include "google/source_slot.h"
#include "io/loop.h"

#define RETRY_MS 30000 /* after a refresh failed while the token still holds */
#define SLACK_MS 10000 /* a token is not sent on its last moments' way */

struct token_call {
	TAILQ_ENTRY(token_call) link;
	struct token_calls *list;
	token_fn fn;
	void *arg;
};

static void token_cache_fetch(struct token_cache *cache);
static void token_cache_fetched(
	struct secret *token, int64_t life_s, const struct err *err, void *arg);
static void serve(struct token_cache *cache, const struct err *err);

void token_cache_init(struct token_cache *cache, struct loop *loop,
	struct source_slot *slot, struct rng *rng, const char *audience)
{
	*cache = (struct token_cache){.loop = loop, .slot = slot, .rng = rng};
	cache->audience = xstrdup(audience);
	TAILQ_INIT(&cache->waiting);
	TAILQ_INIT(&cache->served);
}

static void forget_all(struct token_calls *calls)
{
	struct token_call *call;

	while ((call = TAILQ_FIRST(calls))) {
		TAILQ_REMOVE(calls, call, link);
		free(call);
	}
}

void token_cache_fini(struct token_cache *cache)
{
	timer_cancel(&cache->wake);
	forget_all(&cache->waiting);
	forget_all(&cache->served);
	fetch_cancel(&cache->fetch);
	secret_free(&cache->token);
	secret_free(&cache->retired);
	xfree(&cache->audience);
}

bool token_cache_is_idle(const struct token_cache *cache)
{
	return !cache->fetch && !cache->wake && !cache->serving &&
	       TAILQ_EMPTY(&cache->waiting) && TAILQ_EMPTY(&cache->served);
}

/* The token. */

int64_t token_fresh_ms(int64_t life_ms, struct rng *rng)
{
	int64_t margin_ms = TOKEN_REFRESH_MARGIN_S * 1000;

	/* Jitter only ever makes the margin shorter: a metadata server hands
	 * out the old token again until four minutes before its end. */
	margin_ms -= (int64_t)rng_below(rng, (uint64_t)margin_ms / 10);
	return life_ms - (margin_ms < life_ms / 2 ? margin_ms : life_ms / 2);
}

static void retire(struct token_cache *cache)
{
	if (!cache->token)
		return;
	secret_free(&cache->retired);
	cache->retired = cache->token;
	cache->token = NULL;
}

static void take(
	struct token_cache *cache, struct secret *token, int64_t life_s)
{
	int64_t from_ms = cache->fetch_started_ms;
	int64_t life_ms = life_s * 1000;
	int64_t slack_ms = SLACK_MS < life_ms / 8 ? SLACK_MS : life_ms / 8;

	retire(cache);
	cache->token = token;
	cache->serial++;
	cache->refresh_ms = from_ms + token_fresh_ms(life_ms, cache->rng);
	cache->expires_ms = from_ms + life_ms - slack_ms;
}

/* Also starts the fetch that the token's age asks for. */
static const struct secret *usable(struct token_cache *cache)
{
	int64_t now_ms = loop_now(cache->loop);

	if (cache->token && now_ms < cache->refresh_ms)
		return cache->token;
	token_cache_fetch(cache);
	if (cache->token && now_ms < cache->expires_ms)
		return cache->token;
	return NULL;
}

const struct secret *token_cache_get(struct token_cache *cache)
{
	if (!cache->token)
		return NULL;
	return usable(cache);
}

void token_cache_reject(struct token_cache *cache, unsigned serial)
{
	if (serial == cache->serial)
		retire(cache);
}

/* Fetching: one at a time. */

static void token_cache_fetch(struct token_cache *cache)
{
	if (cache->fetch)
		return;
	cache->fetch_started_ms = loop_now(cache->loop);
	cache->fetch = fetch_start(source_slot_renew(cache->slot),
		cache->audience, token_cache_fetched, cache);
}

static void token_cache_fetched(
	struct secret *token, int64_t life_s, const struct err *err, void *arg)
{
	struct token_cache *cache = arg;
	int64_t now_ms = loop_now(cache->loop), left_ms;

	cache->fetch = NULL;
	if (token) {
		take(cache, token, life_s);
		serve(cache, NULL);
		return;
	}
	left_ms = cache->expires_ms - now_ms;
	if (cache->token && left_ms > 0) {
		cache->refresh_ms =
			now_ms +
			(RETRY_MS < left_ms / 2 ? RETRY_MS : left_ms / 2);
		err = NULL;
	}
	serve(cache, err);
}

/* Waiting. */

static void enqueue(struct token_calls *list, struct token_call *call)
{
	TAILQ_INSERT_TAIL(list, call, link);
	call->list = list;
}

/* A callback may start and cancel calls; those that come now are for the next
 * time. */
static void serve(struct token_cache *cache, const struct err *err)
{
	/* Rejected by one callback, it stays there for the others. */
	const struct secret *token = err ? NULL : cache->token;
	struct token_call *call;
	token_fn fn;
	void *arg;

	while ((call = TAILQ_FIRST(&cache->waiting))) {
		TAILQ_REMOVE(&cache->waiting, call, link);
		enqueue(&cache->served, call);
	}
	while ((call = TAILQ_FIRST(&cache->served))) {
		TAILQ_REMOVE(&cache->served, call, link);
		fn = call->fn;
		arg = call->arg;
		free(call);
		cache->serving = true;
		fn(token, err, arg);
		cache->serving = false;
	}
}

static void wake_up(void *arg)
{
	struct token_cache *cache = arg;

	cache->wake = NULL;
	if (usable(cache))
		serve(cache, NULL);
}

struct token_call *token_cache_start(
	struct token_cache *cache, token_fn fn, void *arg)
{
	struct token_call *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->arg = arg;
	enqueue(&cache->waiting, call);
	if (usable(cache) && !cache->wake)
		cache->wake = timer_start(cache->loop, 0, wake_up, cache);
	return call;
}

void token_cancel(struct token_call **call)
{
	if (!*call)
		return;
	TAILQ_REMOVE((*call)->list, *call, link);
	free(*call);
	*call = NULL;
}
