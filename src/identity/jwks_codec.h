/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an issuer (a JWK Set): public keys by their kid. Those that are
 * not for signatures, of other kinds, or too weak are left out. Pure.
 */
#ifndef TIDEGATE_IDENTITY_JWKS_CODEC_H
#define TIDEGATE_IDENTITY_JWKS_CODEC_H

#include <stddef.h>

#include "base/err.h"

#define JWKS_BYTES_MAX (256 * 1024)
#define JWKS_KEYS_MAX  100

enum jwt_alg { JWT_RS256, JWT_ES256, JWT_ALGS };
#define JWT_ALG_BIT(alg) (1U << (alg))

extern const char *const jwt_alg_names[JWT_ALGS]; /* "RS256" */

struct jwks;
struct evp_pkey_st; /* OpenSSL's EVP_PKEY */

/* NULL with ERR_PROTOCOL: it is no set, two keys have the same kid, or none can
 * be used. */
MUST_CHECK struct jwks *jwks_decode(
	const char *bytes, size_t len, struct err *err_r);
void jwks_free(struct jwks **jwks);

/* Byte by byte; NULL: there is none. */
struct evp_pkey_st *jwks_find(
	const struct jwks *jwks, const char *kid, enum jwt_alg *alg_r);
size_t jwks_count(const struct jwks *jwks);

#endif
