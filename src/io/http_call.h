/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP call: what it needs from libcurl and what it makes of its result.
 * Part of http.c, which owns the lists a call is in and runs its callback.
 */
#ifndef TIDEGATE_IO_HTTP_CALL_H
#define TIDEGATE_IO_HTTP_CALL_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/arena.h"
#include "base/buf.h"
#include "io/http.h"

#define HTTP_HOST_KEY_MAX 300 /* "https://" + 255 + ":65535" */

struct host;

/* What its link is in: a host's list, http->active, http->done, nothing. */
enum place { WAITING, ACTIVE, DONE, COMPLETING };

struct http_call {
	TAILQ_ENTRY(http_call) link;
	enum place place;
	struct http *http;
	struct host *host; /* NULL: it never came so far, or has left */
	http_fn fn;
	void *arg;
	struct arena arena; /* what is copied from the request, and `err` */
	struct http_request request; /* no headers and secrets: they follow */
	char *password; /* wiped when freed */
	struct curl_slist *headers;
	CURLU *url;
	CURL *easy; /* http.c takes it away before call_free */
	struct timer *wait_timer;
	int64_t deadline_ms;
	struct buf body;
	size_t headers_len;
	bool headers_overflow;
	bool direct; /* no proxy */
	bool sent; /* as far as we know */
	int status;
	int64_t latency_us;
	struct err *err; /* NULL: there is a status */
	char origin[HTTP_HOST_KEY_MAX]; /* "https://host:port" */
	char curl_text[CURL_ERROR_SIZE];
};

/* Copies what is borrowed. A request that cannot be sent gets its `err`. */
struct http_call *call_new(const struct http_request *request);
void call_free(struct http_call *call); /* `easy` is NULL by now */

/* Tells `easy` all about the call. */
void call_setup(struct http_call *call, CURL *easy, CURLSH *share);
/* Reads the result: status, latency, error. */
void call_result(struct http_call *call, CURLcode code);
/* No slot became free in time. */
void call_waited_too_long(struct http_call *call);

#endif
