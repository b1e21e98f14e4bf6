/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client of io/http.h without a network: requests reach servers that are
 * functions, after a latency on the virtual clock. A request that has left is
 * the world's: it arrives though its caller has given up or died.
 */
#ifndef TIDEGATE_TEST_FAKE_HTTP_H
#define TIDEGATE_TEST_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_LATENCY_MS 5 /* there, and again back */

struct http_reply;
struct fake_exchange; /* a request on its way, and its answer */

struct fake_request {
	const char *method, *target; /* target: path and query */
	const char *authorization; /* NULL: none */
	const char *body; /* NUL-terminated */
	size_t body_len;
};

enum fake_fate {
	FATE_ANSWERED,
	FATE_RESET, /* the connection breaks */
	FATE_SILENT, /* nothing comes back */
	FATE_LATER, /* fake_http_answer will be called */
};

struct fake_answer {
	enum fake_fate fate;
	int status;
	char *body; /* handed over; NULL: empty */
	int64_t retry_after_ms;
	int64_t delay_ms;
};

/* The request is valid during the call, the exchange until it is answered. */
typedef void (*fake_server_fn)(struct fake_exchange *exchange,
	const struct fake_request *request, struct fake_answer *answer_r);

/* Who answers requests to this origin ("http://127.0.0.1:8080"). */
void fake_http_serve(const char *origin, fake_server_fn fn);
void fake_http_answer(
	struct fake_exchange *exchange, const struct fake_answer *answer);
/* Told of each request that leaves; NULL: nobody is. */
extern void (*fake_http_on_send)(const struct fake_request *request);
/* Told of each answer that its caller hears; status 0: the connection broke. */
extern void (*fake_http_on_answer)(
	const char *method, const char *target, const struct http_reply *reply);

/* No servers, nothing under way; calls must have been cancelled. */
void fake_http_reset(void);

/* While it holds, nothing that leaves arrives, and nobody is told. */
void fake_http_cut(bool cut);

#endif
