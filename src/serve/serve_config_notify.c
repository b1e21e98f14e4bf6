/* SPDX-License-Identifier: Apache-2.0 */
/* Of the daemon's configuration: who is told of rollouts. */
#include <string.h>

#include "serve/serve_config_parts.h"

#define MEMBER(m)       offsetof(struct notify_row, m)
#define CHANNEL_MAX     20 /* characters of an id */
#define CHANNEL_PATTERN "^[CG][A-Z0-9]{1,19}$"

static void read_nothing(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	(void)loader;
	(void)value;
	(void)key;
	(void)into;
}

static const struct reader type_reader = {
	read_nothing, "a kind of notice", TEXT_SCHEMA};

static void read_channel(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return;
	if ((*text != 'C' && *text != 'G') || len < 2 || len > CHANNEL_MAX ||
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != len)
		problem_at(loader, value,
			"\"%.40s\" is no channel's id: write C0…, as \"About\" "
			"of the channel has it at its end",
			text);
	else
		((struct notify_row *)into)->channel = text;
}

static const struct reader channel_reader = {read_channel, "a channel's id",
	"'type': 'string', 'pattern': '" CHANNEL_PATTERN "'"};

/* In the order of enum notify_event. */
static const struct choice events[] = {
	{"started", NOTIFY_STARTED},
	{"held", NOTIFY_HELD},
	{"approval", NOTIFY_APPROVAL},
	{"breach", NOTIFY_BREACH},
	{"rolled-back", NOTIFY_ROLLED_BACK},
	{"promoted", NOTIFY_PROMOTED},
	{"rollback-failed", NOTIFY_ROLLBACK_FAILED},
	{"stopped", NOTIFY_STOPPED},
	{0},
};

static void read_on(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "events", NOTIFY_EVENTS);
	struct notify_row *row = into;
	int event;

	(void)key;
	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value,
			"no events: remove the key to be told of all, or name "
			"some");
	row->on = 0;
	for (const struct node *node = value->first; n && node;
		node = node->next)
		if (choose(loader, node, events, &event))
			row->on |= NOTIFY_BIT(event);
}

static const struct reader on_reader = {read_on, "a list of events",
	"'type': 'array', 'minItems': 1, 'maxItems': 8, 'items': {'enum': "
	"['started', 'held', 'approval', 'breach', 'rolled-back', 'promoted', "
	"'rollback-failed', 'stopped']}"};

static const struct key type_keys[] = {
	{"type", &type_reader, .need = KEY_REQUIRED, .about = "slack"},
	{0},
};

static const struct section type_section = {"a notice", type_keys};

static const struct key slack_keys[] = {
	{"channel", &channel_reader, MEMBER(channel), .need = KEY_REQUIRED,
		.about = "C0…: where the app is a member"},
	{"on", &on_reader,
		.about = "When a rollout gets its message there, which follows "
			 "it from then on; at any of these when it is not "
			 "said"},
	{0},
};

static const struct section slack_section = {"a notice", slack_keys,
	&type_section, .def = "notify_slack",
	.about = "One message in Slack for each rollout", .chosen = "slack"};

static const struct section *const kinds[] = {&slack_section, NULL};

static void read_row(
	struct loader *loader, const struct node *node, struct notify_row *row)
{
	static const struct choice choices[] = {{"slack", 0}, {0}};
	const struct node *type = node_get(node, "type");
	int kind;

	row->on = NOTIFY_BIT(NOTIFY_EVENTS) - 1;
	if (node->kind != NODE_MAPPING || !type) {
		if (node->kind != NODE_BROKEN)
			problem_at(loader, node,
				"a notice is a mapping with \"type\", such as "
				"{type: slack, channel: C0…}");
		return;
	}
	if (choose(loader, type, choices, &kind))
		read_section(loader, node, kinds[kind], row);
}

static void read_notify(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(loader, value, "notices", NOTIFY_ROWS_MAX), i = 0;
	struct notify_row *rows =
		arena_alloc(loader->arena, (n + 1) * sizeof(*rows));
	struct serve_config *config = into;

	(void)key;
	for (const struct node *node = value->first; node && i < n;
		node = node->next)
		read_row(loader, node, &rows[i++]);
	config->notify.rows = rows;
	config->notify.n = n;
}

const struct reader notify_reader = {read_notify, "a list of notices",
	.sections = kinds, .by = "type", .list_max = NOTIFY_ROWS_MAX};

/* ---- as a whole ---- */

/* The app that posts; two would each be told of the other's buttons. */
static void find_app(struct loader *loader, struct serve_config *config)
{
	const struct identity_config *identity = &config->identity;
	const struct node *place = place_of(loader->root, "notify");

	for (size_t i = 0; i < identity->n_issuers; i++) {
		if (identity->issuers[i].kind != ISSUER_SLACK ||
			!identity->issuers[i].bot_token_file)
			continue;
		if (config->notify.app)
			problem_at(loader, place,
				"two sources of identity of type slack have a "
				"\"bot_token_file\": leave the one that posts");
		config->notify.app = &identity->issuers[i];
	}
	if (!config->notify.app)
		problem_at(loader, place,
			"who posts to Slack is a source of \"identity\": "
			"{type: "
			"slack, app: A0…, team: T0…, signing_secret_file: …, "
			"bot_token_file: …}");
}

void config_check_notify(struct loader *loader, struct serve_config *config)
{
	const struct node *place = place_of(loader->root, "notify");
	const struct notify_row *rows = config->notify.rows;

	if (!config->notify.n)
		return;
	find_app(loader, config);
	if (!config->public_url)
		problem_at(loader, place,
			"messages lead to the pages by \"public_url\", which "
			"is "
			"missing");
	for (size_t i = 0; i < config->notify.n; i++)
		for (size_t j = 0; j < i; j++)
			if (rows[i].channel && rows[j].channel &&
				!strcmp(rows[i].channel, rows[j].channel))
				problem_at(loader, place,
					"channel %.40s is there twice: give "
					"all "
					"its events in one place",
					rows[i].channel);
}
