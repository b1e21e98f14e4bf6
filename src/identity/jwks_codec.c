/* SPDX-License-Identifier: Apache-2.0 */
/* Key sets; see jwks_codec.h. */
#include "identity/jwks_codec.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"
#include "base/xalloc.h"

#define KID_MAX       256
#define RSA_BITS_MIN  2048
#define RSA_BITS_MAX  8192 /* more would only cost time: ours */
#define POINT_BYTES   32 /* of a coordinate on P-256 */
#define RSA_N_MAX     (RSA_BITS_MAX / 8 + 1)
#define RSA_E_MAX     8
#define MEMBER_MAX    (2 * RSA_N_MAX)
#define PROTOCOL_TEXT "the key set"

const char *const jwt_alg_names[JWT_ALGS] = {
	[JWT_RS256] = "RS256",
	[JWT_ES256] = "ES256",
};

struct jwks_key {
	char *kid;
	enum jwt_alg alg;
	EVP_PKEY *pkey;
};

struct jwks {
	size_t n;
	struct jwks_key keys[JWKS_KEYS_MAX];
};

/* A member in base64url, at most `max` bytes of it. */
static int take_bytes(
	const json_t *jwk, const char *name, struct buf *out, size_t max)
{
	const json_t *member = json_object_get(jwk, name);

	buf_init(out, max);
	if (!json_is_string(member) ||
		json_string_length(member) > MEMBER_MAX ||
		base64url_decode(json_string_value(member),
			json_string_length(member), out) < 0 ||
		!out->len)
		return -1;
	return 0;
}

static EVP_PKEY *make_key(const char *kind, OSSL_PARAM_BLD *parts)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(parts);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *pkey = NULL;

	if (params && context && EVP_PKEY_fromdata_init(context) == 1 &&
		EVP_PKEY_fromdata(
			context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(params);
	ERR_clear_error();
	return pkey;
}

/* An e that is even or 1 makes signatures of nothing. */
static bool is_strong(const EVP_PKEY *pkey, const BIGNUM *e)
{
	int bits = pkey ? EVP_PKEY_get_bits(pkey) : 0;

	return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && BN_is_odd(e) &&
	       !BN_is_one(e);
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
	struct buf n_bytes, e_bytes;
	int rc = take_bytes(jwk, "n", &n_bytes, RSA_N_MAX) |
		 take_bytes(jwk, "e", &e_bytes, RSA_E_MAX);
	BIGNUM *n = BN_bin2bn(
		(unsigned char *)n_bytes.data, (int)n_bytes.len, NULL);
	BIGNUM *e = BN_bin2bn(
		(unsigned char *)e_bytes.data, (int)e_bytes.len, NULL);
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;

	if (rc == 0 && n && e && parts &&
		OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_N, n) &&
		OSSL_PARAM_BLD_push_BN(parts, OSSL_PKEY_PARAM_RSA_E, e))
		pkey = make_key("RSA", parts);
	if (pkey && !is_strong(pkey, e)) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	OSSL_PARAM_BLD_free(parts);
	BN_free(n);
	BN_free(e);
	buf_fini(&n_bytes);
	buf_fini(&e_bytes);
	return pkey;
}

/* Coordinates have 32 bytes; who leaves leading zeros away is understood. */
static EVP_PKEY *ec_key(const json_t *jwk)
{
	unsigned char point[1 + 2 * POINT_BYTES] = {4};
	OSSL_PARAM_BLD *parts = OSSL_PARAM_BLD_new();
	EVP_PKEY *pkey = NULL;
	struct buf x, y;
	int rc = take_bytes(jwk, "x", &x, POINT_BYTES) |
		 take_bytes(jwk, "y", &y, POINT_BYTES);

	if (rc == 0) {
		memcpy(point + 1 + POINT_BYTES - x.len, x.data, x.len);
		memcpy(point + 1 + 2 * POINT_BYTES - y.len, y.data, y.len);
	}
	if (rc == 0 && parts &&
		OSSL_PARAM_BLD_push_utf8_string(
			parts, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
		OSSL_PARAM_BLD_push_octet_string(
			parts, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)))
		pkey = make_key("EC", parts);
	OSSL_PARAM_BLD_free(parts);
	buf_fini(&x);
	buf_fini(&y);
	return pkey;
}

