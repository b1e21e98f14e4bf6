/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a login says to its issuer: by the browser, and from server to server,
 * where the code that came back becomes an ID token.
 */
#ifndef TIDEGATE_IDENTITY_LOGIN_EXCHANGE_H
#define TIDEGATE_IDENTITY_LOGIN_EXCHANGE_H

#include "identity/discovery_codec.h"
#include "identity/login_secret.h"
#include "io/http.h"

/* The address that the browser is sent to. */
void login_location_print(struct buf *out, const char *authorization_url,
	const char *client_id, const char *redirect_uri,
	const struct login_secret *secret);

struct login_exchange {
	const char *client_id;
	const struct secret *client_secret; /* NULL: it has none */
	const char *redirect_uri, *code, *verifier;
};

/* All is borrowed for the call. A code is used once: nothing is repeated. */
struct http_call *login_exchange_start(struct http *http,
	const struct discovery *discovery,
	const struct login_exchange *exchange, http_fn fn, void *arg);

#endif
