/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type http: a request, and what its answer has to be. */
#include <string.h>
#include <strings.h>

#include "base/duration.h"
#include "base/printable.h"
#include "policy/load_action.h"
#include "policy/match.h"
#include "policy/policy_plan.h"

#define ATTEMPTS_MAX 1000
#define STATUSES_MAX 32
#define POINTERS_MAX 32

#define AT(member) offsetof(struct action, u.http.member)

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

const struct reader statuses_reader = {read_statuses, "a status or a list",
	"'oneOf': [{'type': 'integer', 'minimum': 100, 'maximum': 599}, "
	"{'type': 'array', 'minItems': 1, 'maxItems': 32, 'items': "
	"{'type': 'integer', 'minimum': 100, 'maximum': 599}}]"};

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

const struct reader json_reader = {read_json, "POINTER: VALUE",
	"'type': 'object', 'maxProperties': 32, "
	"'propertyNames': {'pattern': '^(/([^~]|~[01])*)?$'}"};

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

const struct reader pattern_reader = {read_pattern, "a pattern", TEXT_SCHEMA};

static const struct duration_range latency_range = {1, MS_HOUR};

static const struct key expect_keys[] = {
	{"status", &statuses_reader, .about = "Default: any 2xx"},
	{"body", &pattern_reader,
		.about = "A PCRE2 pattern that must occur in the body"},
	{"json", &json_reader,
		.about = "exists, the value, {less: N} or {greater: N}"},
	{"max_latency", &duration_reader,
		offsetof(struct http_expect, max_latency_ms), &latency_range,
		.about = "The answer is complete within this time"},
	{0},
};

static const struct section expect_section = {"expect", expect_keys,
	.def = "expect",
	.about = "What the answer of an http action has to be"};

static const struct reader expect_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&expect_section, NULL}};

static const struct choice methods[] = {{"GET", 0}, {"HEAD", 0}, {"POST", 0},
	{"PUT", 0}, {"PATCH", 0}, {"DELETE", 0}, {0}};

static const struct whole_range attempts_range = {1, ATTEMPTS_MAX};
static const struct duration_range every_range = {100, MS_HOUR};
static const size_t n_headers_at = AT(n_headers);

static const struct key http_keys[] = {
	{"idempotent", &bool_reader, offsetof(struct action, idempotent),
		.about = "Default: true for GET, HEAD, PUT and DELETE"},
	{"url", &template_url_reader, AT(url), .need = KEY_REQUIRED,
		.about = "With ${VAR} and {{templates}}"},
	{"method", &word_reader, AT(method), methods,
		.about = "Default: GET, with a body POST"},
	{"headers", &headers_reader, AT(headers), &n_headers_at,
		.about = "May hold ${VAR}"},
	{"body", &template_reader, AT(body), .about = "With {{templates}}"},
	{"auth", &action_auth_reader, AT(auth),
		.about = "How to identify; default: not"},
	{"tls", &tls_reader, AT(tls), .about = "Of https"},
	{"expect", &expect_reader, AT(expect),
		.about = "What makes it a success; default: any 2xx"},
	{"attempts", &whole_reader, AT(attempts), &attempts_range, .value = "1",
		.about = "Tries inside one run, to wait for health"},
	{"every", &duration_reader, AT(every_ms), &every_range, .value = "2s",
		.about = "Between attempts"},
	{0},
};

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
	for (size_t i = 0; i < 4 && !node_get(node, "idempotent"); i++)
		if (!strcmp(http->method, repeatable[i]))
			action->idempotent = true;
	for (size_t i = 0; i < http->n_headers && auth; i++)
		if (!strcasecmp(http->headers[i].name, "authorization"))
			problem_at(loader, auth->key,
				"both auth and an Authorization header: remove "
				"one");
	check_attempts(loader, node, action);
}

/* ---- plan ---- */

void plan_answer(struct buf *out, const struct http_expect *e)
{
	static const char *const relations[] = {" = ", " < ", " > "};

	buf_adds(out, ", expects ");
	for (size_t i = 0; i < e->n_statuses; i++)
		buf_addf(out, "%s%d", i ? " or " : "", e->statuses[i]);
	if (!e->n_statuses)
		buf_adds(out, "2xx");
	if (e->body) {
		buf_adds(out, ", a body that matches ");
		printable_add(out, e->body);
	}
	for (size_t i = 0; i < e->n_json; i++) {
		buf_adds(out, ", ");
		printable_add(out, e->json[i].pointer);
		buf_adds(out, e->json[i].exists
				      ? " to exist"
				      : relations[e->json[i].relation]);
		if (!e->json[i].exists)
			printable_add(out, e->json[i].value);
	}
	if (e->max_latency_ms) {
		buf_adds(out, " within ");
		duration_add(out, e->max_latency_ms);
	}
}

static void plan_http(struct buf *out, const struct action *action)
{
	const struct action_http *http = &action->u.http;

	buf_addf(out, "http %s ", http->method);
	plan_url(out, http->url);
	plan_answer(out, &http->expect);
	if (http->attempts <= 1)
		return;
	buf_addf(out, ", up to %d attempts every ", http->attempts);
	duration_add(out, http->every_ms);
}

const struct policy_action policy_action_http = {
	.section = {"an http action", http_keys, .base = &every_action_section,
		.def = "http",
		.about = "One request and what is expected of the answer",
		.chosen = "http"},
	.finish = finish_http,
	.plan = plan_http,
};
