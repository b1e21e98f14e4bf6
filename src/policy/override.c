/* SPDX-License-Identifier: Apache-2.0 */
/* Puts values over the tree of a policy; see override.h. Knows no key. */
#include "policy/override.h"

#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"

#define PATH_MAX_KEYS   8
#define NAMES_BYTES_MAX 300 /* of a list of names in a message */

/* One text, taken apart. */
struct override {
	struct arena *arena;
	struct problems *problems;
	const char *text;
	size_t at; /* of the text in problems->source */
	struct span key[PATH_MAX_KEYS]; /* in problems->source */
	const char *name[PATH_MAX_KEYS];
	size_t n;
	struct node *value;
};

/* ---- taking it apart ---- */

static void problem_in_text(const struct override *o, const char *why)
{
	size_t len = strlen(o->text);

	problem_add(o->problems, (struct span){o->at, o->at + (len ? len : 1)},
		"%s: write KEY=VALUE, such as slos.error-rate.max=2%%", why);
}

static bool split_key(struct override *o, size_t len)
{
	size_t from = 0, n;

	for (o->n = 0; from <= len; from += n + 1) {
		n = strcspn(o->text + from, ".=");
		if (!n || o->n == PATH_MAX_KEYS) {
			problem_in_text(o, n ? "too many keys"
					     : "a key is "
					       "empty");
			return false;
		}
		o->key[o->n] = (struct span){o->at + from, o->at + from + n};
		o->name[o->n++] = arena_strndup(o->arena, o->text + from, n);
	}
	return true;
}

/* A tree that was read from a text of its own, moved to its place. */
static void move(struct node *node, size_t by, int line)
{
	for (; node; node = node->next) {
		node->span.from += by;
		node->span.to += by;
		node->line = line;
		move(node->first, by, line);
	}
}

static struct node *override_value(struct override *o, size_t from)
{
	struct problems own = {.arena = o->arena,
		.path = o->problems->path,
		.source = o->text + from,
		.source_len = strlen(o->text + from)};
	struct node *node;

	/* Nothing at all is null, not an empty file. */
	if (!own.source[strspn(own.source, " \t")])
		own.source = "~", own.source_len = 1;
	node = yaml_parse_value(o->arena, &own);
	for (size_t i = 0; i < own.n; i++)
		problem_add(o->problems,
			(struct span){own.item[i].span.from + o->at + from,
				own.item[i].span.to + o->at + from},
			"%s", own.item[i].text);
	if (!node || own.n)
		return NULL;
	move(node, o->at + from, 1);
	return node;
}

static bool override_parse(struct override *o)
{
	const char *equals = strchr(o->text, '=');

	if (!equals) {
		problem_in_text(o, "this sets nothing");
		return false;
	}
	if (!split_key(o, (size_t)(equals - o->text)))
		return false;
	o->value = override_value(o, (size_t)(equals - o->text) + 1);
	return o->value != NULL;
}

/* ---- finding the place ---- */

static void unknown_entry(
	const struct override *o, const struct node *list, size_t i)
{
	struct suggest suggest = {.word = o->name[i]};
	const struct node *name;
	struct buf names;

	buf_init(&names, NAMES_BYTES_MAX);
	for (const struct node *n = list->first; n; n = n->next) {
		name = node_get(n, "name");
		if (!name || name->kind != NODE_SCALAR)
			continue;
		suggest_try(&suggest, name->text);
		buf_addf(&names, "%s%s", names.len ? ", " : "", name->text);
	}
	if (suggest.best)
		problem_add(o->problems, o->key[i],
			"no entry \"%.60s\" in this list: did you mean %s?",
			o->name[i], suggest.best);
	else
		problem_add(o->problems, o->key[i],
			"no entry \"%.60s\" in this list: write %s%s1 to %zu",
			o->name[i], names.data, names.len ? ", or " : "",
			list->n);
	buf_fini(&names);
}

static struct node **find_entry(
	const struct override *o, struct node *list, size_t i)
{
	const struct node *name;
	struct node **link;
	char *end;
	unsigned long nth;

	for (link = &list->first; *link; link = &(*link)->next) {
		name = node_get(*link, "name");
		if (name && name->kind == NODE_SCALAR &&
			!strcmp(name->text, o->name[i]))
			return link;
	}
	nth = strtoul(o->name[i], &end, 10);
	link = &list->first;
	while (!*end && nth > 1 && *link) {
		link = &(*link)->next;
		nth--;
	}
	if (!*end && nth == 1 && *link)
		return link;
	unknown_entry(o, list, i);
	return NULL;
}

