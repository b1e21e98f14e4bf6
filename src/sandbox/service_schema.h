/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema of a Cloud Run service as data, for checking what a client sends
 * and for walking an update mask.
 */
#ifndef TIDEGATE_SANDBOX_SERVICE_SCHEMA_H
#define TIDEGATE_SANDBOX_SERVICE_SCHEMA_H

enum field_kind {
	FIELD_STRING,
	FIELD_BOOL,
	FIELD_INT32,
	FIELD_INT64, /* a string in JSON */
	FIELD_NUMBER,
	FIELD_TIME, /* RFC 3339 */
	FIELD_DURATION, /* "3.5s" */
	FIELD_ENUM,
	FIELD_MAP, /* of strings to strings */
	FIELD_MESSAGE,
};

enum field_flags {
	FIELD_SINGLE = 0,
	FIELD_REPEATED = 1,
	FIELD_OUTPUT_ONLY = 2, /* checked, then ignored */
};

struct field {
	const char *name; /* NULL ends a list */
	enum field_kind kind;
	unsigned flags;
	const struct field *message; /* of FIELD_MESSAGE */
	const char *values; /* of FIELD_ENUM, one blank between two */
};

extern const struct field service_fields[];

#endif
