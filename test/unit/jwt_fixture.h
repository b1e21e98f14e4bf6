/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys and signed tokens for tests of identity, made as an issuer makes them,
 * or as nobody should.
 */
#ifndef TEST_JWT_FIXTURE_H
#define TEST_JWT_FIXTURE_H

#include <openssl/evp.h>
#include <stddef.h>

EVP_PKEY *jwt_rsa_key(unsigned bits);
EVP_PKEY *jwt_ec_key(const char *curve); /* "P-256" */

/* All texts are the caller's to free. */

char *jwt_base64url(const void *bytes, size_t len);
/* {"kid": …, …}: members without braces come after it, as `"use":"sig"`; NULL:
 * none. */
char *jwt_jwk(EVP_PKEY *key, const char *kid, const char *members);

/* header.payload.signature of these JSON texts; RSA and EC keys sign as RS256
 * and ES256 do, whatever the header says. */
char *jwt_sign(EVP_PKEY *key, const char *header, const char *payload);
/* HMAC-SHA256 with these bytes. */
char *jwt_sign_hmac(const void *secret, size_t len, const char *header,
	const char *payload);
/* header.payload. with any signature. */
char *jwt_join(const char *header, const char *payload, const void *signature,
	size_t len);

/* The key as a PEM text, which a careless verifier takes for a secret. */
char *jwt_pem(EVP_PKEY *key);

#endif