static struct node *key_node(const struct override *o, size_t i)
{
	struct node *key = arena_alloc(o->arena, sizeof(*key));

	*key = (struct node){.kind = NODE_SCALAR,
		.text = o->name[i],
		.plain = true,
		.span = o->key[i],
		.line = 1};
	return key;
}

/* The link that holds the value; one that ends the mapping when it is new. */
static struct node **find_member(struct node *mapping, const char *name)
{
	struct node **link = &mapping->first;

	while (*link && strcmp((*link)->key->text, name) != 0)
		link = &(*link)->next;
	return link;
}

static struct node *add_mapping(
	const struct override *o, struct node **link, size_t i)
{
	struct node *mapping = arena_alloc(o->arena, sizeof(*mapping));

	*mapping = (struct node){.kind = NODE_MAPPING,
		.key = key_node(o, i),
		.span = o->key[i],
		.line = 1};
	*link = mapping;
	return mapping;
}

/* The link at the i-th key of the path below `node`; NULL: a problem. */
static struct node **override_link(
	const struct override *o, struct node *node, size_t i)
{
	if (node->kind == NODE_SEQUENCE)
		return find_entry(o, node, i);
	if (node->kind == NODE_MAPPING)
		return find_member(node, o->name[i]);
	problem_add(o->problems, o->key[i],
		"there is nothing inside \"%.60s\": it has a value",
		i ? o->name[i - 1] : "");
	return NULL;
}

static void override_put(
	struct override *o, struct node *parent, struct node **link)
{
	struct node *old = *link, *value = o->value;

	if (node_is_null(value)) {
		if (old) {
			*link = old->next;
			parent->n--;
		}
		return;
	}
	if (old) {
		value->next = old->next;
		value->line = old->line;
		value->col = old->col;
	} else {
		parent->n++;
	}
	if (parent->kind == NODE_MAPPING)
		value->key = key_node(o, o->n - 1);
	*link = value;
}

static void apply(struct override *o, struct node *root)
{
	struct node *parent = root, **link;

	for (size_t i = 0; i + 1 < o->n; i++) {
		link = override_link(o, parent, i);
		if (!link)
			return;
		if (!*link)
			parent->n++;
		parent = *link ? *link : add_mapping(o, link, i);
	}
	link = override_link(o, parent, o->n - 1);
	if (link)
		override_put(o, parent, link);
}

/* ---- all of them ---- */

static void extend_source(struct arena *arena, struct problems *problems,
	const struct policy_env *env, size_t at[])
{
	struct buf source;

	buf_init(&source,
		POLICY_BYTES_MAX + POLICY_SETS_MAX * (OVERRIDE_BYTES_MAX + 1));
	buf_add(&source, problems->source, problems->source_len);
	buf_addc(&source, '\n');
	problems->sets_at = source.len;
	for (size_t i = 0; i < env->n_sets; i++) {
		at[i] = source.len;
		buf_adds(&source, env->sets[i]);
		buf_addc(&source, '\n');
	}
	problems->source = arena_strndup(arena, source.data, source.len);
	problems->source_len = source.len;
	buf_fini(&source);
}

void override_apply(struct arena *arena, struct problems *problems,
	struct node *root, const struct policy_env *env)
{
	size_t at[POLICY_SETS_MAX];

	if (!env->n_sets)
		return;
	for (size_t i = 0; i < env->n_sets; i++) {
		if (i < POLICY_SETS_MAX &&
			strlen(env->sets[i]) <= OVERRIDE_BYTES_MAX)
			continue;
		problem_add(problems, (struct span){0, 0},
			"--set: more than %d of them, or one of more than %d "
			"bytes",
			POLICY_SETS_MAX, OVERRIDE_BYTES_MAX);
		return;
	}
	extend_source(arena, problems, env, at);
	for (size_t i = 0; i < env->n_sets; i++) {
		struct override o = {.arena = arena,
			.problems = problems,
			.text = env->sets[i],
			.at = at[i]};

		if (override_parse(&o))
			apply(&o, root);
	}
}
