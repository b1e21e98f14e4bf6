/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON that holds keys or tokens: every byte jansson takes for it is wiped
 * when it is freed, and errors never quote it.
 */
#ifndef TIDEGATE_GOOGLE_SECRET_JSON_H
#define TIDEGATE_GOOGLE_SECRET_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/secret.h"

/* The object in `bytes`, or NULL with where it stops to be one. */
MUST_CHECK json_t *secret_json_load(
	const char *bytes, size_t len, struct err *err_r);
/* Between the load and this, nothing is added to or taken from the value. */
void secret_json_free(json_t **root);

/* A member that must be a string, not empty, of visible ASCII only, at most
 * `max` bytes; NULL with a reason that names it, never its value. */
MUST_CHECK const char *secret_json_word(
	const json_t *root, const char *name, size_t max, struct err *err_r);

/* A copy of it, owned by the caller; NULL and -1 when there is none. */
MUST_CHECK int secret_json_copy(const json_t *root, const char *name,
	size_t max, char **word_r, struct err *err_r);
/* Absent, null and "" give NULL and 0. */
MUST_CHECK int secret_json_optional(const json_t *root, const char *name,
	size_t max, char **word_r, struct err *err_r);
MUST_CHECK int secret_json_secret(const json_t *root, const char *name,
	size_t max, struct secret **word_r, struct err *err_r);

/* The text of a value inside of it. */
struct secret *secret_json_text(const json_t *value);

#endif
