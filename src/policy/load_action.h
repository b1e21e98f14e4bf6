/*
 * What the files that know actions share: the keys of every action, those of
 * several types, and what each type is. Private to the loader and the plan.
 */
#ifndef TIDEGATE_POLICY_LOAD_ACTION_H
#define TIDEGATE_POLICY_LOAD_ACTION_H

#include "policy/loader.h"

extern const struct duration_range action_timeout_range;
extern const struct whole_range action_retries_range;

void read_action_name(
	struct loader *, const struct node *, const struct key *, void *);
void read_type(
	struct loader *, const struct node *, const struct key *, void *);
void read_on_failure(
	struct loader *, const struct node *, const struct key *, void *);
void read_when(
	struct loader *, const struct node *, const struct key *, void *);

/* clang-format off */
#define COMMON_KEYS \
	{"name", read_action_name, .required = true}, \
	{"type", read_type, .required = true}, \
	{"timeout", read_duration, offsetof(struct action, timeout_ms), \
		&action_timeout_range, .value = "30s"}, \
	{"retries", read_whole, offsetof(struct action, retries), \
		&action_retries_range, .value = "0"}, \
	{"on_failure", read_on_failure, .value = "continue"}, \
	{"when", read_when}

/* Each type says whether a run that was cut off may be repeated. */
#define IDEMPOTENT(value_) \
	{"idempotent", read_bool, offsetof(struct action, idempotent), \
		.value = value_}
/* clang-format on */

/* const char **: a program and its arguments; size_t: offset of their number */
void read_argv(
	struct loader *, const struct node *, const struct key *, void *);
/* const char *: a name that becomes part of a path; `detail`: the characters
 * it may have beside letters and digits. */
void read_path_part(
	struct loader *, const struct node *, const struct key *, void *);

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
	const struct section *section;
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
