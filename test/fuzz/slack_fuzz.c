/* SPDX-License-Identifier: Apache-2.0 */
/* What Slack sends, or somebody who says so: the timestamp and the signature
 * of the headers in two lines, then the body. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "identity/slack_codec.h"
#include "serve/slack_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a button or a modal of ours carries: it comes back as it was. */
static void try_value(const char *text)
{
	struct slack_value value, again;
	struct buf printed;
	struct err err;

	if (slack_value_parse(text, &value, &err) < 0) {
		assert(err.code == ERR_INVALID && *err.text);
		return;
	}
	assert(value.verb < VERBS && value.step >= 0);
	assert(*value.rollout && *value.nonce);
	buf_init(&printed, 8 * SLACK_VALUE_BYTES);
	slack_value_print(&value, &printed);
	assert(!printed.overflow);
	/* Escapes may have made it longer than what Slack takes. */
	if (printed.len <= SLACK_VALUE_BYTES) {
		assert(slack_value_parse(printed.data, &again, &err) == 0);
		assert(again.verb == value.verb && again.step == value.step);
	}
	buf_fini(&printed);
}

static void try_body(const char *body, size_t len)
{
	struct slack_action action;
	struct refusal why = {0};
	struct arena arena;

	arena_init(&arena);
	if (slack_decode(body, len, NULL, &arena, &action, &why) == 0) {
		assert(action.type && action.app && action.user);
		assert(!action.value ||
			strlen(action.value) <= SLACK_VALUE_MAX);
		assert(!action.response_url ||
			strncmp(action.response_url, "https://hooks.slack.com/",
				24) == 0);
		try_value(action.value);
		try_value(action.metadata);
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
	try_value(text);
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
