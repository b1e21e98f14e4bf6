/* SPDX-License-Identifier: Apache-2.0 */
/* What issuers publish: keys and discovery documents; and sessions as the state
 * file has them. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "identity/discovery_codec.h"
#include "identity/jwks_codec.h"
#include "identity/session_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct err *err)
{
	assert(*err->text && !strpbrk(err->text, "\n\r\x1b"));
}

static void try_keys(const char *bytes, size_t len)
{
	struct err err;
	struct jwks *keys = jwks_decode(bytes, len, &err);

	if (keys)
		assert(jwks_count(keys) > 0 &&
			jwks_count(keys) <= JWKS_KEYS_MAX);
	else
		check_text(&err);
	jwks_free(&keys);
}

static void try_discovery(const char *bytes, size_t len)
{
	struct discovery d;
	struct err err;

	if (discovery_decode(bytes, len, "https://issuer.example", &d, &err) ==
		0) {
		assert(strncasecmp(d.keys_url, "http", 4) == 0);
		discovery_fini(&d);
	} else {
		check_text(&err);
		assert(!d.keys_url && !d.token_url);
	}
}

static void try_session(const char *bytes, size_t len)
{
	const char *keys[CALLER_KEYS_MAX];
	char *text = malloc(len + 1), *again;
	struct caller caller;
	struct arena arena;
	struct err err;

	assert(text);
	memcpy(text, bytes, len);
	text[len] = '\0';
	arena_init(&arena);
	if (session_decode(text, &arena, keys, &caller, &err) == 0) {
		assert(caller.n_keys > 0 && caller.n_keys <= CALLER_KEYS_MAX);
		assert(!(caller.rights & ~RIGHTS_ALL));
		again = session_encode(&caller);
		free(again);
	} else {
		check_text(&err);
	}
	arena_fini(&arena);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	try_keys(bytes, size);
	try_discovery(bytes, size);
	try_session(bytes, size);
	return 0;
}
