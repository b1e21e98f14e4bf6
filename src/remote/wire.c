/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a daemon; see wire.h.
 *
 *   wire_ask ─ wire_attempt ─ wire_named ─ wire_answered
 *       └──── once more, by another token or after a pause ────┘
 */
#include "remote/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/http_status.h"
#include "base/xalloc.h"
#include "engine/backoff.h"
#include "io/http.h"
#include "io/loop.h"
#include "io/random.h"
#include "remote/bearer.h"

#define SAY_AFTER_MS       3000 /* for which nobody is told of an outage */
#define RETRY_AFTER_MS_MAX 10000
#define HEADERS            2
#define ENOUGH             2 /* interrupts, of who may have begun something */

static const struct backoff pauses = {.base_ms = 400, .cap_ms = 3000};

struct wire {
	struct arena arena;
	struct server_url url;
	wire_say_fn say;
	struct loop *loop;
	struct http *http;
	struct bearer *bearer;
	struct timer *alarm; /* of wire_turn */
	struct buf body; /* of the last answer */
	/* The attempt under way. */
	const struct wire_ask *ask; /* NULL: nothing is asked for */
	struct bearer_call *naming;
	struct http_call *call;
	bool is_over, maybe_sent;
	int n_interrupts;
	int64_t retry_after_ms;
	int status; /* 0: `err` says why there is none */
	struct err err;
};

/* ---- made and freed ---- */

struct wire *wire_new(const char *server, const char *token_file,
	wire_say_fn say, struct err *err_r)
{
	struct wire *wire = xcalloc(1, sizeof(*wire));

	arena_init(&wire->arena);
	buf_init(&wire->body, WIRE_BODY_MAX);
	wire->say = say;
	if (server_url_parse(server, &wire->arena, &wire->url, err_r) < 0)
		goto bad;
	wire->loop = loop_new(err_r);
	if (!wire->loop)
		goto bad;
	wire->http = http_new(wire->loop, err_r);
	if (!wire->http)
		goto bad;
	wire->bearer = bearer_new(
		wire->loop, wire->http, &wire->url, token_file, err_r);
	if (wire->bearer)
		return wire;
bad:
	wire_free(&wire);
	return NULL;
}

void wire_free(struct wire **wire_p)
{
	struct wire *wire = *wire_p;

	*wire_p = NULL;
	if (!wire)
		return;
	timer_cancel(&wire->alarm);
	bearer_cancel(&wire->naming);
	http_cancel(&wire->call);
	bearer_free(&wire->bearer);
	http_free(&wire->http);
	loop_free(&wire->loop);
	buf_fini(&wire->body);
	arena_fini(&wire->arena);
	free(wire);
}

struct loop *wire_loop(struct wire *wire)
{
	return wire->loop;
}

struct http *wire_http(struct wire *wire)
{
	return wire->http;
}

struct bearer *wire_bearer(struct wire *wire)
{
	return wire->bearer;
}

const struct server_url *wire_url(const struct wire *wire)
{
	return &wire->url;
}

void wire_say(struct wire *wire, const char *fmt, ...)
{
	struct err line;
	va_list args;

	va_start(args, fmt);
	err_setv(&line, ERR_UNAVAILABLE, fmt, args);
	va_end(args);
	wire->say(line.text);
}

void wire_make_key(char key_r[WIRE_KEY_MAX])
{
	unsigned char bytes[16];
	size_t n = 0;

	random_bytes(bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		n += (size_t)snprintf(
			key_r + n, WIRE_KEY_MAX - n, "%02x", bytes[i]);
}

/* ---- turning ---- */

static void wire_alarm(void *arg)
{
	struct wire *wire = arg;

	wire->alarm = NULL;
	loop_stop(wire->loop);
}

void wire_wake(struct wire *wire)
{
	loop_stop(wire->loop);
}

void wire_interrupt(struct wire *wire)
{
	bool begins = wire->ask && wire->ask->begins && !wire->is_over;

	wire->n_interrupts++;
	if (begins && wire->n_interrupts >= ENOUGH) {
		wire_give_up(wire);
		return;
	}
	if (begins)
		wire_say(wire,
			"the answer of %s is waited for, which says whether it "
			"has begun; a second signal does not wait",
			wire->url.said);
	wire_wake(wire);
}

int wire_turn(struct wire *wire, int64_t ms, struct err *err_r)
{
	int rc;

	wire->alarm = timer_start(wire->loop, ms, wire_alarm, wire);
	rc = loop_run(wire->loop, err_r);
	timer_cancel(&wire->alarm);
	return rc;
}

/* ---- what an answer means ---- */

bool wire_may_pass(int status)
{
	return status == 502 || status == 503 || status == 504;
}

static const struct {
	const char *code;
	enum err_code err;
} codes[] = {
	{"comment-needed", ERR_REFUSED},
	{"bad-request", ERR_USAGE},
	{"policy-invalid", ERR_POLICY},
	{"key-used", ERR_INTERNAL},
};

static enum err_code code_of(int status, const char *code)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		if (!strcmp(codes[i].code, code))
			return codes[i].err;
	if (*code && (status == 409 || status == 429))
		return ERR_REFUSED;
	return http_status_code(status);
}

