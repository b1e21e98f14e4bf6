/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of token endpoints: a token fit for a header, or one line why not. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "google/key_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_token(const char *bytes, size_t len)
{
	struct secret *token;
	int64_t life_s = 0;
	struct err err;

	if (token_decode(bytes, len, &token, &life_s, &err) < 0) {
		assert(!token && err.code == ERR_PROTOCOL);
		assert(!strpbrk(err.text, "\n\r\x1b"));
		return;
	}
	assert(token_is_valid(secret_reveal(token), secret_len(token)));
	assert(life_s >= 1 && life_s <= TOKEN_LIFE_S_MAX);
	secret_free(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {400, 403, 500};
	struct err err;
	size_t i;

	try_token((const char *)data, size);
	for (i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		err.code = ERR_NONE;
		oauth_error_decode(statuses[i], (const char *)data, size, &err);
		assert(err.code > ERR_NONE && err.code < ERR_CODES);
		assert(!strpbrk(err.text, "\n\r\x1b"));
	}
	return 0;
}
