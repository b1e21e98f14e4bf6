/* SPDX-License-Identifier: Apache-2.0 */
/* Files of people and of who acts as an account. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "google/user_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_user(const char *bytes, size_t len, bool federated)
{
	struct user_key key;
	struct err err;

	if (user_decode(bytes, len, federated, &key, &err) < 0) {
		assert(err.code == ERR_AUTH && !key.refresh_token);
		assert(!strpbrk(err.text, "\n\r\x1b"));
	} else {
		assert(*key.client_id && secret_len(key.client_secret));
		assert(secret_len(key.refresh_token));
		assert(federated == (key.token_url != NULL));
	}
	user_fini(&key);
}

static void try_impersonated(const char *bytes, size_t len)
{
	struct impersonated_key key;
	struct err err;
	size_t i;

	if (impersonated_decode(bytes, len, &key, &err) < 0) {
		assert(err.code == ERR_AUTH && !key.source);
		assert(!strpbrk(err.text, "\n\r\x1b"));
	} else {
		assert(iam_account_is_valid(key.email));
		assert(secret_reveal(key.source)[0] == '{');
		for (i = 0; key.delegates[i]; i++)
			assert(i < DELEGATES_MAX);
	}
	impersonated_fini(&key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_user((const char *)data, size, false);
	try_user((const char *)data, size, true);
	try_impersonated((const char *)data, size);
	return 0;
}
