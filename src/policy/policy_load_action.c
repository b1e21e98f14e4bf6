/* Actions: preflight, hooks, the rollback sequence and health. */
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/suggest.h"
#include "policy/load_action.h"
#include "policy/match.h"
#include "policy/template.h"

#define ACTION_TIMEOUT_MS (30 * MS_SECOND)
#define EVERY_MS          (2 * MS_SECOND)
#define RETRIES_MAX       10
#define ATTEMPTS_MAX      1000
#define ARGUMENTS_MAX     256
#define STATUSES_MAX      32
#define POINTERS_MAX      32

struct name {
	const struct name *next;
	const struct node *node;
};

#define HTTP(member) offsetof(struct draft, action.u.http.member)
#define EXEC(member) offsetof(struct draft, action.u.exec.member)

/* ---- keys of every action ---- */

void read_action_name(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;
	struct name *name;

	draft->action.name = name_text(loader, value);
	if (!draft->action.name)
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
	struct draft *draft = into;
	int stop;

	if (choose(loader, value, choices, &stop))
		draft->action.stop_on_failure = stop;
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
	struct draft *draft = into;
	int reason;

	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value,
			"an action for no reason never runs: remove the key "
			"for all reasons");
	if (!list_len(loader, value, "reasons", 4))
		return;
	draft->action.when = 0;
	for (const struct node *n = value->first; n; n = n->next)
		if (choose(loader, n, reasons, &reason))
			draft->action.when |= (unsigned)reason;
}

const struct duration_range action_timeout_range = {MS_SECOND, 6 * MS_HOUR};
const struct whole_range action_retries_range = {0, RETRIES_MAX};

/* ---- http ---- */

static void read_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;

	draft->action.u.http.url = secret_url(loader, value, true, NULL);
}

static void read_method(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct choice methods[] = {{"GET", 0}, {"HEAD", 0},
		{"POST", 0}, {"PUT", 0}, {"PATCH", 0}, {"DELETE", 0}, {0}};
	struct draft *draft = into;
	int method;

	if (choose(loader, value, methods, &method))
		draft->action.u.http.method = value->text;
}

static void read_statuses(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct whole_range range = {100, 599};
	struct http_expect *expect = into;
	const struct node *n = value;
	size_t count = 1;
	int *statuses;

	if (value->kind != NODE_SCALAR) {
		count = list_len(loader, value, "statuses", STATUSES_MAX);
		n = value->first;
	}
	if (!n)
		problem_at(loader, value, "no status at all: name one, 200");
	statuses = arena_alloc(loader->arena, count * sizeof(*statuses));
	for (size_t i = 0; i < count; i++, n = n->next)
		if (whole_number(
			    loader, n, &range, &statuses[expect->n_statuses]))
			expect->n_statuses++;
	expect->statuses = statuses;
}

static bool pointer_is_good(const char *pointer)
{
	if (*pointer && *pointer != '/')
		return false;
	for (const char *p = pointer; (p = strchr(p, '~')); p++)
		if (p[1] != '0' && p[1] != '1')
			return false;
	return true;
}

/* {less: 10}, {greater: 0}: the relation, and `node` becomes its number. */
static enum json_relation take_relation(
	struct loader *loader, const struct node **node)
{
	const struct node *number = (*node)->first;
	bool less;

	if ((*node)->kind != NODE_MAPPING || (*node)->n != 1)
		return JSON_EQUALS;
	less = !strcmp(number->key->text, "less");
	if (!less && strcmp(number->key->text, "greater") != 0)
		return JSON_EQUALS;
	if (!is_json_number(number))
		problem_at(loader, number, "%s is followed by a number",
			number->key->text);
	*node = number;
	return less ? JSON_LESS : JSON_GREATER;
}

