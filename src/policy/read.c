/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers: from a node to a value, with a message that names the value, the
 * rule and the remedy. They know types, not keys.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "base/utf8.h"
#include "policy/loader.h"
#include "policy/quantity.h"
#include "policy/template.h"

#define LIST_TEXT_MAX 400 /* bytes of a list of names in a message */

static void add_at(struct problems *problems, const struct node *node,
	const char *fmt, va_list args)
{
	char text[ERR_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, args);
	problem_add(problems, node->span, "%.500s", text);
}

void problem_at(
	struct loader *loader, const struct node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_at(&loader->problems, node, fmt, args);
	va_end(args);
}

void warning_at(
	struct loader *loader, const struct node *node, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add_at(&loader->warnings, node, fmt, args);
	va_end(args);
}

struct srcpos node_pos(const struct loader *loader, const struct node *node)
{
	return (struct srcpos){loader->policy->path, node->line, node->col};
}

const struct node *place_of(const struct node *mapping, const char *key)
{
	const struct node *value = node_get(mapping, key);

	return value ? value : mapping;
}

/* ---- mappings and lists ---- */

const struct key *section_key(const struct section *section, const char *name)
{
	for (; section; section = section->base)
		for (const struct key *key = section->keys; key->name; key++)
			if (!strcmp(key->name, name))
				return key;
	return NULL;
}

static void list_keys(const struct section *section, struct suggest *suggest,
	struct buf *names)
{
	if (section->base)
		list_keys(section->base, suggest, names);
	for (const struct key *key = section->keys; key->name; key++) {
		if (!key->instead)
			suggest_try(suggest, key->name);
		if (key->reader)
			buf_addf(names, "%s%s", names->len ? ", " : "",
				key->name);
	}
}

static void problem_unknown_key(struct loader *loader, const struct node *key,
	const struct section *section)
{
	struct suggest suggest = {.word = key->text};
	struct buf names;

	buf_init(&names, LIST_TEXT_MAX);
	list_keys(section, &suggest, &names);
	if (suggest.best)
		problem_at(loader, key,
			"%s has no key \"%.60s\": did you mean "
			"%s?",
			section->what, key->text, suggest.best);
	else
		problem_at(loader, key, "%s has no key \"%.60s\": there are %s",
			section->what, key->text, names.data);
	buf_fini(&names);
}

static void read_key(struct loader *loader, const struct node *value,
	const struct section *section, void *into)
{
	const struct key *key = section_key(section, value->key->text);

	if (!key)
		problem_unknown_key(loader, value->key, section);
	else if (!key->reader && key->instead)
		problem_at(
			loader, value->key, "%s: %s", key->name, key->instead);
	else if (!key->reader)
		problem_at(loader, value->key,
			"\"%s\" is not supported by this version", key->name);
	else if (value->kind == NODE_BROKEN)
		return;
	else if (node_is_null(value))
		problem_at(loader, value->key,
			"\"%s\" has no value: give it one or remove the key",
			key->name);
	else
		key->reader->read(loader, value, key, into);
}

struct node *node_of(struct loader *loader, const char *yaml)
{
	struct problems own = {.arena = loader->arena,
		.path = loader->problems.path,
		.source = yaml,
		.source_len = strlen(yaml)};
	struct node *node = yaml_parse_value(loader->arena, &own);

	assert(node && !own.n);
	return node;
}

/* Most are scalars, which need no parser. */
static void read_default(
	struct loader *loader, const struct key *key, void *into)
{
	struct node scalar = {
		.kind = NODE_SCALAR, .text = key->value, .plain = true};
	size_t problems = loader->problems.n;

	key->reader->read(loader,
		*key->value == '{' ? node_of(loader, key->value) : &scalar, key,
		into);
	assert(loader->problems.n == problems);
}

void read_defaults(
	struct loader *loader, const struct section *section, void *into)
{
	for (; section; section = section->base)
		for (const struct key *key = section->keys; key->name; key++)
			if (key->value)
				read_default(loader, key, into);
}

static void need_keys(struct loader *loader, const struct node *mapping,
	const struct section *section, const char *what)
{
	for (const struct key *key = section ? section->keys : NULL;
		key && key->name; key++)
		if (key->need == KEY_REQUIRED && !node_get(mapping, key->name))
			problem_at(loader, mapping, "%s needs \"%s\"", what,
				key->name);
}

void read_section(struct loader *loader, const struct node *mapping,
	const struct section *section, void *into)
{
	read_defaults(loader, section, into);
	if (mapping->kind == NODE_BROKEN)
		return;
	if (mapping->kind != NODE_MAPPING) {
		problem_at(loader, mapping, "%s is a mapping, \"key: value\"",
			section->what);
		return;
	}
	for (const struct node *n = mapping->first; n; n = n->next)
		read_key(loader, n, section, into);
	need_keys(loader, mapping, section->base, section->what);
	need_keys(loader, mapping, section, section->what);
}

size_t list_len(struct loader *loader, const struct node *list,
	const char *what, size_t max)
{
	if (list->kind != NODE_SEQUENCE) {
		if (list->kind != NODE_BROKEN)
			problem_at(loader, list,
				"%s are a list: \"- …\" or [ … ]", what);
		return 0;
	}
	if (list->n > max) {
		problem_at(loader, list, "%zu %s are too many: at most %zu",
			list->n, what, max);
		return 0;
	}
	return list->n;
}

/* ---- scalars ---- */