int wire_problem(const struct wire *wire, int status,
	const struct remote_problem *problem, struct err *err_r)
{
	const char *said = wire->url.said;

	if (status == 401) /* what it says may end in what looks like a token */
		return err_set(err_r, ERR_AUTH,
			"%s does not know who asks: %s (it says: %.300s)", said,
			bearer_remedy(wire->bearer), problem->detail);
	if (status / 100 == 3)
		return err_set(err_r, ERR_PROTOCOL,
			"%s leads elsewhere (%d), where nobody is told who we "
			"are: give the address that it leads to",
			said, status);
	if (*problem->code)
		return err_set(err_r, code_of(status, problem->code), "%s: %s",
			said, problem->detail);
	return err_set(err_r, code_of(status, ""), "%s answers with %d %s: %s",
		said, status, http_status_reason(status), problem->detail);
}

/* ---- one attempt ---- */

static void wire_done(struct wire *wire)
{
	wire->is_over = true;
	loop_stop(wire->loop);
}

static void wire_answered(const struct http_reply *reply, void *arg)
{
	struct wire *wire = arg;

	wire->call = NULL;
	wire->status = reply->status;
	wire->maybe_sent = reply->maybe_sent;
	wire->retry_after_ms = reply->retry_after_ms;
	if (reply->err)
		wire->err = *reply->err;
	buf_clear(&wire->body);
	buf_add(&wire->body, reply->body, reply->body_len);
	wire_done(wire);
}

static void wire_named(
	const struct secret *token, const struct err *err, void *arg)
{
	struct wire *wire = arg;
	const struct wire_ask *ask = wire->ask;
	char *url = xasprintf("%s%s", wire->url.base, ask->path);
	const struct http_header headers[HEADERS] = {
		{"Accept", "application/json"}, {"Idempotency-Key", ask->key}};
	const struct http_request request = {
		.method = ask->method,
		.url = url,
		.headers = headers,
		.n_headers = ask->key ? 2 : 1,
		.bearer = token,
		.content_type = ask->body ? "application/json" : NULL,
		.body = ask->body,
		.body_len = ask->body ? strlen(ask->body) : 0,
		.timeout_ms =
			ask->timeout_ms ? ask->timeout_ms : WIRE_TIMEOUT_MS,
		.body_max = WIRE_BODY_MAX,
		.unix_socket = wire->url.unix_socket,
		.repeatable = ask->key != NULL,
	};

	wire->naming = NULL;
	if (err) {
		wire->err = *err;
		wire->status = 0;
		wire->maybe_sent = false;
		wire_done(wire);
	} else {
		wire->call =
			http_start(wire->http, &request, wire_answered, wire);
	}
	free(url);
}

static int wire_attempt(
	struct wire *wire, const struct wire_ask *ask, struct err *err_r)
{
	wire->ask = ask;
	wire->is_over = false;
	wire->naming = bearer_start(wire->bearer, wire_named, wire);
	while (!wire->is_over)
		if (loop_run(wire->loop, err_r) < 0)
			return -1;
	return 0;
}

void wire_give_up(struct wire *wire)
{
	bearer_cancel(&wire->naming);
	http_cancel(&wire->call);
	wire->status = 0;
	wire->maybe_sent = true;
	err_set(&wire->err, ERR_UNAVAILABLE, "the answer was not waited for");
	wire->n_interrupts = ENOUGH;
	wire_done(wire);
}

/* ---- until it is answered ---- */

