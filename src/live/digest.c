/* SHA-256 as hex; see digest.h. */
#include "live/digest.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdio.h>

const char *digest_text(
	const void *bytes, size_t len, char text[DIGEST_TEXT_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int n;
	int ok = EVP_Digest(bytes, len, digest, &n, EVP_sha256(), NULL);

	assert(ok && n == 32);
	for (unsigned int i = 0; i < n; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}
