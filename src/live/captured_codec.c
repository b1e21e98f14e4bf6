/* SPDX-License-Identifier: Apache-2.0 */
/* What was captured, as JSON; see captured_codec.h. */
#include "live/captured_codec.h"

#include <jansson.h>

#include "base/xalloc.h"

char *captured_uid(const char *data)
{
	json_t *root = json_loads(data, 0, NULL);
	const char *uid = json_string_value(json_object_get(root, "uid"));
	char *copy = uid ? xstrdup(uid) : NULL;

	json_decref(root);
	return copy;
}

void captured_decode(const char *data,
	void (*fn)(const char *name, const char *text, void *arg), void *arg)
{
	json_t *root = json_loads(data, 0, NULL), *value;
	const char *name;

	json_object_foreach(json_object_get(root, "kept"), name, value) {
		if (json_is_string(value))
			fn(name, json_string_value(value), arg);
	}
	json_decref(root);
}
