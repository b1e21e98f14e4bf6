/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests with retries; see retry_request.h. Owns the one retry policy of all
 * credentials; must not know what the answers mean beyond "try again".
 */
#include "google/retry_request.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "engine/backoff.h"
#include "google/key_codec.h"
#include "io/loop.h"

struct retry_request {
	struct retry_env env;
	struct http_request request;
	struct http_call *call;
	struct timer *timer;
	int attempts, attempts_max; /* made so far */
	retry_request_fn fn;
	void *arg;
};

static void retry_request_send(void *arg);
static void retry_request_answered(const struct http_reply *reply, void *arg);
static void retry_request_wait(
	struct retry_request *retry, int64_t retry_after_ms);
static void retry_request_finish(struct retry_request *retry,
	const struct http_reply *reply, const struct err *err);

struct retry_request *retry_request_start(const struct retry_env *env,
	const struct http_request *request, retry_request_fn fn, void *arg)
{
	struct retry_request *retry = xcalloc(1, sizeof(*retry));

	retry->env = *env;
	retry->request = *request;
	retry->attempts_max = request->timeout_ms ? 1 : RETRY_REQUEST_ATTEMPTS;
	if (!request->timeout_ms)
		retry->request.timeout_ms = RETRY_REQUEST_TIMEOUT_MS;
	retry->request.body_max = RETRY_REQUEST_BODY_MAX;
	retry->request.repeatable = true;
	retry->request.secret = true;
	retry->request.urgent = true; /* a revert may wait for it */
	retry->fn = fn;
	retry->arg = arg;
	retry_request_send(retry);
	return retry;
}

static void retry_request_send(void *arg)
{
	struct retry_request *retry = arg;

	retry->timer = NULL;
	retry->attempts++;
	retry->call = http_start(retry->env.http, &retry->request,
		retry_request_answered, retry);
}

static void retry_request_answered(const struct http_reply *reply, void *arg)
{
	struct retry_request *retry = arg;
	struct err err;

	retry->call = NULL;
	if (retry->env.clock)
		http_clock_take(retry->env.clock, reply);
	if (!reply->err && reply->status == 200) {
		retry_request_finish(retry, reply, NULL);
		return;
	}
	if (reply->err)
		err = *reply->err;
	else
		oauth_error_decode(
			reply->status, reply->body, reply->body_len, &err);
	if (err_is_retryable(err.code) && retry->attempts < retry->attempts_max)
		retry_request_wait(retry, reply->retry_after_ms);
	else
		retry_request_finish(retry, reply->err ? NULL : reply, &err);
}

static void retry_request_wait(
	struct retry_request *retry, int64_t retry_after_ms)
{
	const struct backoff backoff = {
		retry->env.backoff_ms, RETRY_REQUEST_AFTER_MAX};
	int64_t wait_ms;

	if (retry_after_ms > RETRY_REQUEST_AFTER_MAX)
		retry_after_ms = RETRY_REQUEST_AFTER_MAX;
	wait_ms = backoff_delay(&backoff, retry->attempts - 1, retry_after_ms,
		loop_rng(retry->env.loop));
	retry->timer = timer_start(
		retry->env.loop, wait_ms, retry_request_send, retry);
}

static void retry_request_finish(struct retry_request *retry,
	const struct http_reply *reply, const struct err *err)
{
	retry_request_fn fn = retry->fn;
	void *arg = retry->arg;

	free(retry);
	fn(reply, err, arg);
}

void retry_request_cancel(struct retry_request **retry)
{
	if (!*retry)
		return;
	http_cancel(&(*retry)->call);
	timer_cancel(&(*retry)->timer);
	free(*retry);
	*retry = NULL;
}
