/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and tokens; see jwt_fixture.h. */
#include "jwt_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include "base/base64url.h"
#include "base/xalloc.h"

EVP_PKEY *jwt_rsa_key(unsigned bits)
{
	EVP_PKEY *key = EVP_RSA_gen(bits);

	assert_non_null(key);
	return key;
}

EVP_PKEY *jwt_ec_key(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve);

	assert_non_null(key);
	return key;
}

char *jwt_base64url(const void *bytes, size_t len)
{
	struct buf out;

	buf_init(&out, 64 * 1024);
	base64url_add(&out, bytes, len);
	return buf_steal(&out);
}

static char *number(EVP_PKEY *key, const char *name, size_t len)
{
	unsigned char bytes[2048];
	BIGNUM *value = NULL;
	char *text;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
	if (!len)
		len = (size_t)BN_num_bytes(value);
	assert_true(BN_bn2binpad(value, bytes, (int)len) > 0);
	text = jwt_base64url(bytes, len);
	BN_free(value);
	return text;
}

char *jwt_jwk(EVP_PKEY *key, const char *kid, const char *members)
{
	bool is_rsa = EVP_PKEY_is_a(key, "RSA");
	const char *a =
		is_rsa ? OSSL_PKEY_PARAM_RSA_N : OSSL_PKEY_PARAM_EC_PUB_X;
	const char *b =
		is_rsa ? OSSL_PKEY_PARAM_RSA_E : OSSL_PKEY_PARAM_EC_PUB_Y;
	int bits = EVP_PKEY_get_bits(key);
	size_t len = is_rsa ? 0 : (size_t)(bits + 7) / 8;
	char *first = number(key, a, len), *second = number(key, b, len);
	char *text = xasprintf(
		is_rsa ? "{\"kty\":\"RSA\",\"kid\":\"%s\",\"n\":\"%s\","
			 "\"e\":\"%s\"%s%s}"
		       : "{\"kty\":\"EC\",\"kid\":\"%s\",\"x\":\"%s\","
			 "\"y\":\"%s\"%s%s}",
		kid, first, second, members ? "," : "", members ? members : "");

	free(first);
	free(second);
	return text;
}

char *jwt_join(const char *header, const char *payload, const void *signature,
	size_t len)
{
	char *a = jwt_base64url(header, strlen(header));
	char *b = jwt_base64url(payload, strlen(payload));
	char *c = jwt_base64url(signature, len);
	char *text = xasprintf("%s.%s.%s", a, b, c);

	free(a);
	free(b);
	free(c);
	return text;
}

/* DER to r||s. */
static size_t to_raw(const unsigned char *der, size_t len, unsigned char *raw)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);

	assert_non_null(sig);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32), 32);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32), 32);
	ECDSA_SIG_free(sig);
	return 64;
}

char *jwt_sign(EVP_PKEY *key, const char *header, const char *payload)
{
	unsigned char signature[1024], raw[64];
	size_t len = sizeof(signature), text_len;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	char *text = jwt_join(header, payload, "", 0), *token;

	text_len = strlen(text) - 1; /* the second dot */
	assert_int_equal(
		EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, signature, &len,
				 (unsigned char *)text, text_len),
		1);
	if (EVP_PKEY_is_a(key, "EC")) {
		len = to_raw(signature, len, raw);
		token = jwt_join(header, payload, raw, len);
	} else {
		token = jwt_join(header, payload, signature, len);
	}
	EVP_MD_CTX_free(context);
	free(text);
	return token;
}

char *jwt_sign_hmac(
	const void *secret, size_t len, const char *header, const char *payload)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	char *text = jwt_join(header, payload, "", 0), *token;
	unsigned mac_len;

	assert_non_null(HMAC(EVP_sha256(), secret, (int)len,
		(unsigned char *)text, strlen(text) - 1, mac, &mac_len));
	token = jwt_join(header, payload, mac, mac_len);
	free(text);
	return token;
}

char *jwt_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes, *text;
	long len;

	assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
	len = BIO_get_mem_data(bio, &bytes);
	text = xmemdup0(bytes, (size_t)len);
	BIO_free(bio);
	return text;
}