const char *scalar(struct loader *loader, const struct node *node)
{
	if (node->kind == NODE_BROKEN)
		return NULL;
	if (node->kind != NODE_SCALAR || node_is_null(node) || !*node->text) {
		problem_at(loader, node, "a single value is expected here");
		return NULL;
	}
	return node->text;
}

/* Something that is filled in elsewhere, but not here. */
static bool refuse_at(struct loader *loader, const struct node *node,
	const char *what, const char *why)
{
	const char *found = strstr(node->text, what);

	if (!found)
		return false;
	problem_add(&loader->problems,
		node_span_of(&loader->problems, node,
			(size_t)(found - node->text), what),
		"%s", why);
	return true;
}

static bool has_variable(struct loader *loader, const struct node *node)
{
	return refuse_at(loader, node, "${",
		"${VAR} is filled in only in url, auth, header and env fields: "
		"write the value itself");
}

const char *plain_text(struct loader *loader, const struct node *node)
{
	const char *text = scalar(loader, node);

	if (!text || has_variable(loader, node) ||
		refuse_at(loader, node, "{{",
			"templates are filled in only in queries, and in an "
			"action's url, body and command"))
		return NULL;
	return text;
}

/* A text whose templates are looked at. */
struct template_place {
	struct loader *loader;
	const struct node *node;
};

static void bad_template(size_t at, const struct err *err, void *arg)
{
	const struct template_place *place = arg;
	struct problems *problems = &place->loader->problems;

	problem_add(problems, node_span_of(problems, place->node, at, "{{"),
		"%s", err->text);
}

bool templates_are_good(struct loader *loader, const struct node *node)
{
	struct template_place place = {loader, node};

	return !template_check(node->text, bad_template, &place);
}

const char *template_text(struct loader *loader, const struct node *node)
{
	const char *text = scalar(loader, node);

	if (!text || has_variable(loader, node) ||
		!templates_are_good(loader, node))
		return NULL;
	return text;
}

/* Characters of a printable text that is not blank; -1: it is none. */
static int printable_len(const char *text)
{
	bool blank = true;
	uint32_t c;
	int n = 0;

	for (size_t len; *text; text += len, n++) {
		len = utf8_decode(text, &c);
		if (!len || c < ' ' || c == 0x7f || utf8_is_hidden(c))
			return -1;
		blank &= c == ' ';
	}
	return blank ? -1 : n;
}

const char *name_text(struct loader *loader, const struct node *node)
{
	const char *text = plain_text(loader, node);
	int n = text ? printable_len(text) : 0;

	if (!text)
		return NULL;
	if (n < 0)
		problem_at(loader, node,
			"this is not a name: write visible characters and "
			"blanks");
	else if (n > POLICY_NAME_MAX)
		problem_at(loader, node,
			"a name of %d characters is too long: at most %d", n,
			POLICY_NAME_MAX);
	else
		return text;
	return NULL;
}

const char *identifier_text(struct loader *loader, const struct node *node)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	static const char all[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	const char *text = plain_text(loader, node);

	if (!text)
		return NULL;
	if (!strchr(first, *text) || text[strspn(text, all)]) {
		problem_at(loader, node,
			"\"%.80s\" is not a name: write lower case letters, "
			"digits, \"-\" and \"_\", a letter or digit first",
			text);
		return NULL;
	}
	if (strlen(text) > POLICY_NAME_MAX) {
		problem_at(loader, node,
			"a name of %zu bytes is too long: at most %d",
			strlen(text), POLICY_NAME_MAX);
		return NULL;
	}
	return text;
}

bool whole_number(struct loader *loader, const struct node *node,
	const struct whole_range *range, int *value_r)
{
	const char *text = plain_text(loader, node);
	struct err err;
	int value;

	if (!text)
		return false;
	if (whole_parse(text, &value, &err) < 0) {
		problem_at(loader, node, "%s: write one from %d to %d",
			err.text, range->min, range->max);
		return false;
	}
	if (value < range->min || value > range->max) {
		problem_at(loader, node, "%d is out of range: write %d to %d",
			value, range->min, range->max);
		return false;
	}
	*value_r = value;
	return true;
}

static void bad_choice(struct loader *loader, const struct node *node,
	const struct choice *choices)
{
	struct suggest suggest = {.word = node->text};
	struct buf names;

	buf_init(&names, LIST_TEXT_MAX);
	for (; choices->name; choices++) {
		suggest_try(&suggest, choices->name);
		if (choices->value >= 0)
			buf_addf(&names, "%s%s", names.len ? ", " : "",
				choices->name);
	}
	if (suggest.best)
		problem_at(loader, node,
			"\"%.60s\" is not known here: did you "
			"mean %s?",
			node->text, suggest.best);
	else
		problem_at(loader, node,
			"\"%.60s\" is not known here: there "
			"is %s",
			node->text, names.data);
	buf_fini(&names);
}

bool choose(struct loader *loader, const struct node *node,
	const struct choice *choices, int *value_r)
{
	const char *text = plain_text(loader, node);

	if (!text)
		return false;
	for (const struct choice *c = choices; c->name; c++) {
		if (strcmp(c->name, text) != 0)
			continue;
		if (c->value < 0) {
			problem_at(loader, node,
				"\"%s\" is not supported by this version",
				text);
			return false;
		}
		*value_r = c->value;
		return true;
	}
	bad_choice(loader, node, choices);
	return false;
}
