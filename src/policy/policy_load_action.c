/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of actions: preflight, hooks, the rollback sequence and health. What a
 * type of action has of its own is in policy_action_TYPE.c.
 */
#include <assert.h>
#include <string.h>

#include "policy/load_action.h"
#include "policy/template.h"

#define TYPE(kind, name, text) [ACTION_##kind] = &policy_action_##name,

const struct policy_action *const policy_actions[ACTION_KINDS] = {
	ACTION_TYPES(TYPE)};

#undef TYPE
#define TYPE(kind, name, text) [ACTION_##kind] = &policy_action_##name.section,

static const struct section *const action_sections[ACTION_KINDS + 1] = {
	ACTION_TYPES(TYPE)};

#undef TYPE

static bool choose_kind(struct loader *loader, const struct node *type,
	enum action_kind *kind_r)
{
	struct choice choices[ACTION_KINDS + 1] = {0};
	int kind;

	for (kind = 0; kind < ACTION_KINDS; kind++)
		choices[kind] = (struct choice){
			action_kind_name((enum action_kind)kind), kind};
	if (!choose(loader, type, choices, &kind))
		return false;
	*kind_r = (enum action_kind)kind;
	return true;
}

static void check_templates(
	struct loader *loader, const struct node *node, const char *where)
{
	if (!node)
		return;
	for (const struct node *n = node->first; n; n = n->next)
		check_templates(loader, n, where);
	if (node->kind != NODE_SCALAR)
		return;
	if (template_uses(node->text, "window"))
		problem_at(
			loader, node, "{{window}} has no meaning in %s", where);
	if (template_uses(node->text, "revision"))
		problem_at(loader, node,
			"{{revision}} has no meaning in %s: write "
			"{{candidate}} or {{stable}}",
			where);
}

static void read_action(
	struct loader *loader, const struct node *node, struct action *action)
{
	struct action draft = {.when = WHEN_ALL, .pos = node_pos(loader, node)};
	const struct node *type_node = node_get(node, "type");
	const struct policy_action *type;

	if (node->kind == NODE_BROKEN)
		return;
	if (!type_node) {
		problem_at(loader, node,
			"an action is a mapping with \"type\", such as {name: "
			"smoke, type: http, url: …}");
		return;
	}
	if (!choose_kind(loader, type_node, &draft.kind))
		return;
	type = policy_actions[draft.kind];
	assert(!strcmp(type->section.chosen, type_node->text));
	read_section(loader, node, &type->section, &draft);
	if (type->finish)
		type->finish(loader, node, &draft);
	check_templates(loader, node, "an action");
	*action = draft;
}

static void read_actions(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct actions *list = (struct actions *)((char *)into + key->offset);
	size_t n = list_len(loader, value, "actions", POLICY_ACTIONS_MAX);
	struct action *items = arena_alloc(loader->arena, n * sizeof(*items));
	size_t i = 0;

	list->item = items;
	list->n = n;
	for (const struct node *node = value->first; node && i < n;
		node = node->next)
		read_action(loader, node, &items[i++]);
}

const struct reader actions_reader = {read_actions, "a list of actions",
	.def = "actions", .sections = action_sections, .by = "type",
	.list_max = POLICY_ACTIONS_MAX};

static bool mentions(const struct node *node, const char *template)
{
	for (const struct node *n = node->first; n; n = n->next)
		if (mentions(n, template))
			return true;
	return node->kind == NODE_SCALAR && template_uses(node->text, template);
}

static bool makes_load(const struct node *node)
{
	const struct node *type = node_get(node, "type");

	return type && type->text &&
	       (!strcmp(type->text, "load") || !strcmp(type->text, "k6"));
}

/* A load that is part of a step: what it misses takes the release back, unless
 * it says that it is to be reported. */
static void read_step_load(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct actions *list = &loader->policy->lists[LIST_LOAD];
	struct action *items = (struct action *)list->item;
	struct step *step = into;

	if (!items)
		items = arena_alloc(
			loader->arena, POLICY_STEPS_MAX * sizeof(*items));
	list->item = items;
	if (value->kind != NODE_MAPPING || list->n == POLICY_STEPS_MAX) {
		problem_at(loader, value,
			"the load of a step is an action, such as {name: "
			"users, type: load, …}");
		return;
	}
	read_action(loader, value, &items[list->n++]);
	step->load = (int)list->n;
	if (!node_get(value, "on_failure"))
		items[list->n - 1].stop_on_failure = true;
	if (node_get(value, "type") && !makes_load(value))
		problem_at(loader, place_of(value, "type"),
			"the load of a step is of type load or k6");
	if (node_get(value, "when"))
		problem_at(loader, node_get(value, "when")->key,
			"when names reasons of a rollback: it has no meaning "
			"in a step");
	loader->policy->asks_candidate_url |= mentions(value, "candidate_url");
}

static const struct section *const load_sections[] = {
	&policy_action_load.section, &policy_action_k6.section, NULL};

const struct reader step_load_reader = {
	read_step_load, "a load", .sections = load_sections, .by = "type"};

/* ---- rules ---- */

static const struct node *list_node(
	const struct loader *loader, enum action_list list)
{
	const char *name = action_list_name(list), *dot = strchr(name, '.');

	if (!dot)
		return node_get(loader->root, name);
	return node_get(node_get(loader->root, "hooks"), dot + 1);
}

static void check_list(struct loader *loader, enum action_list list)
{
	const struct node *node = list_node(loader, list), *when;
	bool has_reasons = list == LIST_ROLLBACK || list == LIST_HEALTH ||
			   list == LIST_ROLLED_BACK;

	if (!node || node->kind != NODE_SEQUENCE)
		return;
	for (node = node->first; node; node = node->next) {
		when = node_get(node, "when");
		if (when && !has_reasons)
			problem_at(loader, when->key,
				"when names reasons of a rollback: it has no "
				"meaning in %s",
				action_list_name(list));
		if (makes_load(node) && list != LIST_PREFLIGHT)
			problem_at(loader, place_of(node, "type"),
				"a load is for preflight, or for a step as its "
				"\"load\": not for %s",
				action_list_name(list));
		loader->policy->asks_candidate_url |=
			mentions(node, "candidate_url");
	}
}

void check_actions(struct loader *loader)
{
	for (int list = 0; list < ACTION_LISTS; list++)
		check_list(loader, (enum action_list)list);
}
