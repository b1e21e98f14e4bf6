/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google credentials: where tokens come from. One object per identity; tokens
 * are cached, refreshed ahead of expiry, one refresh at a time.
 *
 * Search order (facts of Application Default Credentials):
 * CLOUDSDK_AUTH_ACCESS_TOKEN, GOOGLE_APPLICATION_CREDENTIALS, gcloud's
 * well-known file, the metadata server.
 */
#ifndef TIDEGATE_GOOGLE_CREDENTIALS_H
#define TIDEGATE_GOOGLE_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define CREDENTIALS_FILE_MAX   (64 * 1024) /* bytes */
#define TOKEN_BYTES_MAX        16384 /* STS documents 12,288 */
#define TOKEN_REFRESH_MARGIN_S 225 /* as Google's own libraries */

struct http;
struct loop;
struct credentials;
struct token_call;

/*
 * Preflight asks in this order: credentials_new (what was found cannot be used:
 * the error), credentials_about, token_start (it cannot be had: the error says
 * at which step and what to do), then token_expires_ms and credentials_clock.
 */

/* Finds the credentials; no request is sent yet, so that a metadata server
 * that is not there is told by the first token_start. */
MUST_CHECK struct credentials *credentials_new(
	struct loop *loop, struct http *http, struct err *err_r);
/* Calls under way are forgotten; not from inside a callback of one. */
void credentials_free(struct credentials **credentials);

/* What was found, without a request; a file that has changed is read again by
 * the next token that is fetched. All borrowed until then; NULL: none, or not
 * known. */
struct credentials_about {
	const char *type; /* as in a file, "metadata server", "ready token" */
	const char *origin; /* what led to it: an environment variable, … */
	const char *path; /* of the file */
	const char *account; /* whom tokens are for: e-mail or principal */
	bool is_guess; /* nobody said so: only a token shows it is there */
};
void credentials_about(const struct credentials *credentials,
	struct credentials_about *about_r);

/* When the access token handed out now ends, in milliseconds of the loop;
 * 0: there is none, INT64_MAX: nobody knows. */
int64_t token_expires_ms(const struct credentials *credentials);

/* How far the clock of this machine is ahead of Google's, as the last answer
 * to a request for a token told; false: none has told yet. Whole seconds are
 * told, so that up to CREDENTIALS_CLOCK_MS_EXACT says nothing. */
#define CREDENTIALS_CLOCK_MS_EXACT 2000
bool credentials_clock(
	const struct credentials *credentials, int64_t *ahead_ms_r);

/* For messages: "service account ci@acme… (file key.json)". Borrowed. */
const char *credentials_describe(const struct credentials *credentials);
/* For the header x-goog-user-project, or NULL. */
const char *credentials_quota_project(const struct credentials *credentials);

/* token NULL: err says why. Both are borrowed for the callback. */
typedef void (*token_fn)(
	const struct secret *token, const struct err *err, void *arg);

/* An access token for cloud-platform. The callback runs exactly once, later
 * (in the next turn when the token is there already). A token near its end is
 * handed out while the next one is fetched: nobody waits for a refresh. */
struct token_call *token_start(
	struct credentials *credentials, token_fn fn, void *arg);
void token_cancel(struct token_call **call);

/* The token if it is there, else NULL: spares a turn. Borrowed until the
 * loop's next turn. */
const struct secret *token_cached(struct credentials *credentials);

/* Which token it is that is handed out, in a callback or by token_cached: they
 * are counted from 1, so that it can be named without a copy of it. */
unsigned token_serial(const struct credentials *credentials);

/* An API answered 401: this token is not to be used again. Said by many of the
 * same token, it leads to one refresh. -1: there will be no other one, and the
 * error says what to do; who asks later is handed the same. */
MUST_CHECK int token_reject(
	struct credentials *credentials, unsigned serial, struct err *err_r);

/*
 * The same for an ID token, which a Cloud Run service that wants a caller to
 * be known takes: `audience` is the service's URL, "https://shop-….run.app",
 * or one of its custom audiences. Not every credential can have one: the error
 * says which can.
 */
struct token_call *id_token_start(struct credentials *credentials,
	const char *audience, token_fn fn, void *arg);
unsigned id_token_serial(
	const struct credentials *credentials, const char *audience);
void id_token_reject(
	struct credentials *credentials, const char *audience, unsigned serial);

#endif
