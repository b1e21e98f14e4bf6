/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream that is made again; see follow.h.
 *
 *   follow_connect ─ follow_named ─ follow_part … ─ follow_ended
 *          └────────────── a pause ───────────────────┘
 */
#include "remote/follow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_status.h"
#include "base/xalloc.h"
#include "engine/backoff.h"
#include "io/http.h"
#include "io/loop.h"
#include "remote/bearer.h"
#include "remote/server_url.h"
#include "remote/wire.h"

#define SILENCE_MS   45000 /* of a connection; a heartbeat comes each 15 s */
#define LIFE_MS      (24 * 3600 * INT64_C(1000)) /* the daemon ends it sooner */
#define LASTING_MS   10000 /* of a connection that is not cut each time */
#define SAY_AFTER_MS 3000 /* for which nobody is told of an outage */
#define TYPE         "text/event-stream"

static const struct backoff pauses = {.base_ms = 500, .cap_ms = 5000};

struct follow {
	struct wire *wire;
	char *path;
	struct follow_events events;
	struct event_stream stream;
	struct bearer_call *naming;
	struct http_call *call;
	struct timer *pause, *silence;
	int64_t lost_ms; /* since when there is no connection; 0: there is … */
	int64_t open_ms; /* … since then */
	int attempt;
	bool was_told, was_named_anew, is_open, has_failed;
	struct err err;
};

static void follow_connect(void *arg);

/* ---- made and freed ---- */

struct follow *follow_new(struct wire *wire, const char *path,
	const char *after, const struct follow_events *events)
{
	struct follow *follow = xcalloc(1, sizeof(*follow));

	follow->wire = wire;
	follow->path = xstrdup(path);
	follow->events = *events;
	follow->lost_ms = loop_now(wire_loop(wire));
	event_stream_init(&follow->stream);
	snprintf(follow->stream.place, sizeof(follow->stream.place), "%s",
		after);
	follow->pause = timer_start(wire_loop(wire), 0, follow_connect, follow);
	return follow;
}

void follow_free(struct follow **follow_p)
{
	struct follow *follow = *follow_p;

	*follow_p = NULL;
	if (!follow)
		return;
	bearer_cancel(&follow->naming);
	http_cancel(&follow->call);
	timer_cancel(&follow->pause);
	timer_cancel(&follow->silence);
	event_stream_fini(&follow->stream);
	free(follow->path);
	free(follow);
}

bool follow_is_open(const struct follow *follow)
{
	return follow->is_open;
}

const struct err *follow_failed(const struct follow *follow)
{
	return follow->has_failed ? &follow->err : NULL;
}

/* ---- a connection that is no more ---- */

static void follow_fail(struct follow *follow)
{
	follow->has_failed = true;
	wire_wake(follow->wire);
}

/* Of `err`, which may pass. */
static void follow_lost(struct follow *follow)
{
	struct loop *loop = wire_loop(follow->wire);
	int64_t now_ms = loop_now(loop);

	timer_cancel(&follow->silence);
	if (follow->is_open && now_ms - follow->open_ms > LASTING_MS)
		follow->attempt = 0;
	follow->is_open = false;
	if (!follow->lost_ms)
		follow->lost_ms = now_ms;
	if (now_ms - follow->lost_ms >= WIRE_FOLLOW_MS) {
		follow_fail(follow);
		return;
	}
	if (!follow->was_told && now_ms - follow->lost_ms >= SAY_AFTER_MS) {
		follow->was_told = true;
		wire_say(follow->wire,
			"%s: it is tried again, and goes on "
			"where it was",
			follow->err.text);
	}
	follow->pause = timer_start(loop,
		backoff_delay(&pauses, follow->attempt++,
			follow->err.retry_after_ms, loop_rng(loop)),
		follow_connect, follow);
}

