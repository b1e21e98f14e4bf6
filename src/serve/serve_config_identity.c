/* SPDX-License-Identifier: Apache-2.0 */
/* Of the daemon's configuration: the sources of identity. */
#include <string.h>

#include "serve/serve_config_parts.h"
#include "serve/slack_secrets.h"

#define MEMBER(m)      offsetof(struct issuer_config, m)
#define SLACK_VARIABLE "SLACK_API_URL"
#define SLACK_ID_MAX   20 /* characters */

/* ---- values ---- */

static void read_variable(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = variable_text(loader, value);

	if (text)
		*(const char **)((char *)into + key->offset) = text;
}

static const struct reader issuer_text_reader = {
	read_variable, "a text", TEXT_SCHEMA ", 'minLength': 1"};

static void read_client_secret(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct issuer_config *issuer = into;

	(void)key;
	issuer->client_secret_file = file_path(loader, value);
	issuer->client_secret = secret_file(loader, value);
}

static const struct reader client_secret_reader = {read_client_secret,
	"the path of a file", TEXT_SCHEMA ", 'minLength': 1"};

/* ---- of Slack ---- */

/* An id of Slack: its first letter says of what. */
static void read_slack_id(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value), *kinds = key->detail;
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return;
	if (len < 2 || len > SLACK_ID_MAX || !strchr(kinds, *text) ||
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != len)
		problem_at(loader, value,
			"\"%.40s\" is no id of Slack: it begins with %c, and "
			"goes on in capitals and digits",
			text, *kinds);
	else
		*(const char **)((char *)into + key->offset) = text;
}

#define SLACK_ID_SCHEMA(kinds) \
	"'type': 'string', 'pattern': '^[" kinds "][A-Z0-9]{1,19}$'"

static const struct reader slack_app_reader = {
	read_slack_id, "an app's id", SLACK_ID_SCHEMA("A")};
static const struct reader slack_team_reader = {
	read_slack_id, "a team's id", SLACK_ID_SCHEMA("TE")};

static void read_signing_secret(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const struct secret *secret = secret_file(loader, value);
	const char *problem =
		secret && !may_be_placeholder(loader, value)
			? slack_signing_secret_problem(
				  secret_reveal(secret), secret_len(secret))
			: NULL;
	struct issuer_config *issuer = into;

	(void)key;
	issuer->signing_secret_file = file_path(loader, value);
	issuer->signing_secret = secret;
	if (problem)
		problem_at(loader, value, "this file holds %s", problem);
}

static const struct reader signing_secret_reader = {read_signing_secret,
	"the path of a file", TEXT_SCHEMA ", 'minLength': 1"};

static void read_bot_token(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const struct secret *secret = secret_file(loader, value);
	const char *problem =
		secret && !may_be_placeholder(loader, value)
			? slack_bot_token_problem(
				  secret_reveal(secret), secret_len(secret))
			: NULL;
	struct issuer_config *issuer = into;

	(void)key;
	issuer->bot_token_file = file_path(loader, value);
	issuer->bot_token = secret;
	if (problem)
		problem_at(loader, value, "this file holds %s", problem);
}

static const struct reader bot_token_reader = {
	read_bot_token, "the path of a file", TEXT_SCHEMA ", 'minLength': 1"};

/* ---- domains ---- */

static void check_domain(
	struct loader *loader, const struct node *node, const char *text)
{
	if (!strchr(text, '.') || strchr(text, '@'))
		problem_at(loader, node,
			"\"%.100s\" is no domain: write it as example.com",
			text);
}

static void read_domains(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct issuer_config *issuer = into;

	issuer->domains = config_texts(loader, value, "domains",
		IDENTITY_DOMAINS_MAX, check_domain, &issuer->n_domains);
}

static const struct reader domains_reader = {read_domains, "a list of domains",
	"'type': 'array', 'minItems': 1, 'maxItems': 16, 'items': {'type': "
	"'string', 'pattern': '^[^@]+\\\\.[^@]+$'}"};

/* ---- kinds ---- */

static const struct key no_keys[] = {{0}};

static void read_nothing(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
}

static const struct reader type_reader = {
	read_nothing, "a kind of identity", TEXT_SCHEMA};

static const struct key type_keys[] = {
	{"type", &type_reader, .need = KEY_REQUIRED,
		.about = "iap, google, github, oidc, token or slack"},
	{0},
};

static const struct section type_section = {"a source of identity", type_keys};

#define AUDIENCE                                                   \
	{                                                          \
		"audience", &issuer_text_reader, MEMBER(audience), \
			.need = KEY_REQUIRED,                      \
			.about = "Whom its proofs are for"         \
	}
