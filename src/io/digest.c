/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 as hex; see digest.h. The old functions are called by purpose: those
 * of EVP load OpenSSL's providers, which is most of what a start would cost.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "io/digest.h"

#include <assert.h>
#include <openssl/sha.h>
#include <stdio.h>

void digest_bytes(
	const void *bytes, size_t len, unsigned char digest[DIGEST_BYTES])
{
	SHA256_CTX hash;
	int ok = SHA256_Init(&hash) && SHA256_Update(&hash, bytes, len) &&
		 SHA256_Final(digest, &hash);

	assert(ok);
}

const char *digest_text(
	const void *bytes, size_t len, char text[DIGEST_TEXT_MAX])
{
	unsigned char digest[DIGEST_BYTES];

	digest_bytes(bytes, len, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}