static void read_json(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct http_expect *expect = into;
	struct json_expect *items;

	if (value->kind != NODE_MAPPING || value->n > POINTERS_MAX) {
		problem_at(loader, value,
			"json is a mapping of at most %d JSON pointers, "
			"\"/balance: exists\"",
			POINTERS_MAX);
		return;
	}
	items = arena_alloc(loader->arena, value->n * sizeof(*items));
	expect->json = items;
	for (const struct node *n = value->first; n; n = n->next) {
		struct json_expect *item = &items[expect->n_json];
		const struct node *wanted = n;

		item->pointer = n->key->text;
		item->relation = take_relation(loader, &wanted);
		item->exists = n->kind == NODE_SCALAR && n->plain &&
			       !strcmp(n->text, "exists");
		if (!pointer_is_good(item->pointer))
			problem_at(loader, n->key,
				"\"%.80s\" is not a JSON pointer: it starts "
				"with \"/\", \"~\" is written ~0, \"/\" in a "
				"name ~1",
				item->pointer);
		else if (item->exists ||
			 (item->value = json_text(loader, wanted)) != NULL)
			expect->n_json++;
	}
}

static void read_pattern(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *pattern = plain_text(loader, value);
	struct http_expect *expect = into;
	struct err err;

	if (!pattern)
		return;
	if (match_check(pattern, &err) < 0)
		problem_at(loader, value, "%s", err.text);
	else
		expect->body = pattern;
}

static const struct duration_range latency_range = {1, MS_HOUR};

static const struct key expect_keys[] = {
	{"status", read_statuses},
	{"body", read_pattern},
	{"json", read_json},
	{"max_latency", read_duration,
		offsetof(struct http_expect, max_latency_ms), &latency_range},
	{0},
};

const struct section expect_section = {"expect", expect_keys};

static const struct whole_range attempts_range = {1, ATTEMPTS_MAX};
static const struct duration_range every_range = {100, MS_HOUR};
static const size_t n_headers_at = HTTP(n_headers);

static const struct key http_keys[] = {
	COMMON_KEYS,
	{"url", read_url, .required = true},
	{"method", read_method},
	{"headers", read_headers, HTTP(headers), &n_headers_at},
	{"body", read_template, HTTP(body)},
	{"auth", read_action_auth, HTTP(auth)},
	{"tls", read_tls, HTTP(tls)},
	{"expect", read_nested, HTTP(expect), &expect_section},
	{"attempts", read_whole, HTTP(attempts), &attempts_range},
	{"every", read_duration, HTTP(every_ms), &every_range},
	{0},
};

const struct section http_section = {"an http action", http_keys};

static void check_attempts(struct loader *loader, const struct node *node,
	const struct action *action)
{
	const struct action_http *http = &action->u.http;
	const struct node *every = node_get(node, "every");
	const struct node *attempts = node_get(node, "attempts");
	char timeout[DURATION_TEXT_MAX], pauses[DURATION_TEXT_MAX];
	int64_t pause_ms = (http->attempts - 1) * http->every_ms;

	if (every && !attempts)
		problem_at(loader, every->key,
			"every is the pause between attempts: say how many");
	if (http->attempts > 1 && pause_ms >= action->timeout_ms)
		problem_at(loader, attempts,
			"%d attempts have %s of pauses between them, but the "
			"action ends after its timeout of %s: raise timeout",
			http->attempts, duration_print(pause_ms, pauses),
			duration_print(action->timeout_ms, timeout));
	if (http->expect.max_latency_ms >= action->timeout_ms)
		problem_at(loader,
			node_get(node_get(node, "expect"), "max_latency"),
			"max_latency is not shorter than the action's timeout "
			"of %s",
			duration_print(action->timeout_ms, timeout));
}

static void finish_http(
	struct loader *loader, const struct node *node, struct action *action)
{
	static const char *const repeatable[] = {
		"GET", "HEAD", "PUT", "DELETE"};
	struct action_http *http = &action->u.http;
	const struct node *auth = node_get(node, "auth");

	if (!http->method)
		http->method = http->body ? "POST" : "GET";
	else if (http->body && (!strcmp(http->method, "GET") ||
				       !strcmp(http->method, "HEAD")))
		problem_at(loader, node_get(node, "method"),
			"a %s request has no body: use POST, or remove the "
			"body",
			http->method);
	for (size_t i = 0; i < 4; i++)
		if (!strcmp(http->method, repeatable[i]))
			action->idempotent = true;
	for (size_t i = 0; i < http->n_headers && auth; i++)
		if (!strcasecmp(http->headers[i].name, "authorization"))
			problem_at(loader, auth->key,
				"both auth and an Authorization header: remove "
				"one");
	check_attempts(loader, node, action);
}

