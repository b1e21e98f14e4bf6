/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential files and answers of token endpoints: pure JSON text <-> struct.
 * Values of secret members are never printed, ever.
 */
#ifndef TIDEGATE_GOOGLE_KEY_CODEC_H
#define TIDEGATE_GOOGLE_KEY_CODEC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/secret.h"

#define TOKEN_LIFE_S_MAX (24 * 3600) /* longer is taken for this */

struct service_account_key {
	char *client_email, *token_uri;
	char *private_key_id, *quota_project; /* may be NULL */
	struct secret *private_key; /* PEM */
};

/* The "type" of a credential file, owned by the caller; ERR_AUTH when it has
 * none, or is of another universe than googleapis.com. */
MUST_CHECK int key_type_decode(
	const char *bytes, size_t len, char **type_r, struct err *err_r);

/* A file of type service_account. token_uri is https at googleapis.com. */
MUST_CHECK int key_decode(const char *bytes, size_t len,
	struct service_account_key *key_r, struct err *err_r);
void key_fini(struct service_account_key *key); /* wipes */

/* "access_token" and "expires_in" (number or numeric string). ERR_PROTOCOL. */
MUST_CHECK int token_decode(const char *bytes, size_t len,
	struct secret **token_r, int64_t *expires_in_s_r, struct err *err_r);

/* The same of a token exchange, which need not say when its token ends: then
 * *expires_in_s_r stays. */
MUST_CHECK int exchanged_decode(const char *bytes, size_t len,
	struct secret **token_r, int64_t *expires_in_s_r, struct err *err_r);

/* The ID token in the member `name`: a JWT by its looks. ERR_PROTOCOL. */
MUST_CHECK int id_token_decode(const char *bytes, size_t len, const char *name,
	struct secret **token_r, struct err *err_r);

/* Whether these are the bytes of a token: visible ASCII, TOKEN_BYTES_MAX. */
bool token_is_valid(const char *bytes, size_t len);

/* What a status other than 200 means, as one printable line: the OAuth error
 * of the body, else HTTP's status alone. The code tells what may be tried
 * again from what may not (ERR_AUTH, ERR_DENIED, ERR_NOT_FOUND). */
void oauth_error_decode(
	int status, const char *bytes, size_t len, struct err *err_r);

#endif
