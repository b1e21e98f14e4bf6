/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a JSON object as Google's APIs write them (proto3 JSON): what is
 * missing or null has its default, int64 are strings, and a member of another
 * type than announced is a bad answer, never guessed at.
 */
#ifndef TIDEGATE_CLOUDRUN_JSON_GET_H
#define TIDEGATE_CLOUDRUN_JSON_GET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* One JSON object, owned by the caller. `what` is for the message. */
MUST_CHECK json_t *json_get_root(
	const char *what, const char *bytes, size_t len, struct err *err_r);

/* Each fails with ERR_PROTOCOL. Results are borrowed from the object. */
MUST_CHECK int json_get_text(const json_t *object, const char *key,
	const char **text_r, struct err *err_r); /* missing or "": NULL */
MUST_CHECK int json_get_bool(const json_t *object, const char *key,
	bool *value_r, struct err *err_r);
MUST_CHECK int json_get_int64(const json_t *object, const char *key,
	int64_t *value_r, struct err *err_r); /* "42" and 42 */
MUST_CHECK int json_get_object(const json_t *object, const char *key,
	json_t **object_r, struct err *err_r); /* missing: NULL */
MUST_CHECK int json_get_array(const json_t *object, const char *key,
	json_t **array_r, struct err *err_r); /* missing: NULL */

/* The same for texts that only explain: whatever is not a text is NULL. */
const char *json_get_hint(const json_t *object, const char *key);

#define JSON_HINT_MAX 800 /* bytes with the NUL */

/* Appends somebody's text as one printable line, cut when it is too long. */
void json_hint_add(struct buf *out, const char *text);

/* The part of a resource name after the last '/'. */
const char *resource_short_name(const char *name);

/* Letters, digits, '-', '_' and '.': what may stand in a path as it is. */
bool resource_is_label(const char *text);

#endif
