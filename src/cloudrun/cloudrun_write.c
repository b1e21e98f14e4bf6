/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing traffic: the PATCH, then its operation to the end. Owns telling a
 * write that was not done from one that nobody knows about. Must not send the
 * PATCH again (but after 401) and must not say "not done" when it may be.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "cloudrun/cloudrun_call.h"

#define PATCH_TIMEOUT_MS  15000 /* as Google's own clients */
#define PATCH_BYTES_MAX   (2 * 1024 * 1024)
#define WAIT_MS           30000 /* on their side */
#define WAIT_MARGIN_MS    15000 /* ours is longer by this */
#define POLL_TIMEOUT_MS   10000
#define WAITS_MAX         8 /* at a time */
#define LOOK_MS_MIN       200 /* between two looks at an operation */
#define LOOK_MS_MAX       5000
#define POLL_FAILURES_MAX 4 /* in a row, before it is said to be unknown */

/* It has the service in it. */
struct operation_answer {
	int rc;
	struct operation operation;
	struct err err;
};

static void *operation_answer_decode(const struct http_reply *reply);
static void operation_answer_discard(void *decoded);

static const struct decoder operation_decoder = {
	operation_answer_decode, operation_answer_discard};

static void write_patched(
	struct cloudrun_call *call, const struct http_reply *reply);
static void write_look(struct cloudrun_call *call);
static void write_looked(
	struct cloudrun_call *call, const struct http_reply *reply);
static void write_look_later(struct cloudrun_call *call, int64_t at_least_ms);
static void write_finish(struct cloudrun_call *call, enum write_result result,
	const struct err *err);

static void *operation_answer_decode(const struct http_reply *reply)
{
	struct operation_answer *answer = xcalloc(1, sizeof(*answer));

	answer->rc = operation_decode(
		reply->body, reply->body_len, &answer->operation, &answer->err);
	return answer;
}

static void operation_answer_discard(void *decoded)
{
	struct operation_answer *answer = decoded;

	if (answer->rc == 0)
		operation_fini(&answer->operation);
	free(answer);
}

/* As operation_decode, of a reply that may have been decoded already. */
static int operation_take(const struct http_reply *reply,
	struct operation *operation_r, struct err *err_r)
{
	struct operation_answer *answer =
		request_decoded(reply, &operation_decoder);
	int rc = answer->rc;

	*operation_r = answer->operation;
	*err_r = answer->err;
	free(answer);
	return rc;
}

/* The time is up: what has left us may still be done. */
static void write_late(void *arg)
{
	struct cloudrun_call *call = arg;
	struct err err;

	call->deadline = NULL;
	if (call->follow.operation ||
		(call->request && request_was_sent(call->request))) {
		err_set(&err, ERR_TIMEOUT, "no end of the write was seen");
		write_finish(call, WRITE_UNKNOWN, &err);
	} else {
		err_set(&err, ERR_TIMEOUT, "there was no time to send it");
		write_finish(call, WRITE_BUSY, &err);
	}
}

static void write_hurried(void *arg)
{
	struct cloudrun_call *call = arg;
	struct err err;

	call->deadline = NULL;
	err_set(&err, ERR_TIMEOUT,
		"it was accepted and not followed to its end: something more "
		"urgent came");
	write_finish(call, WRITE_UNKNOWN, &err);
}

void cloudrun_write_hurry(struct cloudrun_call *call)
{
	call->follow.hurry = true;
	if (!call->follow.operation)
		return;
	timer_cancel(&call->deadline);
	call->deadline =
		timer_start(call->cloudrun->api.loop, 0, write_hurried, call);
}

struct cloudrun_call *cloudrun_write_traffic_start(struct cloudrun *cloudrun,
	const struct service *service, const struct traffic *traffic,
	const struct write_times *times, cloudrun_write_fn fn, void *arg)
{
	struct cloudrun_call *call =
		cloudrun_call_new(cloudrun, xstrdup(service->name), arg);
	struct buf body;

	call->fn.write = fn;
	call->decoder = &operation_decoder;
	call->deadline = timer_start(
		cloudrun->api.loop, times->patience_ms, write_late, call);
	if (times->patience_ms <= 0)
		return call;
	buf_init(&body, PATCH_BYTES_MAX);
	traffic_encode(service->name, service->etag, traffic, &body);
	assert(!body.overflow); /* the codec and the plan bound the entries */
	cloudrun_call_send(call, "PATCH",
		xasprintf("%s?updateMask=traffic", service->name),
		buf_steal(&body),
		times->answer_ms ? times->answer_ms : PATCH_TIMEOUT_MS,
		write_patched);
	buf_fini(&body);
	return call;
}

/* What a PATCH without a good answer came to. */
static enum write_result patch_result(const struct http_reply *reply)
{
	if (reply->status == 0 && reply->maybe_sent)
		return WRITE_UNKNOWN;
	if (reply->status == 0)
		return err_is_retryable(reply->err->code) ? WRITE_BUSY
							  : WRITE_REJECTED;
	if (reply->status == 429 || reply->status == 503)
		return WRITE_BUSY;
	if (reply->err->code == ERR_CONFLICT)
		return WRITE_CONFLICT;
	return err_is_retryable(reply->err->code) ? WRITE_UNKNOWN
						  : WRITE_REJECTED;
}

