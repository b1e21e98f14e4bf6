/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client on libcurl's multi interface; see http.h. It owns the calls from
 * their start to their callback, the connections and who may use them next.
 *
 * libcurl's callbacks only record: they start, cancel and free nothing, and so
 * none of what may come in the middle of a callback of ours is inside libcurl.
 * Every entry from the loop goes one way:
 *
 *   on_socket, on_timeout, on_turn -> advance -> collect -> complete_all
 *
 * `advance` lets libcurl work, `collect` detaches what is finished, and only
 * then `complete_all` runs callbacks, which may start, cancel and free. When they
 * take long the rest of them runs in the next turn.
 */
#include "io/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "io/http_call.h"
#include "io/http_text.h"
#include "io/http_url.h"
#include "io/loop.h"

#define SPARE_HANDLES_MAX 32 /* kept for the next calls */
#define COMPLETE_US_MAX   15000 /* of callbacks in a row; then other things */

TAILQ_HEAD(call_list, http_call);

/* A scheme, host and port with the calls that use it or wait for it. */
struct host {
	TAILQ_ENTRY(host) link;
	struct call_list waiting;
	int n_calls, n_active;
	char origin[HTTP_HOST_KEY_MAX];
};

struct http {
	struct loop *loop;
	CURLM *multi;
	CURLSH *share;
	struct timer *timer; /* libcurl's only one; it may come too early */
	int64_t timer_ms, wanted_ms; /* when it comes, and when it should */
	struct timer *more; /* callbacks that were left for the next turn */
	struct gap_listener *gaps;
	TAILQ_HEAD(host_list, host) hosts; /* next to get a slot first */
	struct call_list active, done;
	int n_active, n_waiting;
	int connections_max, host_max;
	CURL *spare[SPARE_HANDLES_MAX];
	int n_spare;
	bool turn_wanted; /* on_turn is deferred */
	bool completing; /* callbacks run: nothing is freed under them */
	bool freed; /* by one of them */
};

static void on_timeout(void *arg);
static void on_turn(void *arg);

/* At the end of this turn: once for all that callbacks started. */
static void turn_want(struct http *http)
{
	if (http->turn_wanted)
		return;
	http->turn_wanted = true;
	loop_defer(http->loop, on_turn, http);
}

/* ---- libcurl's two callbacks: interest and time. ---- */

static void on_socket(int fd, int what, void *arg);

static int curl_wants_socket(
	CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http *http = arg;
	struct watch *watch = socket_arg;
	int interest = (what & CURL_POLL_IN ? WATCH_READ : 0) |
		       (what & CURL_POLL_OUT ? WATCH_WRITE : 0);

	watch_cancel(&watch);
	/* CURL_POLL_REMOVE has the bits of both: it is told apart by value. */
	if (what != CURL_POLL_REMOVE && interest)
		watch = watch_start(http->loop, fd, interest, on_socket, http);
	curl_multi_assign(http->multi, fd, watch);
	return 0;
}

static void timer_arm(struct http *http)
{
	http->timer_ms = http->wanted_ms;
	http->timer = timer_start(http->loop,
		http->wanted_ms - loop_now(http->loop), on_timeout, http);
}

static int curl_wants_timer(CURLM *multi, long ms, void *arg)
{
	struct http *http = arg;

	if (ms < 0) {
		timer_cancel(&http->timer);
		return 0;
	}
	http->wanted_ms = loop_now(http->loop) + ms;
	/* With many calls the time changes with each of them, mostly to a later
	 * one: then the timer finds that out when it comes. */
	if (http->timer && http->timer_ms <= http->wanted_ms)
		return 0;
	timer_cancel(&http->timer);
	timer_arm(http);
	return 0;
}

/* ---- Hosts and slots. ---- */

static struct host *host_join(struct http *http, const char *origin)
{
	struct host *host;

	TAILQ_FOREACH(host, &http->hosts, link) {
		if (!strcmp(host->origin, origin))
			break;
	}
	if (!host) {
		host = xcalloc(1, sizeof(*host));
		TAILQ_INIT(&host->waiting);
		strcpy(host->origin, origin);
		TAILQ_INSERT_TAIL(&http->hosts, host, link);
	}
	host->n_calls++;
	return host;
}

