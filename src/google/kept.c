/*
 * Keeps one token; see kept.h. Owns when it is fetched again, and who waits
 * for it. How it is fetched is the source's.
 *
 *   fetched ---- fresh ----> near its end ---- usable ----> expired
 *                            (one fetch in the background)  (all wait)
 */
#include "google/kept.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "google/fetch.h"
#include "google/source.h"
#include "io/loop.h"

#define RETRY_MS 30000 /* after a refresh failed while the token still holds */
#define SLACK_MS 10000 /* a token is not sent on its last moments' way */

struct token_call {
	TAILQ_ENTRY(token_call) link;
	struct token_calls *list;
	token_fn fn;
	void *arg;
};

static void kept_fetch(struct kept *kept);
static void kept_fetched(
	struct secret *token, int64_t life_s, const struct err *err, void *arg);
static void serve(struct kept *kept, const struct err *err);

void kept_init(struct kept *kept, struct loop *loop, struct source *source,
	struct rng *rng, const char *audience)
{
	*kept = (struct kept){.loop = loop, .source = source, .rng = rng};
	kept->audience = xstrdup(audience);
	TAILQ_INIT(&kept->waiting);
	TAILQ_INIT(&kept->served);
}

static void forget_all(struct token_calls *calls)
{
	struct token_call *call;

	while ((call = TAILQ_FIRST(calls))) {
		TAILQ_REMOVE(calls, call, link);
		free(call);
	}
}

void kept_fini(struct kept *kept)
{
	timer_cancel(&kept->wake);
	forget_all(&kept->waiting);
	forget_all(&kept->served);
	fetch_cancel(&kept->fetch);
	secret_free(&kept->token);
	secret_free(&kept->retired);
	xfree(&kept->audience);
}

bool kept_is_idle(const struct kept *kept)
{
	return !kept->fetch && !kept->wake && !kept->serving &&
	       TAILQ_EMPTY(&kept->waiting) && TAILQ_EMPTY(&kept->served);
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

static void retire(struct kept *kept)
{
	if (!kept->token)
		return;
	secret_free(&kept->retired);
	kept->retired = kept->token;
	kept->token = NULL;
}

static void take(struct kept *kept, struct secret *token, int64_t life_s)
{
	int64_t from_ms = kept->fetch_started_ms;
	int64_t life_ms = life_s * 1000;
	int64_t slack_ms = SLACK_MS < life_ms / 8 ? SLACK_MS : life_ms / 8;

	retire(kept);
	kept->token = token;
	kept->serial++;
	kept->refresh_ms = from_ms + token_fresh_ms(life_ms, kept->rng);
	kept->expires_ms = from_ms + life_ms - slack_ms;
}

/* Also starts the fetch that the token's age asks for. */
static const struct secret *usable(struct kept *kept)
{
	int64_t now_ms = loop_now(kept->loop);

	if (kept->token && now_ms < kept->refresh_ms)
		return kept->token;
	kept_fetch(kept);
	if (kept->token && now_ms < kept->expires_ms)
		return kept->token;
	return NULL;
}

const struct secret *kept_cached(struct kept *kept)
{
	if (!kept->token)
		return NULL;
	return usable(kept);
}

void kept_reject(struct kept *kept, unsigned serial)
{
	if (serial == kept->serial)
		retire(kept);
}

/* Fetching: one at a time. */

static void kept_fetch(struct kept *kept)
{
	if (kept->fetch)
		return;
	kept->fetch_started_ms = loop_now(kept->loop);
	kept->fetch =
		fetch_start(kept->source, kept->audience, kept_fetched, kept);
}

static void kept_fetched(
	struct secret *token, int64_t life_s, const struct err *err, void *arg)
{
	struct kept *kept = arg;
	int64_t now_ms = loop_now(kept->loop), left_ms;

	kept->fetch = NULL;
	if (token) {
		take(kept, token, life_s);
		serve(kept, NULL);
		return;
	}
	left_ms = kept->expires_ms - now_ms;
	if (kept->token && left_ms > 0) {
		kept->refresh_ms =
			now_ms +
			(RETRY_MS < left_ms / 2 ? RETRY_MS : left_ms / 2);
		err = NULL;
	}
	serve(kept, err);
}

/* Waiting. */

static void enqueue(struct token_calls *list, struct token_call *call)
{
	TAILQ_INSERT_TAIL(list, call, link);
	call->list = list;
}

/* A callback may start and cancel calls; those that come now are for the next
 * time. */
static void serve(struct kept *kept, const struct err *err)
{
	/* Rejected by one callback, it stays there for the others. */
	const struct secret *token = err ? NULL : kept->token;
	struct token_call *call;
	token_fn fn;
	void *arg;

	while ((call = TAILQ_FIRST(&kept->waiting))) {
		TAILQ_REMOVE(&kept->waiting, call, link);
		enqueue(&kept->served, call);
	}
	while ((call = TAILQ_FIRST(&kept->served))) {
		TAILQ_REMOVE(&kept->served, call, link);
		fn = call->fn;
		arg = call->arg;
		free(call);
		kept->serving = true;
		fn(token, err, arg);
		kept->serving = false;
	}
}

static void wake_up(void *arg)
{
	struct kept *kept = arg;

	kept->wake = NULL;
	if (usable(kept))
		serve(kept, NULL);
}

struct token_call *kept_start(struct kept *kept, token_fn fn, void *arg)
{
	struct token_call *call = xcalloc(1, sizeof(*call));

	call->fn = fn;
	call->arg = arg;
	enqueue(&kept->waiting, call);
	if (usable(kept) && !kept->wake)
		kept->wake = timer_start(kept->loop, 0, wake_up, kept);
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
