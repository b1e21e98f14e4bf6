/* SPDX-License-Identifier: Apache-2.0 */
/* A browser's cookies, and what the one of a login holds. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "identity/cookie.h"
#include "identity/login_secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW INT64_C(1790000000)

static void try_login(const char *value, size_t len)
{
	struct login_secret secret, again;
	struct arena arena;
	struct buf text;

	arena_init(&arena);
	buf_init(&text, COOKIE_VALUE_MAX);
	if (login_secret_parse(value, len, NOW, &arena, &secret) == 0) {
		assert(login_next_is_ours(secret.next));
		assert(strlen(secret.state) == 43);
		login_secret_print(&secret, &text);
		assert(login_secret_parse(
			       text.data, text.len, NOW, &arena, &again) == 0);
		assert(strcmp(secret.state, again.state) == 0);
		assert(strcmp(secret.next, again.next) == 0);
	}
	buf_fini(&text);
	arena_fini(&arena);
}

static void try_name(const char *header, const char *name)
{
	const char *value;
	size_t len;

	if (cookie_find(header, name, &value, &len) <= 0)
		return;
	assert(value > header && len > 0 && len <= COOKIE_VALUE_MAX);
	assert(value + len <= header + strlen(header));
	assert(value[-1] == '=' && (!value[len] || value[len] == ';'));
	try_login(value, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_name(text, COOKIE_SESSION);
	try_name(text, COOKIE_LOGIN);
	try_login(text, strlen(text));
	free(text);
	return 0;
}