/* The host goes with its last call. */
static void host_leave(struct http_call *call)
{
	struct host *host = call->host;

	if (host && --host->n_calls == 0) {
		TAILQ_REMOVE(&call->http->hosts, host, link);
		free(host);
	}
	call->host = NULL;
}

/* The next call of a host, when there is a slot for it. */
static struct http_call *host_next(struct http *http, struct host *host)
{
	struct http_call *call = TAILQ_FIRST(&host->waiting);
	int extra = call && call->request.urgent ? HTTP_URGENT_EXTRA : 0;

	if (!call || host->n_active >= http->host_max + extra ||
		http->n_active >= http->connections_max + extra)
		return NULL;
	return call;
}

static void on_wait_over(void *arg);

/* Urgent calls go before all that are not, in their own order. */
static void call_wait(struct http *http, struct http_call *call)
{
	struct http_call *next;

	call->place = WAITING;
	call->host = host_join(http, call->origin);
	call->deadline_ms = loop_now(http->loop) + call->request.timeout_ms;
	call->wait_timer = timer_start(
		http->loop, call->request.timeout_ms, on_wait_over, call);
	http->n_waiting++;
	next = NULL;
	if (call->request.urgent) {
		TAILQ_FOREACH(next, &call->host->waiting, link) {
			if (!next->request.urgent)
				break;
		}
	}
	if (next)
		TAILQ_INSERT_BEFORE(next, call, link);
	else
		TAILQ_INSERT_TAIL(&call->host->waiting, call, link);
}

/* ---- From place to place. ---- */

static CURL *easy_take(struct http *http)
{
	CURL *easy =
		http->n_spare ? http->spare[--http->n_spare] : curl_easy_init();

	if (!easy)
		abort(); /* memory */
	return easy;
}

static void easy_give(struct http *http, CURL *easy)
{
	if (http->n_spare == SPARE_HANDLES_MAX) {
		curl_easy_cleanup(easy);
		return;
	}
	curl_easy_reset(easy);
	http->spare[http->n_spare++] = easy;
}

/* Out of the list it is in, out of libcurl's hands, and off its slot. */
static void call_detach(struct http_call *call)
{
	struct http *http = call->http;

	switch (call->place) {
	case WAITING:
		timer_cancel(&call->wait_timer);
		TAILQ_REMOVE(&call->host->waiting, call, link);
		http->n_waiting--;
		break;
	case ACTIVE:
		curl_multi_remove_handle(http->multi, call->easy);
		TAILQ_REMOVE(&http->active, call, link);
		call->host->n_active--;
		http->n_active--;
		if (http->n_waiting)
			turn_want(http); /* a slot is free */
		break;
	case DONE:
		TAILQ_REMOVE(&http->done, call, link);
		break;
	case COMPLETING:
		break;
	}
	host_leave(call);
}

static void call_begin(struct http *http, struct http_call *call)
{
	int64_t left_ms = call->deadline_ms - loop_now(http->loop);
	struct host *host = call->host;

	timer_cancel(&call->wait_timer);
	TAILQ_REMOVE(&host->waiting, call, link);
	http->n_waiting--;
	call->place = ACTIVE;
	TAILQ_INSERT_TAIL(&http->active, call, link);
	host->n_active++;
	http->n_active++;
	call_setup(call, easy_take(http), http->share);
	curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS,
		(long)(left_ms > 1 ? left_ms : 1));
	if (curl_multi_add_handle(http->multi, call->easy))
		abort(); /* memory */
}

/* Each host that wants one gets a slot and goes behind the others; true when
 * a slot was given. */
static bool begin_round(struct http *http)
{
	struct host *host, *next, *last;
	struct http_call *call;
	bool given = false;

	last = TAILQ_LAST(&http->hosts, host_list);
	for (host = TAILQ_FIRST(&http->hosts); host; host = next) {
		next = host == last ? NULL : TAILQ_NEXT(host, link);
		call = host_next(http, host);
		if (!call)
			continue;
		call_begin(http, call);
		TAILQ_REMOVE(&http->hosts, host, link);
		TAILQ_INSERT_TAIL(&http->hosts, host, link);
		given = true;
	}
	return given;
}

