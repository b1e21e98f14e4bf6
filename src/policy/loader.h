/*
 * What the files of the loader share: tables of keys, and readers that put a
 * node's value into a struct. Private to the loader.
 *
 * A reader that meets something wrong adds a problem and leaves the target as
 * it is; reading goes on, so that all problems are told at once.
 */
#ifndef TIDEGATE_POLICY_LOADER_H
#define TIDEGATE_POLICY_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "policy/policy_load.h"
#include "policy/problem.h"
#include "policy/yaml_doc.h"

struct loader {
	struct policy *policy;
	struct arena *arena; /* the policy's */
	const struct policy_env *env;
	struct problems problems;
	const struct node *root;
	struct name *names; /* of all actions so far */
	bool metrics_read;
};

struct key;
typedef void (*read_fn)(struct loader *loader, const struct node *value,
	const struct key *key, void *into);

/* One key that may stand in a mapping. */
struct key {
	const char *name; /* NULL ends a table */
	read_fn read; /* NULL: of the contract, but not of this version */
	size_t offset; /* of the target in the struct */
	const void *detail; /* what `read` wants: a range, choices, a section */
	bool required;
	const char *value; /* when it is not there, as one would write it */
};

/* The keys of one kind of mapping. */
struct section {
	const char *what; /* in messages: "a step" */
	const struct key *keys;
};

/* All of them, so that a test can compare their keys with the schema's. */
extern const struct section policy_section, target_section, metrics_section,
	auth_section, tls_section, step_section, approval_section, slo_section,
	fail_after_section, requests_section, json_slo_section,
	json_baseline_section, json_requests_section, sentry_slo_section,
	sentry_baseline_section, sentry_requests_section, hooks_section,
	http_section, expect_section, exec_section, silence_section,
	redis_section, database_section, slack_section, webhook_section,
	pagerduty_section, secret_section, firebase_section, kubernetes_section,
	report_section;

/* Of spellings in the file. */
struct choice {
	const char *name; /* NULL ends a list */
	int value; /* -1: of the contract, but not of this version */
};

struct duration_range {
	int64_t min_ms, max_ms;
};

struct whole_range {
	int min, max;
};

#define MS_SECOND INT64_C(1000)
#define MS_MINUTE (60 * MS_SECOND)
#define MS_HOUR   (60 * MS_MINUTE)
#define MS_DAY    (24 * MS_HOUR)

/* ---- read.c ---- */

void problem_at(struct loader *loader, const struct node *node, const char *fmt,
	...) PRINTFLIKE(3, 4);
struct srcpos node_pos(const struct loader *loader, const struct node *node);
/* For messages: a key's value, or the mapping when it has no such key. */
const struct node *place_of(const struct node *mapping, const char *key);

/* Reads a mapping by the section's table into the struct `into`, after the
 * defaults of the table. */
void read_section(struct loader *loader, const struct node *mapping,
	const struct section *section, void *into);
void read_defaults(
	struct loader *loader, const struct section *section, void *into);
/* A text of ours as a tree. */
struct node *node_of(struct loader *loader, const char *yaml);
/* Lists: their number of items, 0 after a problem. */
size_t list_len(struct loader *loader, const struct node *list,
	const char *what, size_t max);
/* A scalar's text, borrowed; NULL after a problem. */
const char *scalar(struct loader *loader, const struct node *node);
/* The same that holds neither ${VAR} nor {{template}}. */
const char *plain_text(struct loader *loader, const struct node *node);
/* Tells of each template in a scalar that is none. */
bool templates_are_good(struct loader *loader, const struct node *node);
/* The same that may hold {{templates}}, which are checked. */
const char *template_text(struct loader *loader, const struct node *node);
/* [a-z0-9][a-z0-9_-]*, at most POLICY_NAME_MAX bytes. */
const char *name_text(struct loader *loader, const struct node *node);
bool whole_number(struct loader *loader, const struct node *node,
	const struct whole_range *range, int *value_r);
bool choose(struct loader *loader, const struct node *node,
	const struct choice *choices, int *value_r);

/* Names of Google's: `detail` has the characters beside letters, digits and
 * "-". */
void read_cloud_name(struct loader *, const struct node *, const struct key *,
	void *); /* const char * */

/* Readers for tables; the target's type and `detail` in brackets. */
void read_node(struct loader *, const struct node *, const struct key *,
	void *); /* const struct node *: looked at later */
