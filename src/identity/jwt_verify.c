/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier; see jwt_verify.h. */
#include "identity/jwt_verify.h"

#include <inttypes.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define ES256_HALF 32 /* bytes of r and of s */

bool jwt_claims_issuer(const struct jwt *jwt, const struct jwt_rule *rule)
{
	const char *iss = jwt->claims.iss;

	return iss && (strcmp(iss, rule->issuers[0]) == 0 ||
			      (rule->issuers[1] &&
				      strcmp(iss, rule->issuers[1]) == 0));
}

/* ---- what needs no key ---- */

static int check_alg(const struct jwt *jwt, const struct jwt_rule *rule,
	enum jwt_alg *alg_r, struct refusal *refusal_r)
{
	for (int alg = 0; alg < JWT_ALGS; alg++) {
		if ((rule->algs & JWT_ALG_BIT(alg)) &&
			strcmp(jwt->alg, jwt_alg_names[alg]) == 0) {
			*alg_r = (enum jwt_alg)alg;
			return 0;
		}
	}
	return refuse(refusal_r, REFUSAL_ALGORITHM,
		"alg is %.20s, which %.120s does not sign with", jwt->alg,
		rule->issuers[0]);
}

static int check_audience(const struct jwt_claims *claims,
	const struct jwt_rule *rule, struct refusal *refusal_r)
{
	size_t i = 0;

	while (i < claims->n_aud && strcmp(claims->aud[i], rule->audience) != 0)
		i++;
	if (i == claims->n_aud)
		return refuse(refusal_r, REFUSAL_AUDIENCE,
			"aud is %.90s, not %.90s",
			claims->n_aud ? claims->aud[0] : "empty",
			rule->audience);
	if (rule->wants_azp &&
		(claims->azp ? strcmp(claims->azp, rule->audience) != 0
			     : claims->n_aud > 1))
		return refuse(refusal_r, REFUSAL_AUDIENCE,
			"azp is %.90s, not %.90s",
			claims->azp ? claims->azp : "missing", rule->audience);
	return 0;
}

static int check_times(const struct jwt_claims *claims,
	const struct jwt_rule *rule, int64_t now_s, struct refusal *refusal_r)
{
	if (claims->exp_s <= claims->iat_s ||
		claims->exp_s - claims->iat_s > rule->life_s_max)
		return refuse(refusal_r, REFUSAL_TIME,
			"it would hold for %" PRId64 " s, %" PRId64
			" s at most are taken",
			claims->exp_s - claims->iat_s, rule->life_s_max);
	if (now_s >= claims->exp_s + JWT_SKEW_S)
		return refuse(refusal_r, REFUSAL_EXPIRED,
			"it was over %" PRId64 " s ago", now_s - claims->exp_s);
	if (claims->iat_s > now_s + JWT_SKEW_S)
		return refuse(refusal_r, REFUSAL_TIME,
			"it was made in %" PRId64
			" s: the clocks differ by that",
			claims->iat_s - now_s);
	if (claims->nbf_s > now_s + JWT_SKEW_S)
		return refuse(refusal_r, REFUSAL_TIME,
			"it holds in %" PRId64 " s only",
			claims->nbf_s - now_s);
	return 0;
}

int jwt_check(const struct jwt *jwt, const struct jwt_rule *rule, int64_t now_s,
	struct refusal *refusal_r)
{
	enum jwt_alg alg;

	if (check_alg(jwt, rule, &alg, refusal_r) < 0)
		return -1;
	if (!jwt_claims_issuer(jwt, rule))
		return refuse(refusal_r, REFUSAL_ISSUER,
			"iss is %.90s, not %.90s",
			jwt->claims.iss ? jwt->claims.iss : "missing",
			rule->issuers[0]);
	if (check_audience(&jwt->claims, rule, refusal_r) < 0)
		return -1;
	return check_times(&jwt->claims, rule, now_s, refusal_r);
}

/* ---- the signature ---- */

/* r and s, 32 bytes each, as OpenSSL wants them. Its length, or -1. */
static int to_der(const struct jwt *jwt, unsigned char **der_r)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(jwt->signature, ES256_HALF, NULL);
	BIGNUM *s = BN_bin2bn(jwt->signature + ES256_HALF, ES256_HALF, NULL);
	int len = -1;

	*der_r = NULL;
	if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
		len = i2d_ECDSA_SIG(sig, der_r);
	} else {
		BN_free(r);
		BN_free(s);
	}
	ECDSA_SIG_free(sig);
	return len;
}

/* 1 alone says that it is right; 0 and -1 say that it is not. */
bool jwt_is_signed_by(EVP_PKEY *pkey, const struct jwt *jwt,
	const unsigned char *signature, size_t len)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool is = context &&
		  EVP_DigestVerifyInit(
			  context, NULL, EVP_sha256(), NULL, pkey) == 1 &&
		  EVP_DigestVerify(context, signature, len,
			  (const unsigned char *)jwt->signed_text,
			  jwt->signed_len) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	return is;
}

static bool is_es256(EVP_PKEY *pkey, const struct jwt *jwt)
{
	unsigned char *der = NULL;
	int len = jwt->signature_len == (size_t)2 * ES256_HALF
			  ? to_der(jwt, &der)
			  : -1;
	bool is = len > 0 && jwt_is_signed_by(pkey, jwt, der, (size_t)len);

	OPENSSL_free(der);
	return is;
}

int jwt_check_signature(const struct jwt *jwt, const struct jwt_rule *rule,
	const struct jwks *jwks, struct refusal *refusal_r)
{
	enum jwt_alg wanted, alg;
	EVP_PKEY *pkey;
	bool is;

	if (check_alg(jwt, rule, &wanted, refusal_r) < 0)
		return -1;
	pkey = jwks_find(jwks, jwt->kid, &alg);
	if (!pkey)
		return refuse(refusal_r, REFUSAL_KEY_UNKNOWN,
			"kid %.60s is none of the %zu keys of %.90s", jwt->kid,
			jwks_count(jwks), rule->issuers[0]);
	if (alg != wanted)
		return refuse(refusal_r, REFUSAL_ALGORITHM,
			"alg is %s, and its key is one for %s",
			jwt_alg_names[wanted], jwt_alg_names[alg]);
	is = alg == JWT_ES256 ? is_es256(pkey, jwt)
			      : jwt_is_signed_by(pkey, jwt, jwt->signature,
					jwt->signature_len);
	if (!is)
		return refuse(refusal_r, REFUSAL_SIGNATURE,
			"the signature is not that of key %.60s", jwt->kid);
	return 0;
}