static void call_finished(struct http_call *call)
{
	call_detach(call);
	call->place = DONE;
	TAILQ_INSERT_TAIL(&call->http->done, call, link);
}

static void call_complete(struct http_call *call)
{
	struct http_reply reply = {
		.status = call->status,
		.body = call->body.data,
		.body_len = call->body.len,
		.content_type = "",
		.latency_us = call->latency_us,
		.maybe_sent = call->sent && call->err,
		.err = call->err,
		.call = call,
	};
	const char *type = http_reply_header(&reply, "Content-Type");
	int64_t date_ms = http_reply_date_ms(&reply);

	if (type)
		reply.content_type = type;
	/* Its own clock is what a date in Retry-After goes by, not ours. */
	reply.retry_after_ms =
		http_retry_after_parse(http_reply_header(&reply, "Retry-After"),
			date_ms ? date_ms : loop_wall_ms(call->http->loop));
	call->place = COMPLETING;
	call->fn(&reply, call->arg);
	if (call->easy)
		easy_give(call->http, call->easy);
	call_free(call);
}

static void http_destroy(struct http *http)
{
	while (http->n_spare)
		curl_easy_cleanup(http->spare[--http->n_spare]);
	curl_multi_cleanup(http->multi);
	curl_share_cleanup(http->share);
	timer_cancel(&http->timer);
	timer_cancel(&http->more);
	loop_gap_cancel(&http->gaps);
	loop_defer_cancel(http->loop, on_turn, http);
	free(http);
}

static void on_more(void *arg);

static void complete_all(struct http *http)
{
	int64_t until_us = loop_now_us(http->loop) + COMPLETE_US_MAX;
	struct http_call *call;

	http->completing = true;
	while ((call = TAILQ_FIRST(&http->done))) {
		call_detach(call);
		call_complete(call);
		if (loop_now_us(http->loop) >= until_us)
			break;
	}
	http->completing = false;
	if (http->freed)
		http_destroy(http);
	else if (!TAILQ_EMPTY(&http->done) && !http->more)
		http->more = timer_start(http->loop, 0, on_more, http);
}

static void on_more(void *arg)
{
	struct http *http = arg;

	http->more = NULL;
	complete_all(http);
}

/* ---- Entries from the loop. ---- */

/* An urgent call does not wait for what else this turn has to do: its bytes
 * leave now, if there is a slot and a kept connection. What finishes meanwhile
 * is collected at the end of the turn. */
static void call_hurry(struct http *http, struct http_call *call)
{
	int running;

	if (host_next(http, call->host) != call)
		return;
	call_begin(http, call);
	if (curl_multi_socket_action(
		    http->multi, CURL_SOCKET_TIMEOUT, 0, &running))
		abort(); /* memory, or our own misuse */
}

static void collect(struct http *http)
{
	struct http_call *call;
	CURLcode code;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(http->multi, &left))) {
		if (msg->msg != CURLMSG_DONE)
			continue;
		code = msg->data.result;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
		call_result(call, code);
		call_finished(call);
	}
}

static void advance(struct http *http, curl_socket_t fd, int what)
{
	int running;

	if (curl_multi_socket_action(http->multi, fd, what, &running))
		abort(); /* memory, or our own misuse */
	collect(http);
	complete_all(http); /* may free http: nothing after this */
}

