/*
 * What the files that read actions share: the keys of every action, and one
 * section per type. Private to the loader.
 */
#ifndef TIDEGATE_POLICY_LOAD_ACTION_H
#define TIDEGATE_POLICY_LOAD_ACTION_H

#include "policy/loader.h"

/* An action while it is read: what was said, beside what it means. */
struct draft {
	struct action action;
	bool idempotent; /* counts when the key is there */
};

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

#define COMMON_KEYS                                                            \
	{"name", read_action_name, .required = true},                          \
		{"type", read_type, .required = true},                         \
		{"timeout", read_duration,                                     \
			offsetof(struct draft, action.timeout_ms),             \
			&action_timeout_range},                                \
		{"retries", read_whole,                                        \
			offsetof(struct draft, action.retries),                \
			&action_retries_range},                                \
		{"on_failure", read_on_failure},                               \
		{"idempotent", read_bool, offsetof(struct draft, idempotent)}, \
	{                                                                      \
		"when", read_when                                              \
	}

/* const char **: a program and its arguments; size_t: offset of their number */
void read_argv(
	struct loader *, const struct node *, const struct key *, void *);

/* After the keys: what depends on several of them, and the default of
 * `idempotent`. */
typedef void (*finish_fn)(
	struct loader *loader, const struct node *node, struct action *action);

/* ---- policy_load_repair.c ---- */

void begin_silence(struct action *action);
void finish_silence(
	struct loader *loader, const struct node *node, struct action *action);
void finish_redis(
	struct loader *loader, const struct node *node, struct action *action);
void finish_secret(
	struct loader *loader, const struct node *node, struct action *action);
void finish_firebase(
	struct loader *loader, const struct node *node, struct action *action);
void finish_kubernetes(
	struct loader *loader, const struct node *node, struct action *action);

/* ---- policy_load_notify.c ---- */

void begin_report(struct action *action);
void finish_slack(
	struct loader *loader, const struct node *node, struct action *action);
void finish_webhook(
	struct loader *loader, const struct node *node, struct action *action);
void begin_pagerduty(struct action *action);
void finish_pagerduty(
	struct loader *loader, const struct node *node, struct action *action);

#endif
