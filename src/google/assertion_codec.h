/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signed assertion of a service account: a JWT (RFC 7523), RS256. It is
 * exchanged for a token; it is as secret as one.
 */
#ifndef TIDEGATE_GOOGLE_ASSERTION_CODEC_H
#define TIDEGATE_GOOGLE_ASSERTION_CODEC_H

#include <stdint.h>

#include "google/key_codec.h"

/* Google takes no other, whatever address the request goes to. */
#define ASSERTION_AUDIENCE "https://oauth2.googleapis.com/token"
#define ASSERTION_LIFE_S   3600

/* Whether the private key is one that can sign: PEM, RSA, 2048 to 8192 bits. */
MUST_CHECK int assertion_check_key(
	const struct service_account_key *key, struct err *err_r);

/* What the assertion asks for. */
struct assertion_wish {
	const char *scope; /* an access token; or else: */
	const char *audience; /* an ID token for it */
	int64_t iat_s; /* Unix seconds */
};

/* ERR_AUTH: the key cannot sign. */
MUST_CHECK int assertion_sign(const struct service_account_key *key,
	const struct assertion_wish *wish, struct secret **jwt_r,
	struct err *err_r);

#endif
