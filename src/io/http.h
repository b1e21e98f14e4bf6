/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client: libcurl's multi interface on the loop. Connections are kept and
 * shared. Redirects are never followed. Plain http is refused for hosts that
 * are not loopback, unless `plain_ok` (the metadata server), and never goes
 * through a proxy.
 *
 * http_start returns a handle; its callback runs exactly once, never inside
 * http_start, never after http_cancel. The reply is valid during the callback.
 * What is started in a callback leaves in the same turn of the loop, what is
 * urgent at once, unless its host has all the connections it may have: then it
 * waits for one.
 */
#ifndef TIDEGATE_IO_HTTP_H
#define TIDEGATE_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define HTTP_BODY_MAX_DEFAULT (4 * 1024 * 1024) /* bytes of a reply */
#define HTTP_HEADERS_MAX      (64 * 1024) /* bytes of a reply's headers */
#define HTTP_URL_MAX          8192
#define HTTP_CONNECTIONS_MAX  128 /* in all, kept ones included */
#define HTTP_HOST_MAX         32 /* requests at a time to one host and port */
#define HTTP_URGENT_EXTRA     8 /* more for those that are urgent */

struct loop;
struct http;
struct http_call;

/* Bytes of a good answer as they come, from inside libcurl: it may record them
 * and defer work (loop_defer), and starts, cancels and frees nothing. false: no
 * more of them is wanted, the request fails with ERR_LIMIT. */
typedef bool (*http_part_fn)(const char *bytes, size_t len, void *arg);

struct http_header {
	const char *name;
	const char *value; /* borrowed for the call of http_start */
};

struct http_request {
	const char *method; /* NULL: GET, or POST when there is a body */
	const char *url;
	const struct http_header *headers;
	size_t n_headers;
	const struct secret *bearer; /* Authorization: Bearer …; NULL: none */
	const char *username; /* basic, with `password`; NULL: none */
	const struct secret *password;
	const char *content_type; /* of the body */
	const void *body; /* copied */
	size_t body_len;
	int64_t timeout_ms; /* of everything; 0: 30 s */
	int64_t connect_timeout_ms; /* 0: 5 s */
	size_t body_max; /* 0: HTTP_BODY_MAX_DEFAULT; more is an error */
	const char *ca_file, *cert_file,
		*key_file; /* NULL: the default, none */
	const char *unix_socket; /* instead of the URL's host; NULL: none */
	/* Told of the body of a 200 instead of keeping it, which then has no
	 * limit; NULL: it is kept. With the callback's `arg`. */
	http_part_fn part;
	bool plain_ok; /* http:// to a host that is not loopback */
	bool no_proxy;
	bool secret; /* body and answer are wiped; body_max is taken at once */
	bool urgent; /* goes ahead of those that wait, as a revert does */
	/* A POST or PATCH that does no harm when it arrives twice (a query, one
	 * guarded by an etag): it may go out again by itself when a kept
	 * connection turns out to be closed. Other methods always may. */
	bool repeatable;
};

struct http_reply {
	int status; /* 0 when there was no answer: then `err` is set */
	const char *body; /* NUL-terminated, may hold NULs before that */
	size_t body_len;
	const char *content_type; /* never NULL */
	int64_t retry_after_ms; /* 0: none; both forms of the header */
	int64_t latency_us; /* to the last byte, without waiting for a slot */
	bool maybe_sent; /* no answer, but the request may have arrived */
	const struct err *err; /* NULL when there is a status */
	const struct http_call *call; /* for http_reply_header; NULL: none */
	void *decoded; /* of api/request.h; NULL: not yet */
};

typedef void (*http_fn)(const struct http_reply *reply, void *arg);

MUST_CHECK struct http *http_new(struct loop *loop, struct err *err_r);
void http_free(struct http **http); /* cancels what is under way */

/* Instead of HTTP_CONNECTIONS_MAX and HTTP_HOST_MAX, for one who loads a
 * single host on purpose. Before the first request. */
void http_allow_connections(struct http *http, int n);

/* A request that cannot be sent (bad URL, plain http) is told through the
 * callback too. Never NULL. */
struct http_call *http_start(struct http *http,
	const struct http_request *request, http_fn fn, void *arg);
/* NULL inside is accepted, and so is the call whose callback is running. */
void http_cancel(struct http_call **call);

/* A header of the reply, or NULL; valid during the callback. */
const char *http_reply_header(const struct http_reply *reply, const char *name);

/* When the answer was made by its sender's clock (its Date, whole seconds), in
 * milliseconds since 1970; 0: it does not say. */
int64_t http_reply_date_ms(const struct http_reply *reply);

/* How far our clock is ahead of that of a sender of replies. */
struct http_clock {
	bool known; /* a reply has told */
	int64_t ahead_ms;
};

/* Takes what the reply tells: whole seconds. */
void http_clock_take(struct http_clock *clock, const struct http_reply *reply);

/* Whether the URL is one that http_start would send: parses, http or https,
 * plain only to loopback. */
MUST_CHECK int http_url_check(
	const char *url, bool plain_ok, struct err *err_r);

/* Percent-decodes it, what is no code as it stands; caller owns it. NULL: a NUL
 * would be in it. */
char *http_unescape(const char *text);
/* Percent-encodes everything but unreserved characters; caller owns it. */
char *http_escape(const char *text);

#endif
