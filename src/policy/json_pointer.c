/* SPDX-License-Identifier: Apache-2.0 */
/* JSON pointers; see json_pointer.h. */
#include "policy/json_pointer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* Copies one reference token, with ~1 and ~0 undone; returns what follows. */
static const char *token_next(const char *at, char token[POINTER_BYTES_MAX])
{
	size_t n = 0;

	for (at++; *at && *at != '/'; at++) {
		char c = *at;

		if (c == '~')
			c = *++at == '1' ? '/' : '~';
		token[n++] = c;
	}
	token[n] = '\0';
	return at;
}

/* Array indexes have no sign and no leading zero. */
static json_t *element(const json_t *array, const char *token)
{
	char *end;
	unsigned long index;

	if (token[0] < '0' || token[0] > '9' || strlen(token) > 9 ||
		(token[0] == '0' && token[1]))
		return NULL;
	index = strtoul(token, &end, 10);
	return *end ? NULL : json_array_get(array, index);
}

struct json_t *pointer_get(struct json_t *document, const char *pointer)
{
	char token[POINTER_BYTES_MAX];
	json_t *value = document;

	while (*pointer && value) {
		pointer = token_next(pointer, token);
		if (json_is_array(value))
			value = element(value, token);
		else
			value = json_object_get(value, token);
	}
	return value;
}

int pointer_check(const char *pointer, struct err *err_r)
{
	if (strlen(pointer) >= POINTER_BYTES_MAX)
		return err_set(err_r, ERR_POLICY,
			"a JSON pointer of %zu bytes is too long: at most %d",
			strlen(pointer), POINTER_BYTES_MAX - 1);
	if (*pointer && *pointer != '/')
		return err_set(err_r, ERR_POLICY,
			"\"%.80s\" is not a JSON pointer: it must be empty or "
			"start with \"/\"",
			pointer);
	for (const char *p = pointer; (p = strchr(p, '~')); p++)
		if (p[1] != '0' && p[1] != '1')
			return err_set(err_r, ERR_POLICY,
				"\"%.80s\" is not a JSON pointer: \"~\" is "
				"written ~0, \"/\" inside a name ~1",
				pointer);
	return 0;
}
