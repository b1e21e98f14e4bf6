/* Keys that every action has, and those that several types have. */
#include <ctype.h>
#include <string.h>

#include "policy/load_action.h"

#define RETRIES_MAX   10
#define ARGUMENTS_MAX 256
#define PATH_PART_MAX 255 /* bytes of a name in somebody's API */

struct name {
	const struct name *next;
	const struct node *node;
};

/* ---- of every action ---- */

void read_action_name(struct loader *loader, const struct node *value,
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

void read_type(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	/* read_action has looked at it: it decides which table is used. */
}

void read_on_failure(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct choice choices[] = {
		{"continue", 0}, {"stop", 1}, {0}};
	struct action *action = into;
	int stop;

	if (choose(loader, value, choices, &stop))
		action->stop_on_failure = stop;
}

void read_when(struct loader *loader, const struct node *value,
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

const struct duration_range action_timeout_range = {MS_SECOND, 6 * MS_HOUR};
const struct whole_range action_retries_range = {0, RETRIES_MAX};

/* ---- of several types ---- */

void read_argv(struct loader *loader, const struct node *value,
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

void read_path_part(struct loader *loader, const struct node *value,
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
