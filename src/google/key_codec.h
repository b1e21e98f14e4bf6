/*
 * Credential files and token answers: pure JSON text <-> struct, and the
 * signed assertion. Nothing here is printed, ever.
 */
#ifndef TIDEGATE_GOOGLE_KEY_CODEC_H
#define TIDEGATE_GOOGLE_KEY_CODEC_H

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

struct service_account_key {
	char *client_email, *project_id, *private_key_id, *token_uri;
	char *quota_project;
	struct secret *private_key; /* PEM */
};

/* Types that this version does not have are refused by name. */
MUST_CHECK int key_decode(const char *bytes, size_t len,
	struct service_account_key *key_r, struct err *err_r);
void key_fini(struct service_account_key *key);

/* "access_token" and "expires_in" (number or numeric string). */
MUST_CHECK int token_decode(const char *bytes, size_t len,
	struct secret **token_r, int64_t *expires_in_s_r, struct err *err_r);

/* An OAuth error body as one readable line, or the HTTP status alone. */
void oauth_error_print(
	int status, const char *bytes, size_t len, struct err *err_r);

/* The JWT of RFC 7523 for the JWT bearer grant, RS256. iat_s in Unix seconds.
 */
MUST_CHECK int assertion_sign(const struct service_account_key *key,
	const char *scope, int64_t iat_s, struct secret **jwt_r,
	struct err *err_r);

#endif
