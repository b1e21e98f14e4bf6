/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions as JSON; see session_codec.h. */
#include "identity/session_codec.h"

#include <jansson.h>
#include <string.h>

#include "base/jsonw.h"

static const char *const session_methods[] = {"oidc", "invite"};

static void put_optional(struct jsonw *w, const char *name, const char *text)
{
	if (text)
		jsonw_text(w, name, text);
}

char *session_encode(const struct caller *caller)
{
	struct buf out;
	struct jsonw w = {.out = &out};

	buf_init(&out, SESSION_BYTES_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(&w, "method", caller->method);
	jsonw_text(&w, "issuer", caller->issuer);
	jsonw_array(&w, "keys");
	for (size_t i = 0; i < caller->n_keys; i++)
		jsonw_text(&w, NULL, caller->keys[i]);
	jsonw_end(&w, ']');
	put_optional(&w, "label", caller->label);
	put_optional(&w, "person", caller->person);
	jsonw_bool(&w, "machine", caller->is_machine);
	jsonw_bool(&w, "vetted", caller->is_vetted);
	jsonw_int(&w, "rights", caller->rights);
	jsonw_end(&w, '}');
	return buf_steal(&out);
}

static const char *text_of(
	const json_t *root, const char *name, struct arena *arena)
{
	return arena_strdup(
		arena, json_string_value(json_object_get(root, name)));
}

/* One of those that have sessions, and static. */
static const char *method_of(const json_t *root)
{
	const char *text = json_string_value(json_object_get(root, "method"));
	size_t i, n = sizeof(session_methods) / sizeof(*session_methods);

	for (i = 0; text && i < n; i++) {
		if (strcmp(text, session_methods[i]) == 0)
			return session_methods[i];
	}
	return NULL;
}

static int decode_members(const json_t *root, struct arena *arena,
	const char **keys, struct caller *caller, struct err *err_r)
{
	const json_t *list = json_object_get(root, "keys"), *one;
	const char *issuer = text_of(root, "issuer", arena);
	size_t i;

	caller->method = method_of(root);
	caller->issuer = issuer ? issuer : "";
	caller->keys = keys;
	json_array_foreach(list, i, one) {
		if (json_is_string(one) && caller->n_keys < CALLER_KEYS_MAX)
			keys[caller->n_keys++] =
				arena_strdup(arena, json_string_value(one));
	}
	caller->label = text_of(root, "label", arena);
	caller->person = text_of(root, "person", arena);
	caller->is_machine = !json_is_false(json_object_get(root, "machine"));
	caller->is_vetted = json_is_true(json_object_get(root, "vetted"));
	caller->rights =
		(unsigned)json_integer_value(json_object_get(root, "rights")) &
		RIGHTS_ALL;
	if (caller->method && caller->n_keys)
		return 0;
	return err_set(err_r, ERR_STORE,
		"a session in the state file says nothing of who it is");
}

int session_decode(const char *text, struct arena *arena, const char **keys,
	struct caller *caller_r, struct err *err_r)
{
	json_t *root = strlen(text) <= SESSION_BYTES_MAX
			       ? json_loads(text, JSON_REJECT_DUPLICATES, NULL)
			       : NULL;
	int rc;

	*caller_r = (struct caller){0};
	rc = decode_members(root, arena, keys, caller_r, err_r);
	json_decref(root);
	return rc;
}
