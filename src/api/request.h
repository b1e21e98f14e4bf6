/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request as somebody: a token first where it needs one, a refused token
 * fetched anew once, and sent again while the other side says "later" and the
 * time allows it. What an answer means is its reader's.
 *
 * Redirects are not followed, so that what identifies us goes nowhere else.
 */
#ifndef TIDEGATE_API_REQUEST_H
#define TIDEGATE_API_REQUEST_H

#include "io/http.h"
#include "policy/policy.h"

struct credentials;
struct loop;
struct request;
struct worker;

/* What requests are made with. A plain value: copy it. */
struct api {
	struct loop *loop;
	struct http *http;
	struct credentials *credentials; /* NULL: there are none */
	struct worker *worker; /* decodes long answers; NULL: readers do */
};

#define REQUEST_LONG_BYTES (64 * 1024) /* of an answer: parsed in some ms */

/* How a reader understands an answer that may be long. `decode` sees status and
 * body alone, and may run on a thread: it must be pure. What it gives is the
 * reader's to free; `discard` frees it when there is no reader any more. */
struct decoder {
	void *(*decode)(const struct http_reply *reply);
	void (*discard)(void *decoded);
};

extern const struct auth request_google; /* an access token of ours */

struct request_spec {
	const char *method; /* NULL: GET, or POST with a body; static */
	const char *url; /* copied */
	/* Static. A header of the policy goes before both. */
	const char *content_type; /* NULL: application/json, with a body */
	const char *accept; /* NULL: none */
	const void *body; /* copied; NULL: none */
	size_t body_len;
	size_t body_max; /* of an answer; 0: HTTP_BODY_MAX_DEFAULT */
	/* The policy's, borrowed until the callback. */
	const struct header *headers;
	size_t n_headers;
	const struct auth *auth; /* NULL: none */
	const struct tls *tls; /* NULL: the system's */
	const char *quota_project; /* NULL: the credentials', where they go */
	int64_t timeout_ms; /* of one try, from when it is sent; 0: http's */
	/* When all of it is over, tokens and pauses included, in milliseconds
	 * of the loop; 0: only timeout_ms counts. */
	int64_t deadline_ms;
	/* 0: it is sent once, but for a refused token. Between two tries is a
	 * pause that is drawn (engine/backoff.h), as long as was asked for at
	 * least. */
	int tries_max;
	/* It does no harm twice: 5xx and lost answers are tried again, too. */
	bool repeatable;
	bool urgent; /* goes ahead of those that wait, as a revert does */
	/* A long 2xx is decoded by this on a thread before it is told. Its
	 * headers cannot be read then. NULL: the reader does all. */
	const struct decoder *decoder;
};

/* The reply is that of the last try, also when no token could be had, and it
 * tells of a lost answer of any try. The callback runs exactly once, later,
 * never after the cancel; the request is gone by then. */
struct request *request_start(const struct api *api,
	const struct request_spec *spec, http_fn fn, void *arg);
void request_cancel(struct request **request); /* NULL inside: nothing */

/* What the decoder of the request made of the reply, or makes of it now. */
void *request_decoded(
	const struct http_reply *reply, const struct decoder *decoder);

/* Whether a try of it has left us: what came of it may not be known. */
bool request_was_sent(const struct request *request);

/* Whether a token of ours is fetched for it; `auth` may be NULL. */
bool request_wants_token(const struct auth *auth);

/* What can be known beforehand: the URL, the files of `tls`, that there are
 * credentials where they are needed. Nothing is sent. */
MUST_CHECK int request_check(const struct api *api,
	const struct request_spec *spec, struct err *err_r);

/* Where an API is: `instead`, as of gcloud's environment variables, unless it
 * is NULL or empty; else `usual`. Without a slash at its end, which a path is
 * to begin with. The caller frees it. */
char *request_endpoint(const char *instead, const char *usual);

#endif
