/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON with secrets in it; see secret_json.h. Owns the allocator that wipes.
 * Must never put a byte of what it reads into a message: jansson's own error
 * texts quote the input, so only their positions are used.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "google/secret_json.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* Set while jansson works on secrets, in this thread: others decode long answers
 * meanwhile. Blocks are malloc's own, whoever takes and frees them. */
static _Thread_local bool has_secrets;

static void block_free(void *at)
{
	if (at && has_secrets)
		explicit_bzero(at, malloc_usable_size(at));
	free(at);
}

/* Once, before there are threads. */
__attribute__((constructor)) static void alloc_install(void)
{
	json_set_alloc_funcs(malloc, block_free);
}

json_t *secret_json_load(const char *bytes, size_t len, struct err *err_r)
{
	json_error_t where = {0};
	json_t *root;

	has_secrets = true;
	root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where);
	has_secrets = false;
	if (json_is_object(root))
		return root;
	if (root)
		err_set(err_r, ERR_PROTOCOL,
			"it is JSON but not an object {…}");
	else if (!len)
		err_set(err_r, ERR_PROTOCOL, "it is empty");
	else
		err_set(err_r, ERR_PROTOCOL,
			"it is not JSON: error at line %d, column %d",
			where.line, where.column);
	secret_json_free(&root);
	return NULL;
}

void secret_json_free(json_t **root)
{
	has_secrets = true;
	json_decref(*root);
	has_secrets = false;
	*root = NULL;
}

const char *secret_json_word(
	const json_t *root, const char *name, size_t max, struct err *err_r)
{
	const json_t *member = json_object_get(root, name);
	const char *text = json_string_value(member), *at;

	if (!text) {
		err_set(err_r, ERR_PROTOCOL,
			member ? "\"%s\" is not a string" : "\"%s\" is missing",
			name);
		return NULL;
	}
	for (at = text; *at > ' ' && *at < 0x7f;)
		at++;
	if (!*text || *at || (size_t)(at - text) > max) {
		err_set(err_r, ERR_PROTOCOL,
			"\"%s\" must be 1 to %zu visible ASCII characters",
			name, max);
		return NULL;
	}
	return text;
}

int secret_json_copy(const json_t *root, const char *name, size_t max,
	char **word_r, struct err *err_r)
{
	const char *word = secret_json_word(root, name, max, err_r);

	*word_r = xstrdup(word);
	return word ? 0 : -1;
}

int secret_json_optional(const json_t *root, const char *name, size_t max,
	char **word_r, struct err *err_r)
{
	const json_t *member = json_object_get(root, name);

	*word_r = NULL;
	if (!member || json_is_null(member) ||
		(json_is_string(member) && !json_string_length(member)))
		return 0;
	return secret_json_copy(root, name, max, word_r, err_r);
}

int secret_json_secret(const json_t *root, const char *name, size_t max,
	struct secret **word_r, struct err *err_r)
{
	const char *word = secret_json_word(root, name, max, err_r);

	*word_r = word ? secret_new(word, strlen(word)) : NULL;
	return word ? 0 : -1;
}

struct secret *secret_json_text(const json_t *value)
{
	struct secret *held;
	char *text;

	has_secrets = true;
	text = json_dumps(value, JSON_COMPACT);
	held = secret_hold(text ? text : "", text ? strlen(text) : 0);
	block_free(text);
	has_secrets = false;
	return held;
}
