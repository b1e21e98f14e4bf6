/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of tables of keys that several files use: each puts a node's value
 * into a struct, and says what its values are to people and to a schema.
 */
#include <stdio.h>
#include <string.h>

#include "base/duration.h"
#include "base/jsonw.h"
#include "policy/loader.h"

static void *target(const struct key *key, void *into)
{
	return (char *)into + key->offset;
}

void read_node(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	*(const struct node **)target(key, into) = value;
}

void read_nested(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	read_section(
		loader, value, key->reader->sections[0], target(key, into));
}

static void put_text(const struct key *key, void *into, const char *text)
{
	if (text)
		*(const char **)target(key, into) = text;
}

static void read_text(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	put_text(key, into, plain_text(loader, value));
}

const struct reader text_reader = {read_text, "a text", TEXT_SCHEMA};

static void read_template(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	put_text(key, into, template_text(loader, value));
}

const struct reader template_reader = {
	read_template, "a template", TEXT_SCHEMA};

static void read_identifier(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	put_text(key, into, identifier_text(loader, value));
}

const struct reader identifier_reader = {read_identifier, "an identifier",
	TEXT_SCHEMA ", 'pattern': '^[a-z0-9][a-z0-9_-]*$', 'maxLength': 63",
	.def = "identifier"};

static void read_name(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	put_text(key, into, name_text(loader, value));
}

const struct reader name_reader = {
	read_name, "a name", NAME_SCHEMA, .def = "name"};

static void read_bool(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);

	if (!text)
		return;
	if (value->plain && !strcmp(text, "true"))
		*(bool *)target(key, into) = true;
	else if (value->plain && !strcmp(text, "false"))
		*(bool *)target(key, into) = false;
	else
		problem_at(loader, value,
			"\"%.40s\" is neither true nor false: write true or "
			"false, without quotes",
			text);
}

const struct reader bool_reader = {
	read_bool, "true or false", "'type': 'boolean'"};

static void read_whole(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	whole_number(loader, value, key->detail, target(key, into));
}

static void add_whole_range(struct buf *out, const struct key *key)
{
	const struct whole_range *range = key->detail;

	buf_addf(out, "%d to %d", range->min, range->max);
}

static void add_whole_schema(struct jsonw *w, const struct key *key)
{
	const struct whole_range *range = key->detail;

	jsonw_int(w, "minimum", range->min);
	jsonw_int(w, "maximum", range->max);
}

const struct reader whole_reader = {read_whole, .schema = "'type': 'integer'",
	.add_what = add_whole_range, .add_schema = add_whole_schema};

static void read_choice(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	int choice;

	_Static_assert(sizeof(enum on_breach) == sizeof(int), "enums are ints");
	if (choose(loader, value, key->detail, &choice))
		memcpy(target(key, into), &choice, sizeof(choice));
}

/* Offers what this version has. */
void add_choices(struct buf *out, const struct key *key)
{
	const char *between = "";

	for (const struct choice *c = key->detail; c->name; c++) {
		if (c->value < 0)
			continue;
		buf_addf(out, "%s%s", between, c->name);
		between = ", ";
	}
}

void add_choice_schema(struct jsonw *w, const struct key *key)
{
	jsonw_array(w, "enum");
	for (const struct choice *c = key->detail; c->name; c++)
		if (c->value >= 0)
			jsonw_text(w, NULL, c->name);
	jsonw_end(w, ']');
}

const struct reader choice_reader = {
	read_choice, .add_what = add_choices, .add_schema = add_choice_schema};

static void read_flag(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	int flag;

	if (choose(loader, value, key->detail, &flag))
		*(bool *)target(key, into) = flag;
}

const struct reader flag_reader = {
	read_flag, .add_what = add_choices, .add_schema = add_choice_schema};

static void read_word(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	int index;

	if (choose(loader, value, key->detail, &index))
		*(const char **)target(key, into) = value->text;
}

const struct reader word_reader = {
	read_word, .add_what = add_choices, .add_schema = add_choice_schema};

static void read_duration(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const struct duration_range *range = key->detail;
	const char *text = plain_text(loader, value);
	char least[DURATION_TEXT_MAX], most[DURATION_TEXT_MAX];
	struct err err;
	int64_t ms;

	if (!text)
		return;
	if (duration_parse(text, &ms, &err) < 0)
		problem_at(loader, value, "%s", err.text);
	else if (ms < range->min_ms || ms > range->max_ms)
		problem_at(loader, value, "%s is out of range: write %s to %s",
			text, duration_print(range->min_ms, least),
			duration_print(range->max_ms, most));
	else
		*(int64_t *)target(key, into) = ms;
}

const struct reader duration_reader = {read_duration, "a duration",
	"'anyOf': [{'type': 'string', 'pattern': "
	"'^(0|([0-9]+(\\\\.[0-9]{1,3})?(d|h|m|s|ms))+)$'}, {'const': 0}], "
	"'examples': ['500ms', '30s', '1h30m']",
	.def = "duration"};

static void read_cloud_name(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *extra = key->detail, *text = plain_text(loader, value), *p;

	if (!text)
		return;
	for (p = text; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') ||
			    *p == '-' || strchr(extra, *p)))
			break;
	if (*p || !(*text >= 'a' && *text <= 'z') ||
		strlen(text) > POLICY_NAME_MAX)
		problem_at(loader, value,
			"\"%.80s\" is not a %s: write lower case letters, "
			"digits and \"-\", a letter first, at most %d",
			text, key->name, POLICY_NAME_MAX);
	else
		put_text(key, into, text);
}

static void add_cloud_name_schema(struct jsonw *w, const struct key *key)
{
	char pattern[64];

	snprintf(pattern, sizeof(pattern), "^[a-z][a-z0-9%s-]*$",
		(const char *)key->detail);
	jsonw_text(w, "pattern", pattern);
}

const struct reader cloud_name_reader = {read_cloud_name, "a name",
	"'type': 'string', 'maxLength': 63",
	.add_schema = add_cloud_name_schema};
