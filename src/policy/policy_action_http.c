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

static void read_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;

	action->u.http.url = secret_url(loader, value, true, NULL);
}

static void read_method(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const struct choice methods[] = {{"GET", 0}, {"HEAD", 0},
		{"POST", 0}, {"PUT", 0}, {"PATCH", 0}, {"DELETE", 0}, {0}};
	struct action *action = into;
	int method;

	if (choose(loader, value, methods, &method))
		action->u.http.method = value->text;
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
static const size_t n_headers_at = AT(n_headers);

static const struct key http_keys[] = {
	COMMON_KEYS,
	IDEMPOTENT("false"),
	{"url", read_url, .required = true},
	{"method", read_method},
	{"headers", read_headers, AT(headers), &n_headers_at},
	{"body", read_template, AT(body)},
	{"auth", read_action_auth, AT(auth)},
	{"tls", read_tls, AT(tls)},
	{"expect", read_nested, AT(expect), &expect_section},
	{"attempts", read_whole, AT(attempts), &attempts_range, .value = "1"},
	{"every", read_duration, AT(every_ms), &every_range, .value = "2s"},
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

static void plan_expect(struct buf *out, const struct http_expect *e)
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
	plan_expect(out, &http->expect);
	if (http->attempts <= 1)
		return;
	buf_addf(out, ", up to %d attempts every ", http->attempts);
	duration_add(out, http->every_ms);
}

const struct policy_action policy_action_http = {
	.section = &http_section,
	.finish = finish_http,
	.plan = plan_http,
};
