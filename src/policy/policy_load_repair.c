/*
 * Actions that set the world around a service right: silences, caches,
 * databases, secrets, sites, workloads. Reads what the policy says of them.
 */
#include <ctype.h>
#include <string.h>

#include "policy/load_action.h"
#include "policy/template.h"
#include "policy/url.h"

#define MATCHERS_MAX  32
#define PATTERNS_MAX  64
#define PATH_PART_MAX 255 /* bytes of a name in somebody's API */
#define LEASE_MS      (10 * MS_MINUTE)

#define AT(member) offsetof(struct draft, action.u.member)

/* A name that becomes part of a path: `detail` are the characters it may have
 * beside letters and digits. */
static void read_path_part(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *extra = key->detail, *text = plain_text(loader, value), *p;

	if (!text)
		return;
	for (p = text; isalnum((unsigned char)*p) || (*p && strchr(extra, *p));)
		p++;
	if (*p || !isalnum((unsigned char)*text) ||
		strlen(text) > PATH_PART_MAX)
		problem_at(loader, value,
			"\"%.80s\" is not the name of a %s: write letters, "
			"digits and \"%s\", at most %d",
			text, key->name, extra, PATH_PART_MAX);
	else
		*(const char **)((char *)into + key->offset) = text;
}

/* ---- alertmanager-silence ---- */

static void read_silence_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;

	draft->action.u.silence.url = secret_url(loader, value, false, NULL);
}

static size_t label_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return isdigit((unsigned char)*text) ? 0 : len;
}

/* name="value", name!=value, name=~regex, name!~regex */
static bool split_matcher(
	struct loader *loader, const char *text, struct matcher *matcher)
{
	size_t len = label_len(text), end;
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
	end = strlen(op);
	if (*op == '"') {
		if (end < 2 || op[end - 1] != '"')
			return false;
		op++;
		end -= 2;
	}
	matcher->value = arena_strndup(loader->arena, op, end);
	return true;
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

/* What a silence is found again by must not change while it is kept. */
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
	struct action_silence *silence =
		&((struct draft *)into)->action.u.silence;
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

static const struct key silence_keys[] = {
	COMMON_KEYS,
	{"url", read_silence_url, .required = true},
	{"auth", read_action_auth, AT(silence.auth)},
	{"tls", read_tls, AT(silence.tls)},
	{"matchers", read_matchers, .required = true},
	{"lease", read_duration, AT(silence.lease_ms), &lease_range},
	{"comment", read_template, AT(silence.comment)},
	{0},
};

const struct section silence_section = {
	"an alertmanager-silence action", silence_keys};

void begin_silence(struct action *action)
{
	action->u.silence.lease_ms = LEASE_MS;
}

void finish_silence(
	struct loader *loader, const struct node *node, struct action *action)
{
	action->idempotent = true; /* it looks for its own first */
}

/* ---- redis ---- */

static void read_redis_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;

	draft->action.u.redis.url = secret_redis_url(loader, value);
}

/* Whether a glob begins with something that limits it. */
static bool pattern_is_narrow(const char *pattern)
{
	return pattern[strspn(pattern, "*?")];
}

static void read_patterns(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct action_redis *redis = &((struct draft *)into)->action.u.redis;
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

static const struct key redis_keys[] = {
	COMMON_KEYS,
	{"url", read_redis_url, .required = true},
	{"tls", read_tls, AT(redis.tls)},
	{"patterns", read_patterns, .required = true},
	{0},
};

const struct section redis_section = {"a redis action", redis_keys};

void finish_redis(
	struct loader *loader, const struct node *node, struct action *action)
{
	const struct action_redis *redis = &action->u.redis;

	action->idempotent = true; /* a key that is gone stays gone */
	if (redis->url && !url_is_rediss(secret_reveal(redis->url)) &&
		(redis->tls.ca_file || redis->tls.cert_file))
		problem_at(loader, node,
			"this redis action has \"tls\" and would go without: "
			"write rediss:// in its url, or remove \"tls\"");
}

/* ---- database ---- */

static const size_t n_command_at = AT(database.exec.n_command);
static const size_t n_guard_at = AT(database.n_guard);
static const size_t n_env_at = AT(database.exec.n_env);

static const struct key database_keys[] = {
	COMMON_KEYS,
	{"command", read_argv, AT(database.exec.command), &n_command_at,
		.required = true},
	{"guard", read_argv, AT(database.guard), &n_guard_at},
	{"env", read_env, AT(database.exec.env), &n_env_at},
	{"cwd", read_text, AT(database.exec.cwd)},
	{0},
};

const struct section database_section = {"a database action", database_keys};

/* ---- secret ---- */

static void read_value(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct draft *draft = into;

	draft->action.u.secret.value = secret_template(loader, value);
}

static const struct key secret_keys[] = {
	COMMON_KEYS,
	{"project", read_path_part, AT(secret.project), "-.:"},
	{"secret", read_path_part, AT(secret.secret), "-_", .required = true},
	{"value", read_value},
	{"restore", read_bool, AT(secret.restore)},
	{0},
};

const struct section secret_section = {"a secret action", secret_keys};

void finish_secret(
	struct loader *loader, const struct node *node, struct action *action)
{
	const struct action_secret *secret = &action->u.secret;

	action->idempotent = true; /* it looks whether the value is there */
	if (secret->restore && node_get(node, "value"))
		problem_at(loader, node_get(node, "value")->key,
			"both value and restore: true: remove one");
	else if (!secret->restore && !node_get(node, "value"))
		problem_at(loader, node,
			"the secret action \"%s\" needs value, or restore: "
			"true for what it held in preflight",
			action->name ? action->name : "");
}

/* ---- firebase-hosting ---- */

static const struct key firebase_keys[] = {
	COMMON_KEYS,
	{"site", read_path_part, AT(firebase.site), "-", .required = true},
	{0},
};

const struct section firebase_section = {
	"a firebase-hosting action", firebase_keys};

void finish_firebase(
	struct loader *loader, const struct node *node, struct action *action)
{
	action->idempotent = true; /* the release names the rollout */
}

/* ---- kubernetes ---- */

static void read_resource(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	static const char *const kinds[] = {"deployment", "deployments",
		"deploy", "deployment.apps", "deployments.apps"};
	struct draft *draft = into;
	const char *text = plain_text(loader, value), *slash, *p;

	if (!text)
		return;
	slash = strchr(text, '/');
	for (size_t i = 0; slash && i < 5; i++) {
		if (strlen(kinds[i]) != (size_t)(slash - text) ||
			strncmp(kinds[i], text, (size_t)(slash - text)) != 0)
			continue;
		for (p = slash + 1;
			isalnum((unsigned char)*p) || *p == '-' || *p == '.';)
			p++;
		if (*p || !isalnum((unsigned char)slash[1]))
			break;
		draft->action.u.kubernetes.resource = text;
		return;
	}
	problem_at(loader, value,
		"\"%.80s\" is not a Deployment: write deployment/NAME, other "
		"kinds are not supported by this version",
		text);
}

static const struct key kubernetes_keys[] = {
	COMMON_KEYS,
	{"resource", read_resource, .required = true},
	{"namespace", read_path_part, AT(kubernetes.namespace), "-"},
	{"context", read_path_part, AT(kubernetes.context), "-_.@:/"},
	{0},
};

const struct section kubernetes_section = {
	"a kubernetes action", kubernetes_keys};

void finish_kubernetes(
	struct loader *loader, const struct node *node, struct action *action)
{
	action->idempotent = true; /* it looks whether it is there already */
}
