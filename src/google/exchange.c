/*
 * Requests with retries; see exchange.h. Owns the one retry policy of all
 * credentials; must not know what the answers mean beyond "try again".
 */
#include "google/exchange.h"

#include <stdlib.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "google/key_codec.h"
#include "io/clock.h"
#include "io/loop.h"

struct exchange {
	struct exchange_env env;
	struct http_request request;
	struct http_call *call;
	struct timer *timer;
	struct rng rng;
	int attempts, attempts_max; /* made so far */
	exchange_fn fn;
	void *arg;
};

static void exchange_send(void *arg);
static void exchange_answered(const struct http_reply *reply, void *arg);
static void exchange_wait(struct exchange *exchange, int64_t retry_after_ms);
static void exchange_finish(struct exchange *exchange,
	const struct http_reply *reply, const struct err *err);

struct exchange *exchange_start(const struct exchange_env *env,
	const struct http_request *request, exchange_fn fn, void *arg)
{
	struct exchange *exchange = xcalloc(1, sizeof(*exchange));

	exchange->env = *env;
	exchange->request = *request;
	exchange->attempts_max = request->timeout_ms ? 1 : EXCHANGE_ATTEMPTS;
	if (!request->timeout_ms)
		exchange->request.timeout_ms = EXCHANGE_TIMEOUT_MS;
	exchange->request.body_max = EXCHANGE_BODY_MAX;
	exchange->request.repeatable = true;
	exchange->request.secret = true;
	exchange->request.urgent = true; /* a revert may wait for it */
	exchange->fn = fn;
	exchange->arg = arg;
	rng_init(&exchange->rng, (uint64_t)clock_wall_us());
	exchange_send(exchange);
	return exchange;
}

static void exchange_send(void *arg)
{
	struct exchange *exchange = arg;

	exchange->timer = NULL;
	exchange->attempts++;
	exchange->call = http_start(exchange->env.http, &exchange->request,
		exchange_answered, exchange);
}

static void exchange_answered(const struct http_reply *reply, void *arg)
{
	struct exchange *exchange = arg;
	struct err err;

	exchange->call = NULL;
	if (exchange->env.clock)
		http_clock_take(exchange->env.clock, reply);
	if (!reply->err && reply->status == 200) {
		exchange_finish(exchange, reply, NULL);
		return;
	}
	if (reply->err)
		err = *reply->err;
	else
		oauth_error_decode(
			reply->status, reply->body, reply->body_len, &err);
	if (err_is_retryable(err.code) &&
		exchange->attempts < exchange->attempts_max)
		exchange_wait(exchange, reply->retry_after_ms);
	else
		exchange_finish(exchange, reply->err ? NULL : reply, &err);
}

static void exchange_wait(struct exchange *exchange, int64_t retry_after_ms)
{
	int64_t wait_ms = exchange->env.backoff_ms << (exchange->attempts - 1);

	wait_ms += (int64_t)((rng_unit(&exchange->rng) - 0.5) * 0.2 *
			     (double)wait_ms);
	if (retry_after_ms > EXCHANGE_RETRY_AFTER_MAX)
		retry_after_ms = EXCHANGE_RETRY_AFTER_MAX;
	if (wait_ms < retry_after_ms)
		wait_ms = retry_after_ms;
	exchange->timer = timer_start(
		exchange->env.loop, wait_ms, exchange_send, exchange);
}

static void exchange_finish(struct exchange *exchange,
	const struct http_reply *reply, const struct err *err)
{
	exchange_fn fn = exchange->fn;
	void *arg = exchange->arg;

	free(exchange);
	fn(reply, err, arg);
}

void exchange_cancel(struct exchange **exchange)
{
	if (!*exchange)
		return;
	http_cancel(&(*exchange)->call);
	timer_cancel(&(*exchange)->timer);
	free(*exchange);
	*exchange = NULL;
}