#define DOMAINS                                                           \
	{                                                                 \
		"domains", &domains_reader,                               \
			.about = "E-mail domains whose accounts are ours" \
	}

static const struct key iap_keys[] = {AUDIENCE, {0}};
static const struct key google_keys[] = {AUDIENCE, DOMAINS, {0}};
static const struct key github_keys[] = {AUDIENCE,
	{"issuer", &issuer_text_reader, MEMBER(issuer),
		.about = "Of an Enterprise Server; github.com's when it is "
			 "not said"},
	{0}};
static const struct key oidc_keys[] = {
	{"issuer", &issuer_text_reader, MEMBER(issuer), .need = KEY_REQUIRED,
		.about = "Its URL, such as https://accounts.google.com"},
	{"client_id", &issuer_text_reader, MEMBER(client_id),
		.need = KEY_REQUIRED, .about = "As it was registered there"},
	{"client_secret_file", &client_secret_reader, .need = KEY_REQUIRED,
		.about = "Where the client's secret is"},
	DOMAINS, {0}};
static const struct key slack_keys[] = {
	{"app", &slack_app_reader, MEMBER(app), "A", .need = KEY_REQUIRED,
		.about = "A0…"},
	{"team", &slack_team_reader, MEMBER(team), "TE", .need = KEY_REQUIRED,
		.about = "T0…"},
	{"signing_secret_file", &signing_secret_reader, .need = KEY_REQUIRED,
		.about = "Where the app's signing secret is"},
	{"bot_token_file", &bot_token_reader,
		.about = "Where the app's bot token is, with which it posts "
			 "what `notify` says"},
	{0}};

#define KIND(name, text)                                                      \
	static const struct section name##_section = {"a source of identity", \
		name##_keys, &type_section, .def = #name, .about = text,      \
		.chosen = #name}

#define token_keys no_keys
KIND(iap, "People who come through Identity-Aware Proxy");
KIND(google, "ID tokens of Google, of people and of service accounts");
KIND(github, "ID tokens of GitHub Actions");
KIND(oidc, "People who sign in at an OpenID provider");
KIND(token, "Tokens that tidegate token makes");
KIND(slack, "Buttons in Slack");

/* In the order of enum issuer_kind. */
static const struct section *const kinds[] = {[ISSUER_IAP] = &iap_section,
	[ISSUER_GOOGLE] = &google_section,
	[ISSUER_GITHUB] = &github_section,
	[ISSUER_OIDC] = &oidc_section,
	[ISSUER_TOKEN] = &token_section,
	[ISSUER_SLACK] = &slack_section,
	NULL};

/* Where Slack is, for tests; "" is the usual place, as it is for gcloud. */
static const char *slack_place(const struct loader *loader)
{
	const struct policy_env *env = loader->env;
	const char *url =
		env->variable ? env->variable(SLACK_VARIABLE, env->arg) : NULL;

	size_t len = url ? strlen(url) : 0;

	while (len && url[len - 1] == '/')
		len--;
	return len ? arena_strndup(loader->arena, url, len) : NULL;
}

static void read_issuer(struct loader *loader, const struct node *node,
	struct issuer_config *issuer)
{
	struct choice choices[sizeof(kinds) / sizeof(*kinds)] = {{0}};
	const struct node *type = node_get(node, "type");
	int kind;

	for (kind = 0; kinds[kind]; kind++)
		choices[kind] = (struct choice){kinds[kind]->chosen, kind};
	if (node->kind != NODE_MAPPING || !type) {
		if (node->kind != NODE_BROKEN)
			problem_at(loader, node,
				"a source of identity is a mapping with "
				"\"type\", such as {type: token}");
		return;
	}
	if (!choose(loader, type, choices, &kind))
		return;
	issuer->kind = (enum issuer_kind)kind;
	read_section(loader, node, kinds[kind], issuer);
	if (kind == ISSUER_SLACK)
		issuer->api_url = slack_place(loader);
}

static void read_identity(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	size_t n = list_len(
		loader, value, "sources of identity", IDENTITY_ISSUERS_MAX);
	struct issuer_config *issuers =
		arena_alloc(loader->arena, (n + 1) * sizeof(*issuers));
	struct serve_config *config = into;
	size_t i = 0;

	for (const struct node *node = value->first; node && i < n;
		node = node->next)
		read_issuer(loader, node, &issuers[i++]);
	config->identity.issuers = issuers;
	config->renewable = issuers;
	config->identity.n_issuers = n;
}

const struct reader identity_reader = {read_identity,
	"a list of sources of identity", .sections = kinds, .by = "type",
	.list_max = IDENTITY_ISSUERS_MAX};
