/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to a daemon: a token out of a file, else one of the GitHub job that
 * runs us, else an ID token of Google credentials, made for this server alone.
 * A daemon on this machine is told nothing but what a file or a job has: by a
 * Unix socket it sees who asks.
 */
#ifndef TIDEGATE_REMOTE_BEARER_H
#define TIDEGATE_REMOTE_BEARER_H

#include "base/err.h"
#include "base/secret.h"
#include "remote/server_url.h"

struct bearer;
struct bearer_call;
struct http;
struct loop;

/* `token_file` NULL: none was named. The URL is borrowed. ERR_AUTH. */
MUST_CHECK struct bearer *bearer_new(struct loop *loop, struct http *http,
	const struct server_url *url, const char *token_file,
	struct err *err_r);
void bearer_free(struct bearer **bearer);

/* Both NULL: there is nothing to say. The token is borrowed for the call. */
typedef void (*bearer_fn)(
	const struct secret *token, const struct err *err, void *arg);
/* The callback runs exactly once, later. */
struct bearer_call *bearer_start(
	struct bearer *bearer, bearer_fn fn, void *arg);
void bearer_cancel(struct bearer_call **call); /* NULL inside is accepted */

/* The daemon did not take it: the next one is a new one. */
void bearer_reject(struct bearer *bearer);

/* What to do about a daemon that does not take it: for a message. */
const char *bearer_remedy(const struct bearer *bearer);

#endif
