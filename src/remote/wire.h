/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to a daemon, for a command that asks, waits and prints: a loop of its
 * own, which turns in the calls below alone. Redirects are not followed; what a
 * server or a network may get over is asked again.
 */
#ifndef TIDEGATE_REMOTE_WIRE_H
#define TIDEGATE_REMOTE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "remote/remote_codec.h"

#define WIRE_BODY_MAX   (17 * 1024 * 1024) /* bytes of an answer */
#define WIRE_TIMEOUT_MS 30000 /* a decision waits for 10 s */
/* For which a daemon that cannot be reached is tried again: by who asks once,
 * and by who follows a rollout. */
#define WIRE_PATIENCE_MS 15000
#define WIRE_FOLLOW_MS   (30 * 60 * 1000)

struct bearer;
struct http;
struct wire;
struct loop;
struct server_url;

/* Told of a connection that is lost, and found again: a line for people. */
typedef void (*wire_say_fn)(const char *line);

MUST_CHECK struct wire *wire_new(const char *server, const char *token_file,
	wire_say_fn say, struct err *err_r);
void wire_free(struct wire **wire);

struct wire_ask {
	const char *method; /* NULL: GET */
	const char *path; /* from "/" on, as in a URL */
	const char *body; /* JSON; NULL: none */
	/* Idempotency-Key: without one it is sent again only when it cannot have
	 * arrived. */
	const char *key;
	/* What it begins goes on without us: while it may have begun, one interrupt
	 * does not end the asking, two do, at once. */
	bool begins;
	int64_t patience_ms; /* 0: it is tried once */
	int64_t timeout_ms; /* of one attempt; 0: WIRE_TIMEOUT_MS */
};

struct wire_answer {
	const char *body; /* NUL-terminated, also of what failed; until the next
			   * wire_ask */
	size_t len;
	struct remote_problem problem; /* of what failed; code "": none */
};

/* Waits for a 2xx. -1: it failed, err_r has the code that the same has at a
 * state file. */
MUST_CHECK int wire_ask(struct wire *wire, const struct wire_ask *ask,
	struct wire_answer *answer_r, struct err *err_r);

/* Lets what is under way go on for so long, at most: 0: one turn. */
MUST_CHECK int wire_turn(struct wire *wire, int64_t ms, struct err *err_r);
/* Ends wire_turn early. */
void wire_wake(struct wire *wire);
/* The same, and what is being asked for is not asked for again, unless it may
 * have begun something. */
void wire_interrupt(struct wire *wire);
/* The same, and what is under way is not waited for either: it may arrive, and
 * wire_ask fails. */
void wire_give_up(struct wire *wire);

/* For follow.c, and for signals. */
struct loop *wire_loop(struct wire *wire);
struct http *wire_http(struct wire *wire);
struct bearer *wire_bearer(struct wire *wire);
const struct server_url *wire_url(const struct wire *wire);
void wire_say(struct wire *wire, const char *fmt, ...) PRINTFLIKE(2, 3);

/* What an answer's status and problem are as an error. */
int wire_problem(const struct wire *wire, int status,
	const struct remote_problem *problem, struct err *err_r);
/* Whether it may pass: 502, 503, 504. */
bool wire_may_pass(int status);

/* 16 random bytes as text: an Idempotency-Key. */
#define WIRE_KEY_MAX 48
void wire_make_key(char key_r[WIRE_KEY_MAX]);

#endif
