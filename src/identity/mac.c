/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC; see mac.h. */
#include "identity/mac.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

void mac_make(const void *key, size_t key_len, const struct mac_part *parts,
	unsigned char mac_r[MAC_BYTES])
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *kind = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *mac = kind ? EVP_MAC_CTX_new(kind) : NULL;
	size_t len = 0;
	int ok = mac && EVP_MAC_init(mac, key, key_len, params) == 1;

	for (; parts->bytes; parts++)
		ok = ok && EVP_MAC_update(mac, parts->bytes, parts->len) == 1;
	ok = ok && EVP_MAC_final(mac, mac_r, &len, MAC_BYTES) == 1;
	EVP_MAC_CTX_free(mac);
	EVP_MAC_free(kind);
	assert(ok && len == MAC_BYTES);
}

bool mac_is_same(
	const unsigned char a[MAC_BYTES], const unsigned char b[MAC_BYTES])
{
	return CRYPTO_memcmp(a, b, MAC_BYTES) == 0;
}
