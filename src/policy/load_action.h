/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that know actions share: the keys of every action, those of
 * several types, and what each type is. Private to the loader and the plan.
 */
#ifndef TIDEGATE_POLICY_LOAD_ACTION_H
#define TIDEGATE_POLICY_LOAD_ACTION_H

#include "policy/loader.h"

/* The keys of every action. */
extern const struct section every_action_section;

/* Each type says whether a run that was cut off may be repeated. */
/* clang-format off */
#define IDEMPOTENT(value_) \
	{"idempotent", &bool_reader, offsetof(struct action, idempotent), \
		.value = value_, \
		.about = "Whether it may run again when a crash cut it off"}
/* clang-format on */

extern const struct reader
	argv_reader, /* const char **: a program; size_t: offset of n */
	path_part_reader; /* const char *; characters beside letters, digits */

/* What an answer has to be; into struct http_expect. */
extern const struct reader statuses_reader, pattern_reader, json_reader;
void plan_answer(struct buf *out, const struct http_expect *expect);
/* Of a whole load; into struct load_expect. */
extern const struct section load_limits_section;
void plan_limits(struct buf *out, const struct load_limits *limits);

/* A secret: KEY: ${VAR}, or KEY_file: PATH, whose row has this as `detail`. */
extern const int from_file;
struct secret *variable_or_file(struct loader *loader, const struct node *value,
	const struct key *key, const char *file_key);
/* One of the two, and only one. */
void need_one_of(struct loader *loader, const struct node *node,
	const char *key, const char *file_key);

/* ---- types ---- */

/* What the policy knows of one type of action. */
struct policy_action {
	struct section section;
	/* After the keys: what depends on several of them. May be NULL. */
	void (*finish)(struct loader *loader, const struct node *node,
		struct action *action);
	/* What it will do, in one line without a newline. */
	void (*plan)(struct buf *out, const struct action *action);
};

#define TYPE(kind, name, text) \
	extern const struct policy_action policy_action_##name;
ACTION_TYPES(TYPE)
#undef TYPE

extern const struct policy_action *const policy_actions[ACTION_KINDS];

#endif
