/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the loader share: tables of keys, and readers that put a
 * node's value into a struct. For the loader, and for files of other kinds
 * that are read in the same way.
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
	struct problems problems, warnings;
	const struct node *root;
	struct name *names; /* of all actions so far */
	bool metrics_read;
};

struct jsonw;
struct key;
struct section;
typedef void (*read_fn)(struct loader *loader, const struct node *value,
	const struct key *key, void *into);

/* How the values of a key are read, and what they are to people and to a JSON
 * schema. */
struct reader {
	read_fn read;
	const char *what; /* "a duration" */
	/* The members of its schema, with ' for "; mappings need none. */
	const char *schema;
	/* NULL, or what depends on the key's `detail`: instead of `what`, and
	 * beside `schema`. */
	void (*add_what)(struct buf *out, const struct key *key);
	void (*add_schema)(struct jsonw *w, const struct key *key);
	const char *def; /* its schema's own name; NULL: it is none of $defs */
	/* Mappings, or a list of them: the sections, up to a NULL. */
	const struct section *const *sections;
	const char *by; /* the key whose value, `chosen`, tells them apart */
	int list_min, list_max; /* 0: no list */
};

enum need {
	KEY_OPTIONAL,
	KEY_REQUIRED,
	KEY_REQUIRED_UNLESS, /* without the section's `unless` */
	KEY_ONLY_WITH, /* only with it */
};

/* One key that may stand in a mapping. */
struct key {
	const char *name; /* NULL ends a table */
	/* NULL: there is none, but it is likely to be written: `instead`. */
	const struct reader *reader;
	size_t offset; /* of the target in the struct */
	const void *detail; /* what the reader wants: a range, choices */
	enum need need;
	const char *value; /* when it is not there, as one would write it */
	const char *about; /* one line for the manual and the schema */
	/* Without a reader: why not, and what to write. NULL: of the contract,
	 * but not of this version. */
	const char *instead;
};

/* Rules about several keys that a schema can tell; the loader's messages for
 * them are in code. */
enum rule_kind {
	RULE_END,
	RULE_ANY_OF, /* one of them has to be there, unless `unless` is */
	/* one and only one, likewise; a flag counts when it is true */
	RULE_ONE_OF,
	RULE_TOGETHER, /* both or none, likewise */
	RULE_NOT_BOTH,
};

struct rule {
	enum rule_kind kind;
	const char *keys[5]; /* up to a NULL */
};

/* The keys of one kind of mapping. */
struct section {
	const char *what; /* in messages: "a step" */
	const struct key *keys;
	const struct section *base; /* whose keys it has, too; NULL: none */
	const char *def; /* its name in the schema */
	const char *about; /* one line */
	const char *chosen; /* value of its reader's `by`; NULL: none */
	const char *chosen_by; /* another key, which goes before that one */
	const char *unless; /* KEY or KEY=VALUE that changes what is needed */
	const struct rule *rules; /* NULL: none */
};

extern const struct section policy_section;

/* What a file of another kind is: its keys, and what is to be said of it as a
 * whole. */
struct document_kind {
	const struct section *section;
	void (*check)(struct loader *loader, void *into);
};

/* Reads such a file into a struct, with everything that a policy's file has:
 * places, all problems at once, ${VAR}, secrets. What is given back owns texts
 * and secrets of the struct and is no policy; NULL after a problem. */
MUST_CHECK struct policy *document_parse(const char *path, const char *bytes,
	size_t len, const struct policy_env *env,
	const struct document_kind *kind, void *into, struct buf *problems,
	struct err *err_r);

/* Its schema. */
void schema_print(const struct section *root, const char *title,
	const char *description, struct buf *out);

/* Of a schema: a text, which YAML may take for a number or a flag, … */
#define TEXT_SCHEMA "'type': ['string', 'number', 'boolean']"
/* … a name, under $defs/name, … */
#define NAME_SCHEMA TEXT_SCHEMA ", 'minLength': 1, 'maxLength': 63"
/* … a URL, under $defs/url, … */
#define URL_SCHEMA "'type': 'string', 'minLength': 1"
/* … one of a limit, under $defs/limit, … */
#define LIMIT_SCHEMA                                                   \
	"'type': ['string', 'number'], "                               \
	"'pattern': '^[-+]?[0-9]+(\\\\.[0-9]+)?([eE][-+]?[0-9]+)?%?$|" \
	"^([0-9]+(\\\\.[0-9]{1,3})?(d|h|m|s|ms))+$', "                 \
	"'examples': ['1%', 0.01, '500ms']"
