/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may be given with a request, as tables: one table serves reading,
 * refusing what is unknown, and the OpenAPI document.
 */
#ifndef TIDEGATE_SERVE_FIELDS_H
#define TIDEGATE_SERVE_FIELDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct visit;

enum field_kind {
	FIELD_TEXT, /* at most `max` bytes */
	FIELD_WHOLE, /* 0 to `max` */
	FIELD_FLAG,
	FIELD_TIME, /* RFC 3339 */
	FIELD_CHOICE, /* one of `choices` */
};

struct field {
	const char *name; /* NULL ends a table */
	enum field_kind kind;
	bool required; /* and not empty, unless … */
	int64_t max;
	const char *const *choices; /* NULL-terminated */
	const char *about; /* one sentence, no full stop */
	bool may_be_empty;
};

#define FIELDS_MAX 16

struct field_value {
	bool there;
	const char *text; /* FIELD_TEXT, FIELD_CHOICE: as given; else NULL */
	int64_t number; /* whole, flag, time in ms, index of the choice */
};

/* Values in the order of the table; texts live as long as the visit. What is
 * missing, unknown or of another kind is ERR_USAGE. */
MUST_CHECK int fields_of_query(struct visit *visit, const struct field *fields,
	struct field_value values_r[FIELDS_MAX], struct err *err_r);
/* Whether nothing else is in the query. */
MUST_CHECK int fields_check_query(const struct visit *visit,
	const struct field *fields, struct err *err_r);
MUST_CHECK int fields_of_body(struct visit *visit, const struct field *fields,
	struct field_value values_r[FIELDS_MAX], struct err *err_r);

#endif
