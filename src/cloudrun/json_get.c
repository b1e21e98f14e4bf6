/* SPDX-License-Identifier: Apache-2.0 */
/* Members of proto3 JSON objects; see json_get.h. Knows no resource. */
#include "cloudrun/json_get.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"

#define LABEL_MAX 63 /* bytes: of a DNS label, which all our names are */
#define LABEL_CHARS                  \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-_."

json_t *json_get_root(
	const char *what, const char *bytes, size_t len, struct err *err_r)
{
	json_error_t error;
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	struct buf text;

	if (!root) {
		buf_init(&text, JSON_HINT_MAX);
		json_hint_add(&text, error.text);
		err_set(err_r, ERR_PROTOCOL,
			"the %s is not valid JSON: line %d: %s", what,
			error.line, text.data);
		buf_fini(&text);
		return NULL;
	}
	if (!json_is_object(root)) {
		json_decref(root);
		err_set(err_r, ERR_PROTOCOL, "the %s is not a JSON object",
			what);
		return NULL;
	}
	return root;
}

static int wrong_type(const char *key, const char *wanted, struct err *err_r)
{
	return err_set(err_r, ERR_PROTOCOL, "\"%s\" is not %s", key, wanted);
}

/* NULL: missing, or null, which proto3 reads as the default. */
static json_t *json_get(const json_t *object, const char *key)
{
	json_t *value = json_object_get(object, key);

	return json_is_null(value) ? NULL : value;
}

int json_get_text(const json_t *object, const char *key, const char **text_r,
	struct err *err_r)
{
	const json_t *value = json_get(object, key);

	*text_r = NULL;
	if (value && !json_is_string(value))
		return wrong_type(key, "a string", err_r);
	if (value && json_string_length(value) > 0)
		*text_r = json_string_value(value);
	return 0;
}

const char *json_get_hint(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

int json_get_bool(
	const json_t *object, const char *key, bool *value_r, struct err *err_r)
{
	const json_t *value = json_get(object, key);

	*value_r = json_is_true(value);
	if (value && !json_is_boolean(value))
		return wrong_type(key, "true or false", err_r);
	return 0;
}

int json_get_int64(const json_t *object, const char *key, int64_t *value_r,
	struct err *err_r)
{
	const json_t *value = json_get(object, key);
	const char *text = json_string_value(value);
	char *end;

	*value_r = json_integer_value(value); /* 0 for NULL */
	if (!value || json_is_integer(value))
		return 0;
	if (!text || strspn(text, "-0123456789") != strlen(text))
		return wrong_type(key, "a whole number", err_r);
	errno = 0;
	*value_r = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return wrong_type(key, "a whole number of 64 bits", err_r);
	return 0;
}

int json_get_object(const json_t *object, const char *key, json_t **object_r,
	struct err *err_r)
{
	*object_r = json_get(object, key);
	if (*object_r && !json_is_object(*object_r))
		return wrong_type(key, "an object", err_r);
	return 0;
}

int json_get_array(const json_t *object, const char *key, json_t **array_r,
	struct err *err_r)
{
	*array_r = json_get(object, key);
	if (*array_r && !json_is_array(*array_r))
		return wrong_type(key, "an array", err_r);
	return 0;
}

void json_hint_add(struct buf *out, const char *text)
{
	char line[JSON_HINT_MAX];

	printable_copy(line, sizeof(line), text);
	buf_adds(out, line); /* whole or not at all: no half characters */
}

const char *resource_short_name(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

bool resource_is_label(const char *text)
{
	size_t len = strspn(text, LABEL_CHARS);

	return len > 0 && len <= LABEL_MAX && text[len] == '\0' &&
	       text[0] != '.';
}