/* Whether the operation ended; then the call is gone. */
static bool write_ended(struct cloudrun_call *call,
	const struct operation *operation, const struct err *err)
{
	if (!operation->done)
		return false;
	if (operation->failed)
		write_finish(call, WRITE_FAILED, err);
	else {
		call->follow.generation = operation->generation;
		write_finish(call, WRITE_DONE, NULL);
	}
	return true;
}

static void write_patched(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	struct operation operation;
	struct err err;

	if (reply->err) {
		write_finish(call, patch_result(reply), reply->err);
		return;
	}
	if (operation_take(reply, &operation, &err) < 0) {
		write_finish(call, WRITE_UNKNOWN, &err);
		return;
	}
	if (write_ended(call, &operation, &err)) {
		operation_fini(&operation);
		return;
	}
	if (operation.name[0] == '\0') { /* accepted; nothing to follow */
		operation_fini(&operation);
		write_finish(call, WRITE_DONE, NULL);
		return;
	}
	call->follow.operation = operation.name;
	if (call->follow.hurry)
		cloudrun_write_hurry(call);
	else
		write_look(call);
}

/* One look: :wait comes back as soon as it is done, so it needs no pause. It
 * keeps a connection busy, though: few at a time, the others poll. */
static void write_look(struct cloudrun_call *call)
{
	struct follow *follow = &call->follow;

	if (follow->polling || call->cloudrun->waits >= WAITS_MAX) {
		cloudrun_call_send(call, "GET", xstrdup(follow->operation),
			NULL, POLL_TIMEOUT_MS, write_looked);
		return;
	}
	follow->waiting = true;
	call->cloudrun->waits++;
	cloudrun_call_send(call, "POST",
		xasprintf("%s:wait", follow->operation),
		xasprintf("{\"timeout\":\"%ds\"}", WAIT_MS / 1000),
		WAIT_MS + WAIT_MARGIN_MS, write_looked);
}

static void write_wait_over(struct cloudrun_call *call)
{
	call->cloudrun->waits -= call->follow.waiting;
	call->follow.waiting = false;
}

static void write_look_again(void *arg)
{
	struct cloudrun_call *call = arg;

	call->timer = NULL;
	write_look(call);
}

static void write_look_later(struct cloudrun_call *call, int64_t at_least_ms)
{
	int64_t delay_ms = LOOK_MS_MIN;
	int i;

	for (i = 0; i < call->follow.looks && delay_ms < LOOK_MS_MAX; i++)
		delay_ms *= 2;
	call->follow.looks++;
	if (delay_ms > LOOK_MS_MAX)
		delay_ms = LOOK_MS_MAX;
	if (delay_ms < at_least_ms)
		delay_ms = at_least_ms;
	call->timer = timer_start(
		call->cloudrun->api.loop, delay_ms, write_look_again, call);
}

/* A look that failed is not a write that failed. */
static void write_look_failed(
	struct cloudrun_call *call, const struct err *err, bool waited)
{
	struct follow *follow = &call->follow;

	if (err_is_retryable(err->code)) {
		follow->polling = true; /* something may cut long requests */
		if (++follow->failures < POLL_FAILURES_MAX)
			write_look_later(call, err->retry_after_ms);
		else
			write_finish(call, WRITE_UNKNOWN, err);
	} else if (waited) { /* no :wait here, or not for us */
		follow->polling = true;
		write_look(call);
	} else if (err->code == ERR_DENIED) { /* it was accepted, though */
		write_finish(call, WRITE_DONE, NULL);
	} else {
		write_finish(call, WRITE_UNKNOWN, err);
	}
}

static void write_looked(
	struct cloudrun_call *call, const struct http_reply *reply)
{
	bool waited = call->follow.waiting;
	struct operation operation;
	struct err err;

	write_wait_over(call);
	if (reply->err) {
		write_look_failed(call, reply->err, waited);
		return;
	}
	if (operation_take(reply, &operation, &err) < 0) {
		write_look_failed(call, &err, waited);
		return;
	}
	call->follow.failures = 0;
	if (!write_ended(call, &operation, &err)) {
		/* A :wait that took its time was the pause. */
		if (reply->latency_us / 1000 >= LOOK_MS_MAX)
			write_look(call);
		else
			write_look_later(call, 0);
	}
	operation_fini(&operation);
}

static void write_finish(struct cloudrun_call *call, enum write_result result,
	const struct err *err)
{
	cloudrun_write_fn fn = call->fn.write;
	void *arg = call->arg;
	int64_t generation = call->follow.generation;
	struct err told;

	err = cloudrun_call_err(call, "writing the traffic of", err, &told);
	cloudrun_call_free(call);
	fn(result, generation, err, arg);
}