static void follow_silent(void *arg)
{
	struct follow *follow = arg;

	follow->silence = NULL;
	http_cancel(&follow->call);
	err_set(&follow->err, ERR_TIMEOUT, "%s has said nothing for %d s",
		wire_url(follow->wire)->said, SILENCE_MS / 1000);
	follow_lost(follow);
}

static void follow_listen(struct follow *follow)
{
	timer_cancel(&follow->silence);
	follow->silence = timer_start(
		wire_loop(follow->wire), SILENCE_MS, follow_silent, follow);
}

/* ---- a connection ---- */

static bool follow_part(const char *bytes, size_t len, void *arg)
{
	struct follow *follow = arg;

	if (!follow->is_open) {
		follow->is_open = true;
		follow->lost_ms = 0;
		follow->open_ms = loop_now(wire_loop(follow->wire));
		follow->was_named_anew = false;
		if (follow->was_told)
			wire_say(follow->wire, "%s answers again",
				wire_url(follow->wire)->said);
		follow->was_told = false;
		follow->events.opened(follow->events.arg);
	}
	follow_listen(follow);
	return event_stream_feed(&follow->stream, bytes, len,
		follow->events.event, follow->events.arg);
}

/* Not by a daemon that was stopped, is behind a proxy, or begins again. */
static void follow_refused(
	struct follow *follow, const struct http_reply *reply)
{
	struct remote_problem problem;

	if (reply->status == 401 && !follow->was_named_anew) {
		follow->was_named_anew = true;
		bearer_reject(wire_bearer(follow->wire));
		follow->pause = timer_start(
			wire_loop(follow->wire), 0, follow_connect, follow);
		return;
	}
	remote_problem_decode(reply->body, reply->body_len, &problem);
	(void)!wire_problem(
		follow->wire, reply->status, &problem, &follow->err);
	follow->err.retry_after_ms = reply->retry_after_ms;
	if (wire_may_pass(reply->status) || reply->status == 429)
		follow_lost(follow);
	else
		follow_fail(follow);
}

static void follow_ended(const struct http_reply *reply, void *arg)
{
	struct follow *follow = arg;

	follow->call = NULL;
	if (reply->err && reply->err->code == ERR_LIMIT) {
		err_set(&follow->err, ERR_PROTOCOL,
			"%s sends events that make no sense here: is it the "
			"same version?",
			wire_url(follow->wire)->said);
		follow_fail(follow);
	} else if (reply->err) {
		follow->err = *reply->err;
		follow_lost(follow);
	} else if (reply->status == 200) {
		err_set(&follow->err, ERR_UNAVAILABLE,
			"%s has ended the connection",
			wire_url(follow->wire)->said);
		follow_lost(follow);
	} else {
		follow_refused(follow, reply);
	}
}

static void follow_named(
	const struct secret *token, const struct err *err, void *arg)
{
	struct follow *follow = arg;
	const struct server_url *url = wire_url(follow->wire);
	char *text = xasprintf("%s%s", url->base, follow->path);
	const struct http_header headers[] = {
		{"Accept", TYPE}, {"Last-Event-ID", follow->stream.place}};
	const struct http_request request = {
		.url = text,
		.headers = headers,
		.n_headers = *follow->stream.place ? 2 : 1,
		.bearer = token,
		.timeout_ms = LIFE_MS,
		.unix_socket = url->unix_socket,
		.part = follow_part,
	};

	follow->naming = NULL;
	if (!err) {
		event_stream_restart(&follow->stream);
		follow_listen(follow);
		follow->call = http_start(wire_http(follow->wire), &request,
			follow_ended, follow);
	} else {
		follow->err = *err;
		if (err_is_retryable(err->code))
			follow_lost(follow);
		else
			follow_fail(follow);
	}
	free(text);
}

static void follow_connect(void *arg)
{
	struct follow *follow = arg;

	follow->pause = NULL;
	follow->naming =
		bearer_start(wire_bearer(follow->wire), follow_named, follow);
}
