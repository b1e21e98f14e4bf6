/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the event codec only: which event has which fields. Encoding and
 * decoding both walk this table; what is not in it is not journaled.
 */
#ifndef TIDEGATE_STORE_EVENT_FIELDS_H
#define TIDEGATE_STORE_EVENT_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "engine/rollout.h"

enum field_kind {
	KIND_TEXT, /* left out when empty */
	KIND_BOOL,
	KIND_FLAG, /* bool, left out when false */
	KIND_INT, /* int, 0 … max */
	KIND_LONG, /* int64_t, 0 … max */
	KIND_COUNT, /* the same, left out when 0 */
	KIND_SEED, /* uint64_t as a string: JSON's numbers are too small */
	KIND_STEP, /* int, printed from 1; -1 is left out */
	KIND_SPLIT,
	KIND_ANSWERS,
	KIND_COUNTS, /* of SLOs of kind evidence, left out when NULL */
	KIND_HISTORIES, /* the same, left out when there are none */
	KIND_SLO, /* int, by name */
	KIND_ACTION, /* list and index, by names */
	KIND_NAME, /* enum with a name and a find function */
	KIND_CHOICE, /* the same, left out when 0 */
};

/* An enum of the engine with its names. */
struct names {
	const char *(*name)(int value);
	int (*find)(const char *name); /* `n`: unknown */
	int n;
};

struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	int64_t max;
	const struct names *names;
};

#define EVENT_FIELDS_MAX 16

/* One row per event; a NULL key ends it. */
extern const struct field event_fields[EVENTS][EVENT_FIELDS_MAX];

/* What the answers of a check are called, by role. */
extern const char *const answer_keys[QUERY_ROLES];

#endif