static bool is_text(const json_t *jwk, const char *name, const char *wanted)
{
	const char *text = json_string_value(json_object_get(jwk, name));

	return text && strcmp(text, wanted) == 0;
}

/* Absent, or just that. */
static bool may_be(const json_t *jwk, const char *name, const char *wanted)
{
	return !json_object_get(jwk, name) || is_text(jwk, name, wanted);
}

/* NULL: of no use here. */
static EVP_PKEY *key_of(const json_t *jwk, enum jwt_alg *alg_r)
{
	if (!may_be(jwk, "use", "sig"))
		return NULL;
	if (is_text(jwk, "kty", "RSA") && may_be(jwk, "alg", "RS256")) {
		*alg_r = JWT_RS256;
		return rsa_key(jwk);
	}
	if (is_text(jwk, "kty", "EC") && is_text(jwk, "crv", "P-256") &&
		may_be(jwk, "alg", "ES256")) {
		*alg_r = JWT_ES256;
		return ec_key(jwk);
	}
	return NULL;
}

/* NULL: it is named as no token can name it. */
static const char *kid_of(const json_t *jwk)
{
	const json_t *kid = json_object_get(jwk, "kid");
	size_t len = json_string_length(kid);

	if (!len || len > KID_MAX || strlen(json_string_value(kid)) != len)
		return NULL;
	return json_string_value(kid);
}

static int add_key(struct jwks *jwks, const json_t *jwk, struct err *err_r)
{
	struct jwks_key *key = &jwks->keys[jwks->n];
	const char *kid = kid_of(jwk);
	enum jwt_alg alg;

	if (!kid)
		return 0;
	for (size_t i = 0; i < jwks->n; i++) {
		if (strcmp(jwks->keys[i].kid, kid) == 0)
			return err_set(err_r, ERR_PROTOCOL,
				PROTOCOL_TEXT " has two keys of one kid");
	}
	key->pkey = key_of(jwk, &alg);
	if (!key->pkey)
		return 0;
	key->alg = alg;
	key->kid = xstrdup(kid);
	jwks->n++;
	return 0;
}

static int add_keys(struct jwks *jwks, const json_t *root, struct err *err_r)
{
	const json_t *keys = json_object_get(root, "keys"), *jwk;
	size_t i;

	if (!json_is_array(keys))
		return err_set(err_r, ERR_PROTOCOL,
			PROTOCOL_TEXT " is not an object with a list \"keys\"");
	if (json_array_size(keys) > JWKS_KEYS_MAX)
		return err_set(err_r, ERR_PROTOCOL,
			PROTOCOL_TEXT " has more than %d keys", JWKS_KEYS_MAX);
	json_array_foreach(keys, i, jwk) {
		if (add_key(jwks, jwk, err_r) < 0)
			return -1;
	}
	if (!jwks->n)
		return err_set(err_r, ERR_PROTOCOL,
			PROTOCOL_TEXT " has no key that can be used");
	return 0;
}

struct jwks *jwks_decode(const char *bytes, size_t len, struct err *err_r)
{
	struct jwks *jwks = xcalloc(1, sizeof(*jwks));
	json_t *root =
		len <= JWKS_BYTES_MAX
			? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL)
			: NULL;

	if (!root)
		(void)!err_set(err_r, ERR_PROTOCOL,
			PROTOCOL_TEXT " is not JSON of at most 256 KiB");
	if (!root || add_keys(jwks, root, err_r) < 0)
		jwks_free(&jwks);
	json_decref(root);
	return jwks;
}

void jwks_free(struct jwks **jwks)
{
	for (size_t i = 0; *jwks && i < (*jwks)->n; i++) {
		EVP_PKEY_free((*jwks)->keys[i].pkey);
		free((*jwks)->keys[i].kid);
	}
	free(*jwks);
	*jwks = NULL;
}

EVP_PKEY *jwks_find(
	const struct jwks *jwks, const char *kid, enum jwt_alg *alg_r)
{
	for (size_t i = 0; i < jwks->n; i++) {
		if (strcmp(jwks->keys[i].kid, kid) == 0) {
			*alg_r = jwks->keys[i].alg;
			return jwks->keys[i].pkey;
		}
	}
	return NULL;
}

size_t jwks_count(const struct jwks *jwks)
{
	return jwks->n;
}
