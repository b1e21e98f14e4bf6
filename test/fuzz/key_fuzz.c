/* SPDX-License-Identifier: Apache-2.0 */
/* Credential files: what is accepted is whole and asks only Google. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/xalloc.h"
#include "google/key_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_type(const char *bytes, size_t len)
{
	struct err err;
	char *type;

	if (key_type_decode(bytes, len, &type, &err) == 0) {
		assert(type && *type);
	} else {
		assert(!type && err.code == ERR_AUTH);
		assert(!strpbrk(err.text, "\n\r\x1b"));
	}
	xfree(&type);
}

static void try_key(const char *bytes, size_t len)
{
	struct service_account_key key;
	struct err err;

	if (key_decode(bytes, len, &key, &err) < 0) {
		assert(err.code == ERR_AUTH && !key.private_key);
		assert(!strpbrk(err.text, "\n\r\x1b"));
		return;
	}
	assert(*key.client_email && secret_len(key.private_key));
	assert(strncasecmp(key.token_uri, "https://", 8) == 0);
	assert(strstr(key.token_uri, ".googleapis.com"));
	assert(!strpbrk(key.token_uri, " \n\r@\\#?"));
	key_fini(&key);
	assert(!key.private_key && !key.client_email);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_type((const char *)data, size);
	try_key((const char *)data, size);
	return 0;
}