static void on_socket(int fd, int what, void *arg)
{
	advance(arg, fd,
		(what & WATCH_READ ? CURL_CSELECT_IN : 0) |
			(what & WATCH_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_timeout(void *arg)
{
	struct http *http = arg;

	http->timer = NULL;
	if (http->wanted_ms > loop_now(http->loop))
		timer_arm(http);
	else
		advance(http, CURL_SOCKET_TIMEOUT, 0);
}

static void on_turn(void *arg)
{
	struct http *http = arg;

	http->turn_wanted = false;
	while (http->n_waiting && begin_round(http))
		;
	advance(http, CURL_SOCKET_TIMEOUT, 0);
}

/* libcurl's clock stood still with the machine: it would go on waiting on a
 * connection whose other end has long forgotten it. */
static void on_gap(const struct loop_gap *gap, void *arg)
{
	struct http *http = arg;
	struct http_call *call, *next;

	for (call = TAILQ_FIRST(&http->active); call; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->deadline_ms > loop_now(http->loop))
			continue;
		call_result(call, CURLE_OPERATION_TIMEDOUT);
		call_finished(call);
	}
	turn_want(http);
}

static void on_wait_over(void *arg)
{
	struct http_call *call = arg;
	struct http *http = call->http;

	call_waited_too_long(call);
	call_finished(call);
	complete_all(http);
}

/* ---- The public part. ---- */

static int curl_start(struct err *err_r)
{
	static bool started;
	CURLcode rc;

	if (started)
		return 0;
	rc = curl_global_init(CURL_GLOBAL_DEFAULT);
	if (rc)
		return err_set(err_r, ERR_INTERNAL,
			"libcurl does not start: %s", curl_easy_strerror(rc));
	started = true;
	return 0;
}

struct http *http_new(struct loop *loop, struct err *err_r)
{
	struct http *http;

	if (curl_start(err_r))
		return NULL;
	http = xcalloc(1, sizeof(*http));
	http->loop = loop;
	TAILQ_INIT(&http->hosts);
	TAILQ_INIT(&http->active);
	TAILQ_INIT(&http->done);
	http->gaps = loop_on_gap(loop, on_gap, http);
	http->multi = curl_multi_init();
	http->share = curl_share_init();
	if (!http->multi || !http->share) {
		err_set(err_r, ERR_IO,
			"libcurl does not start: no memory or no descriptor "
			"is left");
		http_free(&http);
		return NULL;
	}
	curl_share_setopt(
		http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	curl_multi_setopt(
		http->multi, CURLMOPT_SOCKETFUNCTION, curl_wants_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(
		http->multi, CURLMOPT_TIMERFUNCTION, curl_wants_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	http_allow_connections(http, HTTP_CONNECTIONS_MAX);
	http->host_max = HTTP_HOST_MAX;
	return http;
}

void http_allow_connections(struct http *http, int n)
{
	http->connections_max = http->host_max = n;
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)n);
}

static void call_drop(struct http_call *call)
{
	call_detach(call);
	if (call->easy)
		easy_give(call->http, call->easy);
	call_free(call);
}

void http_free(struct http **httpp)
{
	struct http *http = *httpp;
	struct http_call *call;
	struct host *host;

	if (!http)
		return;
	*httpp = NULL;
	while ((call = TAILQ_FIRST(&http->done)))
		call_drop(call);
	while ((call = TAILQ_FIRST(&http->active)))
		call_drop(call);
	while ((host = TAILQ_FIRST(&http->hosts)))
		call_drop(TAILQ_FIRST(&host->waiting));
	if (http->completing)
		http->freed = true; /* complete_all does the rest */
	else
		http_destroy(http);
}

struct http_call *http_start(struct http *http,
	const struct http_request *request, http_fn fn, void *arg)
{
	struct http_call *call = call_new(request);

	assert(!http->freed);
	call->http = http;
	call->fn = fn;
	call->arg = arg;
	if (call->err) {
		call->place = DONE;
		TAILQ_INSERT_TAIL(&http->done, call, link);
	} else {
		call_wait(http, call);
		if (call->request.urgent)
			call_hurry(http, call);
	}
	turn_want(http);
	return call;
}

void http_cancel(struct http_call **call)
{
	if (*call && (*call)->place != COMPLETING)
		call_drop(*call);
	*call = NULL;
}

const char *http_reply_header(const struct http_reply *reply, const char *name)
{
	struct curl_header *header;

	if (!reply->call || !reply->call->easy ||
		curl_easy_header(
			reply->call->easy, name, 0, CURLH_HEADER, -1, &header))
		return NULL;
	return header->value;
}

int64_t http_reply_date_ms(const struct http_reply *reply)
{
	return http_date_parse(http_reply_header(reply, "Date"));
}
