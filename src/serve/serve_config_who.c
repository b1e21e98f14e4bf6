/* SPDX-License-Identifier: Apache-2.0 */
/* Of the daemon's configuration: people, what they may do, how they come in. */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "identity/caller.h"
#include "serve/serve_config_parts.h"

#define NAME_BYTES_MAX 63 /* of a person, as of an approver */

const char *const *config_texts(struct loader *loader, const struct node *list,
	const char *what, size_t max, item_check check, size_t *n_r)
{
	size_t n = list_len(loader, list, what, max);
	const char **texts =
		arena_alloc(loader->arena, (n + 1) * sizeof(*texts));
	const char *text;

	*n_r = 0;
	if (list->kind == NODE_SEQUENCE && !list->n)
		problem_at(loader, list, "no %s: remove the key, or name some",
			what);
	for (const struct node *node = list->first; n && node;
		node = node->next) {
		text = plain_text(loader, node);
		if (!text)
			continue;
		if (check)
			check(loader, node, text);
		texts[(*n_r)++] = text;
	}
	return texts;
}

#define TEXTS_SCHEMA                                             \
	"'type': 'array', 'minItems': 1, 'items': {" TEXT_SCHEMA \
	", 'minLength': 1}"

/* ---- people ---- */

static void check_key(
	struct loader *loader, const struct node *node, const char *text)
{
	struct err err;

	if (strchr(text, '=') || caller_rule_check(text, &err) < 0)
		problem_at(loader, node, "%s",
			strchr(text, '=') ? "a rule about workflows is no "
					    "person's key"
					  : err.text);
}

static void read_keys(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct person *person = into;

	person->keys = config_texts(loader, value, "keys", CONFIG_KEYS_MAX,
		check_key, &person->n_keys);
}

static const struct reader keys_reader = {
	read_keys, "a list of keys", TEXTS_SCHEMA};

static void read_person_name(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	const unsigned char *p = (const unsigned char *)text;

	while (p && *p > ' ' && *p != 0x7f && *p != ':')
		p++;
	if (!text)
		return;
	if (*p || strlen(text) > NAME_BYTES_MAX)
		problem_at(loader, value,
			"\"%.80s\" is not a name of a person: 1 to %d bytes, "
			"without blanks and \":\"",
			text, NAME_BYTES_MAX);
	else
		((struct person *)into)->name = text;
}

static const struct reader person_name_reader = {read_person_name, "a name",
	TEXT_SCHEMA ", 'minLength': 1, 'maxLength': 63"};

static const struct key person_keys[] = {
	{"name", &person_name_reader, .need = KEY_REQUIRED,
		.about = "As approvers are named in policies"},
	{"keys", &keys_reader, .need = KEY_REQUIRED,
		.about = "How they come in: google:…, email:…, github:…, "
			 "slack:…, os:…"},
	{0},
};

static const struct section person_section = {"a person", person_keys,
	.def = "person", .about = "One person with all their keys"};

static void read_people(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "people", CONFIG_PEOPLE_MAX), i = 0;
	struct person *list =
		arena_alloc(loader->arena, (n + 1) * sizeof(*list));

	for (const struct node *node = value->first; node && i < n;
		node = node->next) {
		list[i].name = "";
		read_section(loader, node, &person_section, &list[i++]);
	}
	((struct serve_config *)into)->people = (struct people){list, n};
}

const struct reader people_reader = {read_people, "a list of people",
	.sections = (const struct section *const[]){&person_section, NULL},
	.list_max = CONFIG_PEOPLE_MAX};

/* ---- access ---- */

static void read_who(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct access_row *row = into;

	/* Names are looked up when all people are known. */
	row->who = config_texts(
		loader, value, "names", CONFIG_WHO_MAX, NULL, &row->n_who);
}

static const struct reader who_reader = {
	read_who, "a list of names and keys", TEXTS_SCHEMA};

static void read_may(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "rights", RIGHTS);
	struct choice choices[RIGHTS + 1] = {{0}};
	struct access_row *row = into;
	int right;

	for (right = 0; right < RIGHTS; right++)
		choices[right] = (struct choice){right_names[right], right};
	for (const struct node *node = value->first; n && node;
		node = node->next)
		if (choose(loader, node, choices, &right))
			row->may |= RIGHT_BIT(right);
}

static const struct reader may_reader = {read_may, "a list of rights",
	"'type': 'array', 'minItems': 1, 'items': {'enum': ['read', 'start', "
	"'operate', 'approve', 'metrics', 'admin']}"};

static void check_service(
	struct loader *loader, const struct node *node, const char *text)
{
	int slashes = 0;

	for (const char *p = text; *p; p++)
		slashes += *p == '/';
	if (slashes != 2 || *text == '/' || strstr(text, "//") ||
		text[strlen(text) - 1] == '/')
		problem_at(loader, node,
			"\"%.100s\" is no pattern of services: write "
			"PROJECT/REGION/SERVICE, with * in each part",
			text);
}

static void read_services(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct access_row *row = into;

	row->services = config_texts(loader, value, "services", CONFIG_LIST_MAX,
		check_service, &row->n_services);
}

