/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS between hiredis and a Redis: whom it trusts, and what it says when it
 * does not. Where the library has no TLS nothing of this can be made.
 */
#ifndef TIDEGATE_ACTION_REDIS_TLS_H
#define TIDEGATE_ACTION_REDIS_TLS_H

#include <hiredis/async.h>

#include "base/buf.h"
#include "base/err.h"
#include "policy/policy.h"

struct redis_tls;

/* Reads the files; without a ca_file the system's CAs are trusted (or those of
 * SSL_CERT_FILE). The certificate must name `host`, a name or an address. */
MUST_CHECK int redis_tls_new(const struct tls *files, const char *host,
	struct redis_tls **tls_r, struct err *err_r);

/* NULL is accepted. May precede the end of the connection. */
void redis_tls_free(struct redis_tls **tls);

/* On a context that has just connected, once, before its first command. */
MUST_CHECK int redis_tls_begin(
	struct redis_tls *tls, redisAsyncContext *context, struct err *err_r);

/* Why the connection ended: what TLS knows (NULL: nothing), otherwise what
 * hiredis said. */
void redis_tls_explain(
	const struct redis_tls *tls, const char *said, struct buf *out);

#endif
