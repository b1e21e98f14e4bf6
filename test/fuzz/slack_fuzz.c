/* SPDX-License-Identifier: Apache-2.0 */
/* What Slack sends, or somebody who says so: the timestamp and the signature
 * of the headers in two lines, then the body. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "identity/slack_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_body(const char *body, size_t len)
{
	struct slack_action action;
	struct refusal why = {0};
	struct arena arena;

	arena_init(&arena);
	if (slack_decode(body, len, &arena, &action, &why) == 0) {
		assert(action.type && action.app && action.user);
		assert(!action.value ||
			strlen(action.value) <= SLACK_VALUE_MAX);
		assert(!action.response_url ||
			strncmp(action.response_url, "https://hooks.slack.com/",
				24) == 0);
	} else {
		assert(why.code != REFUSAL_NONE && *why.reason);
		assert(!strpbrk(why.reason, "\n\r\x1b"));
	}
	arena_fini(&arena);
}

/* The rest of the text behind the line, which is ended. */
static char *next_line(char *text)
{
	char *stop = strchr(text, '\n');

	if (!stop)
		return text + strlen(text);
	*stop = '\0';
	return stop + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char secret_text[] = "8f742231b10e8888";
	struct secret *secret = secret_new(secret_text, strlen(secret_text));
	char *text = malloc(size + 1), *signature, *body;
	struct refusal why = {0};

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	try_body(text, size);
	signature = next_line(text);
	body = next_line(signature);
	/* It cannot be forged. */
	assert(slack_check_signature(secret, text, signature, body,
		       (size_t)(text + size - body), 1790000000, &why) < 0);
	assert(!strpbrk(why.reason, "\n\r\x1b"));
	try_body(body, (size_t)(text + size - body));
	free(text);
	secret_free(&secret);
	return 0;
}
