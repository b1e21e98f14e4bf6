/* SPDX-License-Identifier: Apache-2.0 */
/* Actions of type redis: keys are removed. */
#include <string.h>

#include "policy/glob.h"
#include "policy/load_action.h"
#include "policy/policy_plan.h"
#include "policy/template.h"
#include "policy/url.h"

#define PATTERNS_MAX 64

#define AT(member) offsetof(struct action, u.redis.member)

static void read_redis_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action *action = into;

	action->u.redis.url = secret_redis_url(loader, value);
}

/* Whether every key it matches must have some character: a template that may
 * come to nothing is no limit. */
static bool pattern_is_narrow(const char *pattern)
{
	static const char *const may_be_empty[] = {"reason", "candidate_url"};
	const char *p = pattern, *end;
	bool empty;

	while (*p) {
		if (!strncmp(p, "{{", 2) && (end = strstr(p, "}}")) != NULL) {
			empty = false;
			for (size_t i = 0; i < 2; i++)
				empty |= template_starts_with(
					p, may_be_empty[i]);
			if (!empty)
				return true;
			p = end + 2;
		} else if (*p == '[') {
			p = glob_skip_class(p);
		} else if (*p == '*' || *p == '?') {
			p++;
		} else {
			return *p != '\\' || p[1];
		}
	}
	return false;
}

static void read_patterns(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action_redis *redis = &((struct action *)into)->u.redis;
	size_t n = list_len(loader, value, "patterns", PATTERNS_MAX);
	const char **patterns, *text;

	if (value->kind == NODE_SEQUENCE && !value->n)
		problem_at(loader, value,
			"no patterns: name the keys to remove, \"cart:*\"");
	patterns = arena_alloc(loader->arena, (n + 1) * sizeof(*patterns));
	for (const struct node *p = value->first; n && p; p = p->next) {
		text = template_text(loader, p);
		if (text && !pattern_is_narrow(text))
			problem_at(loader, p,
				"\"%.40s\" would remove every key: name a "
				"prefix, \"cart:*\"",
				text);
		else if (text)
			patterns[redis->n_patterns++] = text;
	}
	redis->patterns = patterns;
}

static const struct reader redis_url_reader = {
	read_redis_url, "a URL", URL_SCHEMA, .def = "url"};
static const struct reader patterns_reader = {read_patterns, "a list of globs",
	"'type': 'array', 'minItems': 1, 'maxItems': 64, "
	"'items': {" TEXT_SCHEMA ", 'pattern': '[^*?]'}"};

static const struct key redis_keys[] = {
	IDEMPOTENT("true"), /* a key that is gone stays gone */
	{"url", &redis_url_reader, .need = KEY_REQUIRED,
		.about = "redis:// or rediss://, may hold ${VAR}"},
	{"tls", &tls_reader, AT(tls), .about = "Of rediss://"},
	{"patterns", &patterns_reader, .need = KEY_REQUIRED,
		.about = "Globs with {{templates}}"},
	{0},
};

static void finish_redis(
	struct loader *loader, const struct node *node, struct action *action)
{
	const struct action_redis *redis = &action->u.redis;
	const struct node *url = node_get(node, "url");

	if (redis->url && !may_be_placeholder(loader, url) &&
		!url_is_rediss(secret_reveal(redis->url)) &&
		(redis->tls.ca_file || redis->tls.cert_file))
		problem_at(loader, node,
			"this redis action has \"tls\" and would go without: "
			"write rediss:// in its url, or remove \"tls\"");
}

static void plan_redis(struct buf *out, const struct action *action)
{
	const struct action_redis *redis = &action->u.redis;
	struct buf shown;
	struct err err;
	struct url url;

	buf_init(&shown, URL_BYTES_MAX);
	if (url_parse_redis(secret_reveal(redis->url), &url, &err) == 0)
		url_show(&url, &shown);
	plan_named(out, "redis ", shown.data);
	buf_fini(&shown);
	for (size_t i = 0; i < redis->n_patterns; i++)
		plan_named(out, i ? ", " : " remove ", redis->patterns[i]);
}

const struct policy_action policy_action_redis = {
	.section = {"a redis action", redis_keys, .base = &every_action_section,
		.def = "redis",
		.about = "Keys of a Redis are removed, SCAN and UNLINK",
		.chosen = "redis"},
	.finish = finish_redis,
	.plan = plan_redis,
};