/* ---- exec ---- */

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

static const size_t n_command_at = EXEC(n_command);
static const size_t n_env_at = EXEC(n_env);

static const struct key exec_keys[] = {
	COMMON_KEYS,
	{"command", read_argv, EXEC(command), &n_command_at, .required = true},
	{"env", read_env, EXEC(env), &n_env_at},
	{"cwd", read_text, EXEC(cwd)},
	{0},
};

const struct section exec_section = {"an exec action", exec_keys};

/* ---- actions ---- */

static void begin_http(struct action *action)
{
	action->u.http.attempts = 1;
	action->u.http.every_ms = EVERY_MS;
}

/* How each kind is read. A kind that is not here is not of this version. */
static const struct reader {
	const struct section *section;
	void (*begin)(struct action *action); /* defaults; may be NULL */
	finish_fn finish; /* may be NULL */
} readers[ACTION_KINDS] = {
	[ACTION_HTTP] = {&http_section, begin_http, finish_http},
	[ACTION_EXEC] = {&exec_section},
	[ACTION_SILENCE] = {&silence_section, begin_silence, finish_silence},
	[ACTION_REDIS] = {&redis_section, NULL, finish_redis},
	[ACTION_DATABASE] = {&database_section},
	[ACTION_SLACK] = {&slack_section, NULL, finish_slack},
	[ACTION_WEBHOOK] = {&webhook_section, NULL, finish_webhook},
	[ACTION_PAGERDUTY] = {&pagerduty_section, begin_pagerduty,
		finish_pagerduty},
	[ACTION_SECRET] = {&secret_section, NULL, finish_secret},
	[ACTION_FIREBASE] = {&firebase_section, NULL, finish_firebase},
	[ACTION_KUBERNETES] = {&kubernetes_section, NULL, finish_kubernetes},
	[ACTION_REPORT] = {&report_section, begin_report},
};

static bool choose_kind(struct loader *loader, const struct node *type,
	enum action_kind *kind_r)
{
	struct choice choices[ACTION_KINDS + 1] = {0};
	int kind;

	for (kind = 0; kind < ACTION_KINDS; kind++)
		choices[kind] = (struct choice){
			action_kind_name((enum action_kind)kind),
			readers[kind].section ? kind : -1};
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
	struct draft draft = {.action = {.timeout_ms = ACTION_TIMEOUT_MS,
				      .when = WHEN_ALL,
				      .pos = node_pos(loader, node)}};
	const struct node *type = node_get(node, "type");
	const struct reader *reader;

	if (node->kind == NODE_BROKEN)
		return;
	if (!type) {
		problem_at(loader, node,
			"an action is a mapping with \"type\", such as {name: "
			"smoke, type: http, url: …}");
		return;
	}
	if (!choose_kind(loader, type, &draft.action.kind))
		return;
	reader = &readers[draft.action.kind];
	if (reader->begin)
		reader->begin(&draft.action);
	read_section(loader, node, reader->section, &draft);
	if (reader->finish)
		reader->finish(loader, node, &draft.action);
	if (node_get(node, "idempotent"))
		draft.action.idempotent = draft.idempotent;
	check_templates(loader, node, "an action");
	*action = draft.action;
}

void read_actions(struct loader *loader, const struct node *value,
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

/* ---- rules ---- */

static const struct node *list_node(
	const struct loader *loader, enum action_list list)
{
	const char *name = action_list_name(list), *dot = strchr(name, '.');

	if (!dot)
		return node_get(loader->root, name);
	return node_get(node_get(loader->root, "hooks"), dot + 1);
}

static bool mentions(const struct node *node, const char *template)
{
	for (const struct node *n = node->first; n; n = n->next)
		if (mentions(n, template))
			return true;
	return node->kind == NODE_SCALAR && template_uses(node->text, template);
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
		if (!loader->policy->tag && !node_get(loader->root, "tag") &&
			mentions(node, "candidate_url"))
			problem_at(loader, node,
				"{{candidate_url}} needs a tag, which gives "
				"the candidate a URL of its own: add \"tag: "
				"candidate\" to the policy");
	}
}

void check_actions(struct loader *loader)
{
	for (int list = 0; list < ACTION_LISTS; list++)
		check_list(loader, (enum action_list)list);
}