struct patience {
	int64_t since_ms;
	int attempt; /* after which it is waited next */
	bool was_told, was_named_anew;
	bool may_have_begun;
};

/* Sent before, and that is still under way. */
static bool is_under_way(const struct wire *wire)
{
	struct remote_problem problem;

	if (wire->status != 409 || !wire->ask->key)
		return false;
	remote_problem_decode(wire->body.data, wire->body.len, &problem);
	return !strcmp(problem.code, "key-in-use");
}

/* Whether that is not the answer to what was asked. */
static bool passes(const struct wire *wire)
{
	return wire->status ? wire_may_pass(wire->status) || is_under_way(wire)
			    : err_is_retryable(wire->err.code);
}

static bool is_interrupted(
	const struct wire *wire, const struct patience *patience)
{
	return wire->n_interrupts >= (patience->may_have_begun ? ENOUGH : 1);
}

static void note_attempt(const struct wire *wire, struct patience *patience)
{
	if (wire->ask->begins &&
		(wire->status ? passes(wire) : wire->maybe_sent))
		patience->may_have_begun = true;
}

static bool may_ask_again(
	const struct wire *wire, const struct patience *patience)
{
	const struct wire_ask *ask = wire->ask;

	return passes(wire) && !is_interrupted(wire, patience) &&
	       (ask->key || !ask->body || !wire->maybe_sent) &&
	       loop_now(wire->loop) - patience->since_ms < ask->patience_ms;
}

static void tell_outage(struct wire *wire, struct patience *patience)
{
	if (patience->was_told ||
		loop_now(wire->loop) - patience->since_ms < SAY_AFTER_MS)
		return;
	patience->was_told = true;
	if (wire->status)
		wire_say(wire, "%s answers with %d %s: it is asked again",
			wire->url.said, wire->status,
			http_status_reason(wire->status));
	else
		wire_say(wire, "%s: it is asked again", wire->err.text);
}

static int wire_fail(struct wire *wire, const struct patience *patience,
	struct wire_answer *answer, struct err *err_r)
{
	if (wire->status) {
		remote_problem_decode(
			wire->body.data, wire->body.len, &answer->problem);
		(void)!wire_problem(
			wire, wire->status, &answer->problem, err_r);
	} else {
		*err_r = wire->err;
	}
	if (patience->may_have_begun && (!wire->status || passes(wire)))
		return err_wrap(err_r,
			"it is not known whether it has begun, see tidegate "
			"list");
	return -1;
}

/* 1: it is to be asked again. */
static int wire_again(
	struct wire *wire, struct patience *patience, struct err *err_r)
{
	int64_t pause_ms;

	if (wire->status == 401 && !patience->was_named_anew) {
		bearer_reject(wire->bearer);
		patience->was_named_anew = true;
		return 1;
	}
	if (!may_ask_again(wire, patience))
		return 0;
	tell_outage(wire, patience);
	pause_ms = backoff_delay(&pauses, patience->attempt++,
		wire->retry_after_ms < RETRY_AFTER_MS_MAX ? wire->retry_after_ms
							  : RETRY_AFTER_MS_MAX,
		loop_rng(wire->loop));
	if (wire_turn(wire, pause_ms, err_r) < 0)
		return -1;
	return !is_interrupted(wire, patience);
}

static int ask_until_answered(struct wire *wire, const struct wire_ask *ask,
	struct wire_answer *answer_r, struct err *err_r)
{
	struct patience patience = {.since_ms = loop_now(wire->loop)};
	int again;

	*answer_r = (struct wire_answer){.body = ""};
	wire->n_interrupts = 0;
	do {
		if (wire_attempt(wire, ask, err_r) < 0)
			return -1;
		answer_r->body = wire->body.data;
		answer_r->len = wire->body.len;
		if (http_status_is_success(wire->status))
			break;
		note_attempt(wire, &patience);
		again = wire_again(wire, &patience, err_r);
		if (again < 0)
			return -1;
		if (!again)
			return wire_fail(wire, &patience, answer_r, err_r);
	} while (true);
	if (patience.was_told)
		wire_say(wire, "%s answers again", wire->url.said);
	return 0;
}

int wire_ask(struct wire *wire, const struct wire_ask *ask,
	struct wire_answer *answer_r, struct err *err_r)
{
	int rc = ask_until_answered(wire, ask, answer_r, err_r);

	wire->ask = NULL;
	return rc;
}
