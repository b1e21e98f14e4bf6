/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs assertions; see assertion_codec.h. The only place that meets OpenSSL.
 */
#include "google/assertion_codec.h"

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64url.h"

#define RSA_BITS_MIN    2048
#define RSA_BITS_MAX    8192 /* more would only cost time: ours */
#define ASSERTION_MAX   (8 * 1024)
#define SIGNATURE_BYTES (RSA_BITS_MAX / 8)

/* Without this OpenSSL would ask on the terminal. */
static int no_password(char *text, int size, int writing, void *arg)
{
	return 0;
}

static EVP_PKEY *load_key(const struct secret *pem, struct err *err_r)
{
	BIO *bio = BIO_new_mem_buf(secret_reveal(pem), (int)secret_len(pem));
	EVP_PKEY *pkey =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
		    : NULL;

	BIO_free(bio);
	ERR_clear_error();
	if (!pkey) {
		err_set(err_r, ERR_AUTH,
			"\"private_key\" is not an unencrypted private key in "
			"PEM form (-----BEGIN PRIVATE KEY-----)");
		return NULL;
	}
	if (EVP_PKEY_is_a(pkey, "RSA") &&
		EVP_PKEY_get_bits(pkey) >= RSA_BITS_MIN &&
		EVP_PKEY_get_bits(pkey) <= RSA_BITS_MAX)
		return pkey;
	err_set(err_r, ERR_AUTH,
		"\"private_key\" is %s with %d bits, not RSA with %d to %d",
		EVP_PKEY_get0_type_name(pkey), EVP_PKEY_get_bits(pkey),
		RSA_BITS_MIN, RSA_BITS_MAX);
	EVP_PKEY_free(pkey);
	return NULL;
}

int assertion_check_key(
	const struct service_account_key *key, struct err *err_r)
{
	EVP_PKEY *pkey = load_key(key->private_key, err_r);

	EVP_PKEY_free(pkey);
	return pkey ? 0 : -1;
}

/* Takes the value over. */
static void add_json(struct buf *out, json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT);

	if (text)
		base64url_add(out, text, strlen(text));
	else
		out->overflow = true;
	free(text);
	json_decref(value);
}

static int add_signature(struct buf *out, EVP_PKEY *pkey, struct err *err_r)
{
	unsigned char signature[SIGNATURE_BYTES];
	size_t len = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int ok = context &&
		 EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, pkey) ==
			 1 &&
		 EVP_DigestSign(context, signature, &len,
			 (const unsigned char *)out->data, out->len) == 1;

	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (!ok)
		return err_set(err_r, ERR_AUTH,
			"\"private_key\" cannot sign: it is damaged");
	buf_addc(out, '.');
	base64url_add(out, signature, len);
	return 0;
}

static void add_claims(struct buf *out, const struct service_account_key *key,
	const struct assertion_wish *wish)
{
	json_int_t iat_s = (json_int_t)wish->iat_s;

	add_json(out, json_pack("{ss ss ss*}", "alg", "RS256", "typ", "JWT",
			      "kid", key->private_key_id));
	buf_addc(out, '.');
	add_json(out, json_pack("{ss ss ss* ss* sI sI}", "iss",
			      key->client_email, "aud", ASSERTION_AUDIENCE,
			      "scope", wish->audience ? NULL : wish->scope,
			      "target_audience", wish->audience, "iat", iat_s,
			      "exp", iat_s + ASSERTION_LIFE_S));
}

int assertion_sign(const struct service_account_key *key,
	const struct assertion_wish *wish, struct secret **jwt_r,
	struct err *err_r)
{
	EVP_PKEY *pkey = load_key(key->private_key, err_r);
	struct buf jwt;
	int rc;

	*jwt_r = NULL;
	if (!pkey)
		return -1;
	buf_init_secret(&jwt, ASSERTION_MAX);
	add_claims(&jwt, key, wish);
	rc = add_signature(&jwt, pkey, err_r);
	if (rc == 0 && jwt.overflow)
		rc = err_set(err_r, ERR_AUTH,
			"the assertion would be longer than %d bytes",
			ASSERTION_MAX);
	if (rc == 0)
		*jwt_r = secret_new(jwt.data, jwt.len);
	EVP_PKEY_free(pkey);
	buf_wipe(&jwt);
	buf_fini(&jwt);
	return rc;
}
