/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs of a policy, as far as it must know them when it is loaded: where they
 * lead and which parts are secret. Sending is io/http's. Pure.
 */
#ifndef TIDEGATE_POLICY_URL_H
#define TIDEGATE_POLICY_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define URL_BYTES_MAX 8192

struct url_part {
	const char *at; /* borrowed from the URL; NULL: there is none */
	size_t len;
};

/* {{templates}} may stand in every part but the scheme. */
struct url {
	struct url_part scheme, userinfo, host, port, path, query;
};

/*
 * http or https, a host, no fragment, no blanks or control characters, plain
 * http to loopback only. "{{candidate_url}}…" is accepted: then there is only
 * a path and a query. Messages do not repeat the URL: it may be secret.
 */
MUST_CHECK int url_parse(
	const char *text, struct url *url_r, struct err *err_r);

/*
 * redis://user:password@host:port/database, the port 6379 and the database 0
 * when they are left out; or rediss://, over TLS, which is refused where the
 * client library has none.
 */
MUST_CHECK int url_parse_redis(
	const char *text, struct url *url_r, struct err *err_r);

bool url_is_rediss(const char *text);

/* Google's APIs, or this machine: where an access token, which opens everything
 * its account may do, may go. */
bool url_takes_access_tokens(const struct url *url);

/* Whom an ID token for a request to this URL is to be for: scheme and host,
 * without a Cloud Run tag. The caller frees it; NULL: it is no URL. */
char *url_audience(const char *text, struct err *err_r);

/* Without userinfo and query. */
void url_show(const struct url *url, struct buf *out);

#endif
