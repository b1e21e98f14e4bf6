/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON with secrets in it; see secret_json.h. Owns the allocator that wipes.
 * Must never put a byte of what it reads into a message: jansson's own error
 * texts quote the input, so only their positions are used.
 */
#define _GNU_SOURCE /* explicit_bzero */
#include "google/secret_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

/* In front of each block, so that free knows how much there is to wipe. */
union block {
	size_t size;
	max_align_t align;
};

static void *block_new(size_t size)
{
	union block *block;

	if (size > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return NULL;
	block->size = size;
	return block + 1;
}

static void block_wipe(void *at)
{
	union block *block = at;

	if (!block)
		return;
	block--;
	explicit_bzero(block + 1, block->size);
	free(block);
}

struct alloc {
	json_malloc_t new;
	json_free_t free;
};

/* All code runs in one thread, and jansson is left as it was found before
 * anybody else can call it. */
static struct alloc alloc_enter(void)
{
	struct alloc before;

	json_get_alloc_funcs(&before.new, &before.free);
	json_set_alloc_funcs(block_new, block_wipe);
	return before;
}

static void alloc_leave(struct alloc before)
{
	json_set_alloc_funcs(before.new, before.free);
}

json_t *secret_json_load(const char *bytes, size_t len, struct err *err_r)
{
	struct alloc before = alloc_enter();
	json_error_t where = {0};
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where);

	alloc_leave(before);
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
	struct alloc before = alloc_enter();

	json_decref(*root);
	alloc_leave(before);
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
	struct alloc before = alloc_enter();
	char *text = json_dumps(value, JSON_COMPACT);
	struct secret *held =
		secret_hold(text ? text : "", text ? strlen(text) : 0);

	block_wipe(text);
	alloc_leave(before);
	return held;
}
