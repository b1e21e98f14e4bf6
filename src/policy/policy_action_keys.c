/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that every action has, and those that several types have. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "policy/load_action.h"

#define RETRIES_MAX   10
#define ARGUMENTS_MAX 256
#define PATH_PART_MAX 255 /* bytes of a name in somebody's API */

struct name {
	const struct name *next;
	const struct node *node;
};

/* ---- of every action ---- */

static void read_action_name(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;
	struct name *name;

	action->name = name_text(loader, value);
	if (!action->name)
		return;
	for (const struct name *n = loader->names; n; n = n->next) {
		if (strcmp(n->node->text, value->text) != 0)
			continue;
		problem_at(loader, value,
			"another action has the name \"%s\": first in line %d",
			value->text, n->node->line);
		return;
	}
	name = arena_alloc(loader->arena, sizeof(*name));
	*name = (struct name){loader->names, value};
	loader->names = name;
}

static void read_type(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	/* read_action has looked at it: it decides which table is used. */
}

static void read_when(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct choice reasons[] = {
		{"slo", WHEN_SLO},
		{"abort", WHEN_ABORT},
		{"interrupt", WHEN_INTERRUPT},
		{"timeout", WHEN_TIMEOUT},
		{0},
	};
	struct action *action = into;
	int reason;

	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value,
			"an action for no reason never runs: remove the key "
			"for all reasons");
	if (!list_len(loader, value, "reasons", 4))
		return;
	action->when = 0;
	for (const struct node *n = value->first; n; n = n->next)
		if (choose(loader, n, reasons, &reason))
			action->when |= (unsigned)reason;
}

static const struct reader action_name_reader = {
	read_action_name, "a name", NAME_SCHEMA, .def = "name"};
static const struct reader type_reader = {
	read_type, "a type", "'type': 'string'"};
static const struct reader when_reader = {read_when, "a list of reasons",
	"'type': 'array', 'minItems': 1, 'uniqueItems': true, "
	"'items': {'enum': ['slo', 'abort', 'interrupt', 'timeout']}",
	.def = "when"};

static const struct choice failure_choices[] = {
	{"continue", false}, {"stop", true}, {0}};
static const struct duration_range timeout_range = {MS_SECOND, 6 * MS_HOUR};
static const struct whole_range retries_range = {0, RETRIES_MAX};

static const struct key every_action_keys[] = {
	{"name", &action_name_reader, .need = KEY_REQUIRED,
		.about = "Its own in this policy"},
	{"type", &type_reader, .need = KEY_REQUIRED, .about = "What it does"},
	{"timeout", &duration_reader, offsetof(struct action, timeout_ms),
		&timeout_range, .value = "30s", .about = "Of one try"},
	{"retries", &whole_reader, offsetof(struct action, retries),
		&retries_range, .value = "0",
		.about = "After a failure, with a back-off that doubles"},
	{"on_failure", &flag_reader, offsetof(struct action, stop_on_failure),
		failure_choices, .value = "continue",
		.about = "continue: report it; stop: end the list here"},
	{"when", &when_reader,
		.about = "Reasons of the rollback it is meant for; default: "
			 "all"},
	{0},
};

const struct section every_action_section = {
	"every action", every_action_keys, .about = "Whatever its type"};

/* ---- of several types ---- */

static void read_argv(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const size_t *n_offset = key->detail;
	size_t *n_r = (size_t *)((char *)into + *n_offset);
	const char **argv;

	if (value->kind == NODE_SCALAR) {
		problem_at(loader, value,
			"%s is a list, [program, argument, …]: there is no "
			"shell that would split it",
			key->name);
		return;
	}
	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value, "%s is empty: name a program",
			key->name);
	if (!list_len(loader, value, "arguments", ARGUMENTS_MAX))
		return;
	argv = arena_alloc(loader->arena, (value->n + 1) * sizeof(*argv));
	for (const struct node *n = value->first; n; n = n->next) {
		/* An argument may be empty, a program may not. */
		if (n != value->first && n->kind == NODE_SCALAR && !n->plain &&
			!*n->text)
			argv[*n_r] = "";
		else
			argv[*n_r] = template_text(loader, n);
		if (argv[*n_r])
			++*n_r;
	}
	*(const char ***)((char *)into + key->offset) = argv;
}

const struct reader argv_reader = {read_argv, "a program",
	"'type': 'array', 'minItems': 1, 'maxItems': 256, "
	"'items': {" TEXT_SCHEMA "}",
	.def = "argv"};

static void read_path_part(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *extra = key->detail, *text = plain_text(loader, value), *p;

	if (!text)
		return;
	for (p = text; isalnum((unsigned char)*p) || (*p && strchr(extra, *p));)
		p++;
	if (*p || !isalnum((unsigned char)*text) ||
		strlen(text) > PATH_PART_MAX)
		problem_at(loader, value,
			"\"%.80s\" is not the name of a %s: write letters, "
			"digits and \"%s\", at most %d",
			text, key->name, extra, PATH_PART_MAX);
	else
		*(const char **)((char *)into + key->offset) = text;
}

static void add_path_part_schema(struct jsonw *w, const struct key *key)
{
	const char *extra = key->detail;
	char pattern[64];
	size_t n = 0;

	/* In a class of characters the "-" stands last. */
	n = (size_t)snprintf(
		pattern, sizeof(pattern), "^[A-Za-z0-9][A-Za-z0-9");
	for (; *extra && n < sizeof(pattern) - 5; extra++)
		if (*extra != '-')
			pattern[n++] = *extra;
	snprintf(pattern + n, sizeof(pattern) - n, "-]*$");
	jsonw_text(w, "pattern", pattern);
}

const struct reader path_part_reader = {read_path_part, "a name",
	TEXT_SCHEMA ", 'maxLength': 255", .add_schema = add_path_part_schema};

const int from_file = 1;

struct secret *variable_or_file(struct loader *loader, const struct node *value,
	const struct key *key, const char *file_key)
{
	if (key->detail == &from_file)
		return secret_file(loader, value);
	return secret_variable(loader, value, file_key);
}

void need_one_of(struct loader *loader, const struct node *node,
	const char *key, const char *file_key)
{
	const struct node *value = node_get(node, key);
	const struct node *file = node_get(node, file_key);

	if (value && file)
		problem_at(loader, file->key, "both %s and %s: remove one", key,
			file_key);
	else if (!value && !file)
		problem_at(loader, node,
			"this action needs %s: ${VAR}, or %s: PATH", key,
			file_key);
}
