/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy as a JSON schema, for editors: printed from the tables of keys.
 * It says what a schema can; tidegate check knows more rules.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/xalloc.h"
#include "policy/policy_catalog.h"

#define SCHEMA_BYTES_MAX (256 * 1024)
#define LAYOUT_DEPTH     4 /* levels that have lines of their own */
#define REF_MAX          64
#define CHOICE_MAX       64

/* ---- values ---- */

/* The tables of keys write ' where JSON has ". */
static char *json_of(const char *text)
{
	char *json = xstrdup(text);

	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	return json;
}

void schema_members(struct jsonw *w, const char *members)
{
	char *json = json_of(members), *object = xasprintf("{%s}", json);

	jsonw_members(w, object);
	free(object);
	free(json);
}

static void schema_ref(struct jsonw *w, const char *def)
{
	char ref[REF_MAX];

	snprintf(ref, sizeof(ref), "#/$defs/%s", def);
	jsonw_text(w, "$ref", ref);
}

static void schema_required(struct jsonw *w, const char *key)
{
	jsonw_array(w, "required");
	jsonw_text(w, NULL, key);
	jsonw_end(w, ']');
}

/* Of a key that has one value only: a text in quotes, or true. */
static void schema_const(struct jsonw *w, const char *key, const char *json)
{
	jsonw_object(w, "properties");
	jsonw_object(w, key);
	jsonw_raw(w, "const", json);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

static void schema_choice(struct jsonw *w, const char *key, const char *value)
{
	char json[CHOICE_MAX];

	snprintf(json, sizeof(json), "\"%s\"", value);
	schema_const(w, key, json);
}

/* The one that counts when the key that tells them apart is not there. */
static bool schema_is_default(
	const struct reader *reader, const struct section *in)
{
	const struct key *by = section_key(in, reader->by);

	return by && by->value && !strcmp(by->value, in->chosen);
}

/* When it is this section. One that another key chooses goes before those
 * that `by` tells apart. */
static void schema_chosen(struct jsonw *w, const struct reader *reader,
	const struct section *section)
{
	const struct section *const *in;

	if (section->chosen_by) {
		schema_required(w, section->chosen_by);
		schema_choice(w, section->chosen_by, section->chosen);
		return;
	}
	if (!schema_is_default(reader, section))
		schema_required(w, reader->by);
	schema_choice(w, reader->by, section->chosen);
	for (in = reader->sections; *in; in++) {
		if (!(*in)->chosen_by)
			continue;
		jsonw_object(w, "not");
		schema_chosen(w, reader, *in);
		jsonw_end(w, '}');
	}
}

/* Which section it is depends on the value of a key. */
static void schema_kinds(struct jsonw *w, const struct reader *reader)
{
	const struct section *const *in;
	bool has_default = false;

	jsonw_text(w, "type", "object");
	for (in = reader->sections; *in; in++)
		has_default |= schema_is_default(reader, *in);
	if (!has_default)
		schema_required(w, reader->by);
	jsonw_object(w, "properties");
	jsonw_object(w, reader->by);
	jsonw_array(w, "enum");
	for (in = reader->sections; *in; in++)
		if (!(*in)->chosen_by)
			jsonw_text(w, NULL, (*in)->chosen);
	jsonw_end(w, ']');
	jsonw_end(w, '}');
	jsonw_end(w, '}');
	jsonw_array(w, "allOf");
	for (in = reader->sections; *in; in++) {
		jsonw_object(w, NULL);
		jsonw_object(w, "if");
		schema_chosen(w, reader, *in);
		jsonw_end(w, '}');
		jsonw_object(w, "then");
		schema_ref(w, (*in)->def);
		jsonw_end(w, '}');
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

static void schema_sections(struct jsonw *w, const struct reader *reader)
{
	if (!reader->list_max) {
		if (reader->by)
			schema_kinds(w, reader);
		else
			schema_ref(w, reader->sections[0]->def);
		return;
	}
	jsonw_text(w, "type", "array");
	if (reader->list_min)
		jsonw_int(w, "minItems", reader->list_min);
	jsonw_int(w, "maxItems", reader->list_max);
	jsonw_object(w, "items");
	if (reader->by)
		schema_kinds(w, reader);
	else
		schema_ref(w, reader->sections[0]->def);
	jsonw_end(w, '}');
}

/* The schema of a value without what is the key's own. */
static void schema_value(struct jsonw *w, const struct key *key)
{
	const struct reader *reader = key->reader;

	if (reader->schema)
		schema_members(w, reader->schema);
	else if (reader->sections)
		schema_sections(w, reader);
	if (reader->add_schema)
		reader->add_schema(w, key);
}

static void schema_default(struct jsonw *w, const char *value)
{
	const struct node node = {
		.kind = NODE_SCALAR, .text = value, .plain = true};

	char *json;

	if (*value == '{') {
		json = json_of(value);
		jsonw_raw(w, "default", json);
		free(json);
	} else if (is_json_number(&node) || !strcmp(value, "true") ||
		   !strcmp(value, "false")) {
		jsonw_raw(w, "default", value);
	} else {
		jsonw_text(w, "default", value);
	}
}

static void schema_key(struct jsonw *w, const struct key *key)
{
	jsonw_object(w, key->name);
	jsonw_text(w, "description", key->about);
	if (key->reader->def)
		schema_ref(w, key->reader->def);
	else
		schema_value(w, key);
	if (key->value)
		schema_default(w, key->value);
	jsonw_end(w, '}');
}

/* ---- sections ---- */

static void schema_need(
	struct jsonw *w, const struct section *section, enum need need)
{
	bool open = false;

	for (; section; section = section->base)
		for (const struct key *key = section->keys; key->name; key++) {
			if (key->need != need || !key->reader)
				continue;
			if (!open)
				jsonw_array(w, "required");
			open = true;
			jsonw_text(w, NULL, key->name);
		}
	if (open)
		jsonw_end(w, ']');
}

static void schema_rule_keys(struct jsonw *w, const struct rule *rule)
{
	jsonw_array(w, "required");
	for (size_t i = 0; rule->keys[i]; i++)
		jsonw_text(w, NULL, rule->keys[i]);
	jsonw_end(w, ']');
}

/* One entry for each key; a flag that is false counts as not there. */
static void schema_alternatives(struct jsonw *w, const char *word,
	const struct section *section, const struct rule *rule)
{
	const struct key *key;

	jsonw_array(w, word);
	for (size_t i = 0; rule->keys[i]; i++) {
		jsonw_object(w, NULL);
		schema_required(w, rule->keys[i]);
		key = section_key(section, rule->keys[i]);
		if (key && key->reader == &bool_reader)
			schema_const(w, key->name, "true");
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

/* Of all rules of a section: an object has a member once. */
static void schema_dependencies(struct jsonw *w, const struct section *section)
{
	bool open = false;

	for (const struct rule *r = section->rules; r && r->kind; r++) {
		if (r->kind != RULE_TOGETHER)
			continue;
		if (!open)
			jsonw_object(w, "dependentRequired");
		open = true;
		for (size_t i = 0; i < 2; i++) {
			jsonw_array(w, r->keys[i]);
			jsonw_text(w, NULL, r->keys[1 - i]);
			jsonw_end(w, ']');
		}
	}
	if (open)
		jsonw_end(w, '}');
}

/* Rules that hold always, or those that hold without `unless`. */
static void schema_rules(
	struct jsonw *w, const struct section *section, bool always)
{
	if (!section->unless == always)
		schema_dependencies(w, section);
	for (const struct rule *r = section->rules; r && r->kind; r++) {
		if ((r->kind == RULE_NOT_BOTH || !section->unless) != always)
			continue;
		switch (r->kind) {
		case RULE_ANY_OF:
			schema_alternatives(w, "anyOf", section, r);
			break;
		case RULE_ONE_OF:
			schema_alternatives(w, "oneOf", section, r);
			break;
		case RULE_NOT_BOTH:
			jsonw_object(w, "not");
			schema_rule_keys(w, r);
			jsonw_end(w, '}');
			break;
		case RULE_TOGETHER:
		case RULE_END:
			break;
		}
	}
}

/* KEY, or KEY=VALUE. */
static void schema_condition(struct jsonw *w, const char *unless)
{
	const char *equals = strchr(unless, '=');
	char key[CHOICE_MAX];

	snprintf(key, sizeof(key), "%.*s", (int)strcspn(unless, "="), unless);
	jsonw_object(w, "if");
	schema_required(w, key);
	if (equals)
		schema_choice(w, key, equals + 1);
	jsonw_end(w, '}');
}

static bool needs_more(const struct key *key)
{
	const struct section *const *in =
		key->reader ? key->reader->sections : NULL;

	if (!in || (*in)->unless)
		return false;
	for (const struct key *k = (*in)->keys; k->name; k++)
		if (k->need == KEY_REQUIRED_UNLESS)
			return true;
	return false;
}

/* Without `unless` some keys are refused, and mappings inside need more. */
static void schema_without(struct jsonw *w, const struct section *section)
{
	bool open = false;

	for (const struct key *key = section->keys; key->name; key++) {
		if (key->need != KEY_ONLY_WITH && !needs_more(key))
			continue;
		if (!open)
			jsonw_object(w, "properties");
		open = true;
		if (key->need == KEY_ONLY_WITH) {
			jsonw_raw(w, key->name, "false");
			continue;
		}
		jsonw_object(w, key->name);
		schema_need(w, key->reader->sections[0], KEY_REQUIRED_UNLESS);
		jsonw_end(w, '}');
	}
	if (open)
		jsonw_end(w, '}');
}

static void schema_unless(struct jsonw *w, const struct section *section)
{
	if (!section->unless)
		return;
	schema_condition(w, section->unless);
	jsonw_object(w, "else");
	schema_need(w, section, KEY_REQUIRED_UNLESS);
	schema_rules(w, section, false);
	schema_without(w, section);
	jsonw_end(w, '}');
}

static void schema_keys(struct jsonw *w, const struct section *section)
{
	if (section->base)
		schema_keys(w, section->base);
	for (const struct key *key = section->keys; key->name; key++)
		if (key->reader)
			schema_key(w, key);
}

static void schema_section(struct jsonw *w, const struct section *section)
{
	jsonw_object(w, section->def);
	jsonw_text(w, "description", section->about);
	jsonw_text(w, "type", "object");
	jsonw_raw(w, "additionalProperties", "false");
	schema_need(w, section, KEY_REQUIRED);
	schema_rules(w, section, true);
	schema_unless(w, section);
	jsonw_object(w, "properties");
	schema_keys(w, section);
	jsonw_end(w, '}');
	jsonw_end(w, '}');
}

/* ---- layout ---- */

static void new_line(struct buf *out, int depth)
{
	buf_addc(out, '\n');
	while (depth--)
		buf_addc(out, '\t');
}

/* Where a string ends; `p` is at its first quote. */
static const char *string_end(const char *p)
{
	for (p++; *p != '"'; p++)
		p += *p == '\\';
	return p + 1;
}

/* Lists of mappings have them one level longer, lists of texts never. */
static bool has_lines(char bracket, char next, int depth)
{
	if (bracket == '{')
		return depth <= LAYOUT_DEPTH;
	return next == '{' && depth <= LAYOUT_DEPTH + 1;
}

/* The outer levels with a line for each member, the inner ones in a line. */
static void schema_layout(struct buf *out, const char *json)
{
	bool lines[YAML_DEPTH_MAX + 1] = {false};
	const char *end;
	int depth = 0;

	for (const char *p = json; *p; p++) {
		if (*p == '"') {
			end = string_end(p);
			buf_add(out, p, (size_t)(end - p));
			p = end - 1;
			continue;
		}
		if (*p == ' ')
			continue; /* of a reader's own text */
		if ((*p == '}' || *p == ']') && lines[depth--])
			new_line(out, depth);
		buf_addc(out, *p);
		if (*p == '{' || *p == '[') {
			depth++;
			assert(depth <= YAML_DEPTH_MAX);
			lines[depth] = has_lines(*p, p[1], depth);
			if (lines[depth])
				new_line(out, depth);
		} else if (*p == ',' && lines[depth]) {
			new_line(out, depth);
		} else if (*p == ',' || *p == ':') {
			buf_addc(out, ' ');
		}
	}
	buf_addc(out, '\n');
}

/* ---- all of it ---- */

static void schema_defs(struct jsonw *w, const struct section *root)
{
	struct catalog catalog;

	catalog_fill(&catalog, root);
	jsonw_object(w, "$defs");
	for (size_t i = 0; i < catalog.n_sections; i++)
		if (catalog.section[i]->def) /* bases have none */
			schema_section(w, catalog.section[i]);
	for (size_t i = 0; i < catalog.n_values; i++) {
		jsonw_object(w, catalog.value[i]->reader->def);
		schema_value(w, catalog.value[i]);
		jsonw_end(w, '}');
	}
	jsonw_end(w, '}');
}

void schema_print(const struct section *root, const char *title,
	const char *description, struct buf *out)
{
	struct buf json;
	struct jsonw w = {.out = &json};

	buf_init(&json, SCHEMA_BYTES_MAX);
	jsonw_object(&w, NULL);
	jsonw_text(
		&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
	jsonw_text(&w, "title", title);
	jsonw_text(&w, "description", description);
	schema_ref(&w, root->def);
	schema_defs(&w, root);
	jsonw_end(&w, '}');
	schema_layout(out, json.data);
	buf_fini(&json);
}

void policy_print_schema(struct buf *out)
{
	schema_print(&policy_section, "tidegate policy",
		"How a release gets its traffic; see tidegate-policy(5). "
		"tidegate check FILE knows more rules than a schema can say.",
		out);
}