/* … and of a text with ${VAR} in it. */
#define VARIABLE_PATTERN "'\\\\$\\\\{[A-Za-z_][A-Za-z0-9_]*\\\\}'"

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
/* Of what is allowed and hardly meant. */
void warning_at(struct loader *loader, const struct node *node, const char *fmt,
	...) PRINTFLIKE(3, 4);
struct srcpos node_pos(const struct loader *loader, const struct node *node);
/* For messages: a key's value, or the mapping when it has no such key. */
const struct node *place_of(const struct node *mapping, const char *key);

/* The row of a key, also of the base; NULL: there is none. */
const struct key *section_key(const struct section *section, const char *name);
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
/* Any printable text of at most POLICY_NAME_MAX characters. */
const char *name_text(struct loader *loader, const struct node *node);
/* [a-z0-9][a-z0-9_-]*, as long. */
const char *identifier_text(struct loader *loader, const struct node *node);
bool whole_number(struct loader *loader, const struct node *node,
	const struct whole_range *range, int *value_r);
bool choose(struct loader *loader, const struct node *node,
	const struct choice *choices, int *value_r);

/* ---- readers.c ---- */

/* Readers for tables; the target's type and `detail` in brackets. */
extern const struct reader text_reader, /* const char * */
	template_reader, /* const char * */
	name_reader, /* const char * */
	identifier_reader, /* const char * */
	bool_reader, /* bool */
	whole_reader, /* int; struct whole_range */
	choice_reader, /* an enum; struct choice[] */
	flag_reader, /* bool; struct choice[] */
	word_reader, /* const char *; struct choice[] */
	duration_reader, /* int64_t; struct duration_range */
	cloud_name_reader; /* const char *; characters beside a-z, 0-9, "-" */

/* For readers of mappings and of what is looked at later. */
void read_nested(struct loader *, const struct node *, const struct key *,
	void *); /* the struct at `offset`, by the reader's section */
void read_node(struct loader *, const struct node *, const struct key *,
	void *); /* const struct node * */

/* For readers whose schema depends on more than their text: such a text. */
void schema_members(struct jsonw *w, const char *members);

/* For readers of choices. */
void add_choices(struct buf *out, const struct key *key);
void add_choice_schema(struct jsonw *w, const struct key *key);

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
/* How long the one line of such a file is; 0: it is none, and why. */
size_t secret_line(const struct buf *content, const char **problem_r);
/* A URL with ${VAR} and, if `templates`, {{templates}}. `shown_r` (may be
 * NULL) is it without its secret parts. */
struct secret *secret_url(struct loader *loader, const struct node *node,
	bool templates, const char **shown_r);
/* Of tables, struct secret *: a URL, without and with templates; and one of
 * which each part of the path may be a token. */
extern const struct reader url_reader, template_url_reader, webhook_url_reader;
/* The path of a webhook, as a whole and in part, is masked from now on. */
void learn_webhook(struct loader *loader, const struct secret *webhook);
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

extern const struct reader auth_reader, /* struct auth */
	action_auth_reader, /* struct auth, which may ask for an ID token */
	tls_reader, /* struct tls */
	/* NAME: VALUE mappings; the arrays live in the arena. */
	headers_reader, /* const struct header *; size_t: offset of n */
	env_reader; /* const struct env_var *; size_t: offset of n */
/* Whether it is a mapping of at most `max` keys; tells when it is not. */
bool is_name_list(struct loader *loader, const struct node *node,
	const char *what, size_t max);

/* ---- policy_load_metrics.c ---- */

/* Once, from wherever it is needed first. */
void load_metrics(struct loader *loader);
extern const struct reader metrics_reader; /* struct policy */
/* That no check judges what is not there yet, or was before the shift. */
void check_metrics(struct loader *loader);

/* ---- policy_load_use.c ---- */

/* The SLO with all that its `use` stands for; NULL after a problem. */
const struct node *use_expand(struct loader *loader, const struct node *slo);
/* What an SLO of kind threshold counts by, when it names a preset: the node is
 * what use_expand has made of it. Nothing where the policy says its own. */
void use_counters(
	struct loader *loader, const struct node *slo, struct slo *into);
extern const struct reader use_reader; /* const char * */
extern const struct reader with_reader; /* use_expand has put it in */
bool slo_is_evidence(const struct node *slo);
/* Gives a name to those that have none, so that --set finds them. */
void use_names(struct arena *arena, struct node *root);

/* ---- policy_load_slo.c, policy_load_action.c ---- */

extern const struct reader slos_reader; /* struct policy */
void check_slos(struct loader *loader); /* against steps and metrics */
void check_policy_evidence(struct loader *loader); /* against the rest */
extern const struct reader actions_reader; /* struct actions */
extern const struct reader step_load_reader; /* struct step */
void check_actions(struct loader *loader);

#endif
