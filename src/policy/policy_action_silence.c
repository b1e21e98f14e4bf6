/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Actions of type alertmanager-silence: one that is renewed while the rollout
 * goes on.
 */
#include <ctype.h>
#include <string.h>

#include "base/duration.h"
#include "policy/load_action.h"
#include "policy/policy_plan.h"
#include "policy/template.h"

#define MATCHERS_MAX 32

#define AT(member) offsetof(struct action, u.silence.member)

static size_t label_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return isdigit((unsigned char)*text) ? 0 : len;
}

/* A value in quotes is written as amtool prints it: \\, \" and \n stand for one
 * character; another backslash stands for itself, as in a regex. NULL: a quote
 * stands alone. */
static const char *unquote(struct arena *arena, const char *text)
{
	char *value = arena_strdup(arena, text + 1), *out = value;

	for (const char *p = text + 1; *p; p++) {
		if (*p == '"') {
			*out = '\0';
			return p[1] ? NULL : value;
		}
		if (*p == '\\' && p[1] && strchr("\\\"n", p[1]))
			*out++ = *++p == 'n' ? '\n' : *p;
		else
			*out++ = *p;
	}
	return NULL;
}

/* name="value", name!=value, name=~regex, name!~regex */
static bool split_matcher(
	struct loader *loader, const char *text, struct matcher *matcher)
{
	size_t len = label_len(text);
	const char *op = text + len;

	if (!len)
		return false;
	matcher->name = arena_strndup(loader->arena, text, len);
	op += strspn(op, " ");
	if (*op != '=' && !(*op == '!' && (op[1] == '=' || op[1] == '~')))
		return false;
	matcher->is_equal = *op == '=';
	matcher->is_regex = op[1] == '~';
	op += op[1] == '~' || *op == '!' ? 2 : 1;
	op += strspn(op, " ");
	matcher->value = *op == '"' ? unquote(loader->arena, op)
				    : arena_strdup(loader->arena, op);
	return matcher->value != NULL;
}

static bool read_matcher(
	struct loader *loader, const struct node *node, struct matcher *matcher)
{
	const char *text = template_text(loader, node);

	if (!text)
		return false;
	if (!node->key) {
		if (split_matcher(loader, text, matcher))
			return true;
		problem_at(loader, node,
			"\"%.80s\" is not a matcher: write name=value, "
			"name!=value, name=~regex or name!~regex",
			text);
		return false;
	}
	*matcher = (struct matcher){node->key->text, text, false, true};
	if (*node->key->text && !node->key->text[label_len(node->key->text)])
		return true;
	problem_at(loader, node->key, "\"%.80s\" is not the name of a label",
		node->key->text);
	return false;
}

/* A silence is found again by its matchers: they must not change. */
static void refuse_changing(struct loader *loader, const struct node *node)
{
	static const char *const changing[] = {
		"percent", "reason", "candidate_url"};

	for (size_t i = 0; i < 3; i++)
		if (node->kind == NODE_SCALAR &&
			template_uses(node->text, changing[i]))
			problem_at(loader, node,
				"{{%s}} may change while the silence is kept: "
				"match what stays, such as {{service}}",
				changing[i]);
}

static void read_matchers(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action_silence *silence = &((struct action *)into)->u.silence;
	struct matcher *matchers;

	if (value->kind == NODE_BROKEN)
		return;
	if ((value->kind != NODE_MAPPING && value->kind != NODE_SEQUENCE) ||
		!value->n || value->n > MATCHERS_MAX) {
		problem_at(loader, value,
			"matchers are 1 to %d labels, {alertname: Errors}, or "
			"a list such as ['service=~\"shop.*\"']",
			MATCHERS_MAX);
		return;
	}
	matchers = arena_alloc(loader->arena, value->n * sizeof(*matchers));
	for (const struct node *n = value->first; n; n = n->next) {
		refuse_changing(loader, n);
		if (read_matcher(loader, n, &matchers[silence->n_matchers]))
			silence->n_matchers++;
	}
	silence->matchers = matchers;
}

static const struct duration_range lease_range = {MS_MINUTE, MS_DAY};

static const struct reader matchers_reader = {read_matchers, "labels",
	"'oneOf': [{'type': 'object', 'minProperties': 1, 'maxProperties': 32, "
	"'propertyNames': {'pattern': '^[A-Za-z_][A-Za-z0-9_]*$'}, "
	"'additionalProperties': {" TEXT_SCHEMA "}}, "
	"{'type': 'array', 'minItems': 1, 'maxItems': 32, 'items': {'type': "
	"'string', 'pattern': '^[A-Za-z_][A-Za-z0-9_]* *(=~|!~|!=|=)'}}]"};

static const struct key silence_keys[] = {
	IDEMPOTENT("true"), /* it looks for its own first */
	{"url", &url_reader, AT(url), .need = KEY_REQUIRED,
		.about = "Of the Alertmanager, without /api/v2"},
	{"auth", &action_auth_reader, AT(auth),
		.about = "How to identify; default: not"},
	{"tls", &tls_reader, AT(tls), .about = "Of https"},
	{"matchers", &matchers_reader, .need = KEY_REQUIRED,
		.about = "Labels: a mapping, or a list such as name=~regex"},
	{"lease", &duration_reader, AT(lease_ms), &lease_range, .value = "10m",
		.about = "How long it lasts when tidegate is gone"},
	{"comment", &template_reader, AT(comment),
		.about = "Default: the rollout and the reason"},
	{0},
};

static void plan_silence(struct buf *out, const struct action *action)
{
	const struct action_silence *silence = &action->u.silence;
	static const char *const ops[2][2] = {{"!=", "="}, {"!~", "=~"}};
	const struct matcher *m = silence->matchers;

	buf_adds(out, "silence at ");
	plan_url(out, silence->url);
	for (size_t i = 0; i < silence->n_matchers; i++, m++) {
		plan_named(out, i ? ", " : " what has ", m->name);
		plan_named(out, ops[m->is_regex][m->is_equal], m->value);
	}
	buf_adds(out, " for ");
	duration_add(out, silence->lease_ms);
	buf_adds(out, ", renewed until the end");
}

const struct policy_action policy_action_silence = {
	.section = {"an alertmanager-silence action", silence_keys,
		.base = &every_action_section, .def = "silence",
		.about = "A silence that is renewed until the rollout ends",
		.chosen = "alertmanager-silence"},
	.plan = plan_silence,
};
