/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one verifier of signed tokens: what it lets through was signed by that
 * issuer, for us, and holds now. Pure.
 */
#ifndef TIDEGATE_IDENTITY_JWT_VERIFY_H
#define TIDEGATE_IDENTITY_JWT_VERIFY_H

#include "identity/jwks_codec.h"
#include "identity/jwt_codec.h"

#define JWT_SKEW_S 60 /* by which clocks may differ */

/* What a token of that issuer has to be. */
struct jwt_rule {
	unsigned algs; /* JWT_ALG_BITs; usually one */
	const char *issuers[2]; /* byte by byte; the second may be NULL */
	const char *audience;
	bool wants_azp; /* of several audiences azp tells whom it is for */
	int64_t life_s_max; /* of exp - iat */
};

/* Whether the token says that it comes from that issuer: not verified. */
bool jwt_claims_issuer(const struct jwt *jwt, const struct jwt_rule *rule);

/* What needs no key, so that nothing is fetched for a token that would be
 * refused anyway: alg, issuer, audience, times. */
MUST_CHECK int jwt_check(const struct jwt *jwt, const struct jwt_rule *rule,
	int64_t now_s, struct refusal *refusal_r);

/* The signature. REFUSAL_KEY_UNKNOWN: the issuer may have a newer key. */
MUST_CHECK int jwt_check_signature(const struct jwt *jwt,
	const struct jwt_rule *rule, const struct jwks *jwks,
	struct refusal *refusal_r);

/* The signature in the form that OpenSSL takes: DER for an EC key. */
bool jwt_is_signed_by(struct evp_pkey_st *pkey, const struct jwt *jwt,
	const unsigned char *signature, size_t len);

#endif