static const struct reader services_reader = {read_services,
	"a list of PROJECT/REGION/SERVICE",
	"'type': 'array', 'minItems': 1, 'items': {'type': 'string', "
	"'pattern': '^[^/]+/[^/]+/[^/]+$'}"};

static void read_policies(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct access_row *row = into;

	row->policies = config_texts(loader, value, "policies", CONFIG_LIST_MAX,
		NULL, &row->n_policies);
}

static const struct reader policies_reader = {
	read_policies, "a list of policies' names", TEXTS_SCHEMA};

static const struct key row_keys[] = {
	{"who", &who_reader, .need = KEY_REQUIRED,
		.about = "People, keys, or " ACCESS_ANYONE},
	{"may", &may_reader, .need = KEY_REQUIRED,
		.about = "read, start, operate, approve, metrics, admin"},
	{"services", &services_reader,
		.about = "Only on these; on all when it is not said"},
	{"policies", &policies_reader,
		.about = "Only by these; by all when it is not said"},
	{"trust_sent", &bool_reader, offsetof(struct access_row, trust_sent),
		.value = "false",
		.about = "Whether policies that are sent may use programs, "
			 "files, variables and credentials of the daemon"},
	{0},
};

static const struct section row_section = {"a row of access", row_keys,
	.def = "access", .about = "Grants rights; all rows that match count"};

static void read_access(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "rows of access", CONFIG_ROWS_MAX);
	struct access_row *rows =
		arena_alloc(loader->arena, (n + 1) * sizeof(*rows));
	size_t i = 0;

	for (const struct node *node = value->first; node && i < n;
		node = node->next) {
		struct access_row *row = &rows[i++];

		read_section(loader, node, &row_section, row);
		if (row->trust_sent && row->n_policies)
			problem_at(loader, node_get(node, "trust_sent"),
				"a row with policies takes none that are sent: "
				"remove trust_sent or policies");
	}
	((struct serve_config *)into)->access = (struct access){rows, n};
}

const struct reader access_reader = {read_access, "a list of grants",
	.sections = (const struct section *const[]){&row_section, NULL},
	.list_max = CONFIG_ROWS_MAX};

/* ---- who is whom ---- */

static bool is_person(const struct serve_config *config, const char *name)
{
	for (size_t i = 0; i < config->people.n; i++)
		if (!strcmp(config->people.list[i].name, name))
			return true;
	return false;
}

static void unknown_person(struct loader *loader, const struct node *node,
	const struct serve_config *config)
{
	struct suggest suggest = {.word = node->text};

	for (size_t i = 0; i < config->people.n; i++)
		suggest_try(&suggest, config->people.list[i].name);
	suggest_try(&suggest, ACCESS_ANYONE);
	if (suggest.best)
		problem_at(loader, node,
			"\"%.80s\" is nobody among \"people\": did you mean "
			"%.80s?",
			node->text, suggest.best);
	else
		problem_at(loader, node,
			"\"%.80s\" is nobody among \"people\": write a "
			"person's name, a key such as google:1078, "
			"or " ACCESS_ANYONE,
			node->text);
}

static void check_who(struct loader *loader, const struct node *node,
	const struct serve_config *config)
{
	struct err err;

	if (node->kind != NODE_SCALAR || !strcmp(node->text, ACCESS_ANYONE) ||
		is_person(config, node->text))
		return;
	if (!strchr(node->text, ':'))
		unknown_person(loader, node, config);
	else if (caller_rule_check(node->text, &err) < 0)
		problem_at(loader, node, "%s", err.text);
}

static const char *text_of(const struct node *node)
{
	return node && node->kind == NODE_SCALAR ? node->text : "";
}

static bool has_key(const struct node *person, const char *key)
{
	const struct node *keys = node_get(person, "keys");

	for (const struct node *k = keys ? keys->first : NULL; k; k = k->next)
		if (!strcmp(text_of(k), key))
			return true;
	return false;
}

/* A key that two have would make one of them the other. */
static void check_person(struct loader *loader, const struct node *people,
	const struct node *person)
{
	const struct node *keys = node_get(person, "keys");
	const char *name = text_of(node_get(person, "name"));

	for (const struct node *p = people->first; p != person; p = p->next) {
		if (*name && !strcmp(text_of(node_get(p, "name")), name))
			problem_at(loader, node_get(person, "name"),
				"%.80s is named twice: give all keys in one "
				"place",
				name);
		for (const struct node *k = keys ? keys->first : NULL; k;
			k = k->next)
			if (*text_of(k) && has_key(p, k->text))
				problem_at(loader, k,
					"%.80s is the key of another person "
					"already",
					k->text);
	}
}

void config_check_who(struct loader *loader, const struct serve_config *config)
{
	const struct node *access = node_get(loader->root, "access");
	const struct node *people = node_get(loader->root, "people");
	const struct node *who;

	for (const struct node *p = people ? people->first : NULL; p;
		p = p->next)
		check_person(loader, people, p);
	for (const struct node *row = access ? access->first : NULL; row;
		row = row->next) {
		if (row->kind != NODE_MAPPING)
			continue;
		who = node_get(row, "who");
		for (const struct node *w = who ? who->first : NULL; w;
			w = w->next)
			check_who(loader, w, config);
	}
}