void read_nested(struct loader *, const struct node *, const struct key *,
	void *); /* a struct; struct section */
void read_text(struct loader *, const struct node *, const struct key *,
	void *); /* const char * */
void read_template(struct loader *, const struct node *, const struct key *,
	void *); /* const char * */
void read_name(struct loader *, const struct node *, const struct key *,
	void *); /* const char * */
void read_bool(struct loader *, const struct node *, const struct key *,
	void *); /* bool */
void read_whole(struct loader *, const struct node *, const struct key *,
	void *); /* int; struct whole_range */
void read_choice(struct loader *, const struct node *, const struct key *,
	void *); /* an enum; struct choice[] */
void read_duration(struct loader *, const struct node *, const struct key *,
	void *); /* int64_t; struct duration_range */

/* ---- policy_secret.c ---- */

/* Kept for the life of the policy and wiped at its end. One that is `known`
 * is masked in every message. */
struct secret *keep_secret(
	struct loader *loader, const char *value, size_t len, bool known);
/* Whether what the node stands for may be a placeholder here: then its form
 * says nothing and is not judged. */
bool may_be_placeholder(const struct loader *loader, const struct node *node);
/* A text whose ${VAR}s are filled in and secret; NULL after a problem. */
struct secret *secret_text(struct loader *loader, const struct node *node);
/* The same with {{templates}}, which are checked. What a ${VAR} holds is never
 * taken for one. */
struct secret *secret_template(struct loader *loader, const struct node *node);
/* The same where a ${VAR} is no secret: an environment, a release. */
const char *variable_text(struct loader *loader, const struct node *node);
/* The same, for what must not stand in the file itself. */
struct secret *secret_variable(
	struct loader *loader, const struct node *node, const char *file_key);
/* The content of a *_file without its last newline. */
struct secret *secret_file(struct loader *loader, const struct node *node);
/* A URL with ${VAR} and, if `templates`, {{templates}}. `shown_r` (may be
 * NULL) is it without its secret parts. */
struct secret *secret_url(struct loader *loader, const struct node *node,
	bool templates, const char **shown_r);
/* The same for redis://user:password@host:port/database. */
struct secret *secret_redis_url(struct loader *loader, const struct node *node);
/* A path, relative ones from the policy's folder. */
const char *file_path(struct loader *loader, const struct node *node);

/* ---- policy_json.c ---- */

/* A value as JSON text: what JSON reads as a number, true, false or null is
 * one unless it is quoted. NULL after a problem. */
const char *json_text(struct loader *loader, const struct node *node);
bool is_json_number(const struct node *node);

/* ---- policy_load_auth.c ---- */

void read_auth(struct loader *, const struct node *, const struct key *,
	void *); /* struct auth */
void read_action_auth(struct loader *, const struct node *, const struct key *,
	void *); /* struct auth, which may ask for an ID token */
void read_tls(struct loader *, const struct node *, const struct key *,
	void *); /* struct tls */
/* NAME: VALUE mappings; the arrays live in the arena. */
void read_headers(struct loader *, const struct node *, const struct key *,
	void *); /* const struct header *; size_t: offset of their number */
void read_env(struct loader *, const struct node *, const struct key *,
	void *); /* const struct env_var *; size_t: offset of their number */
/* Whether it is a mapping of at most `max` keys; tells when it is not. */
bool is_name_list(struct loader *loader, const struct node *node,
	const char *what, size_t max);

/* ---- policy_load_metrics.c ---- */

/* Once, from wherever it is needed first. */
void load_metrics(struct loader *loader);
void read_metrics(struct loader *, const struct node *, const struct key *,
	void *); /* struct policy */
/* That no check judges what is not there yet, or was before the shift. */
void check_metrics(struct loader *loader);

/* ---- policy_load_use.c ---- */

/* The SLO with all that its `use` stands for; NULL after a problem. */
const struct node *use_expand(struct loader *loader, const struct node *slo);
/* Gives a name to those that have none, so that --set finds them. */
void use_names(struct arena *arena, struct node *root);

/* ---- policy_load_slo.c, policy_load_action.c ---- */

void read_slos(struct loader *, const struct node *, const struct key *,
	void *); /* struct policy */
void check_slos(struct loader *loader); /* against steps and metrics */
void read_actions(struct loader *, const struct node *, const struct key *,
	void *); /* struct actions */
void check_actions(struct loader *loader);

#endif
