/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTML form sends: application/x-www-form-urlencoded, read strictly.
 * Pure.
 */
#ifndef TIDEGATE_BASE_FORM_H
#define TIDEGATE_BASE_FORM_H

#include "base/arena.h"
#include "base/err.h"

#define FORM_FIELDS_MAX 32
#define FORM_NAME_MAX   64 /* bytes of a field's name */

struct form {
	size_t n;
	struct form_field {
		const char *name, *value; /* decoded, in the arena */
	} fields[FORM_FIELDS_MAX];
};

/* ERR_INVALID: a field comes twice or has no name, a "%" is not followed by two
 * digits, something is not UTF-8 or holds a NUL, or there are too many. */
MUST_CHECK int form_parse(const char *bytes, size_t len, struct arena *arena,
	struct form *form_r, struct err *err_r);

/* NULL: it has no such field. */
const char *form_get(const struct form *form, const char *name);

#endif
