/* SPDX-License-Identifier: Apache-2.0 */
/* How tidegate identifies itself: auth, tls, headers, environments. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/loader.h"

#define HEADERS_MAX   32
#define VARIABLES_MAX 128
#define AUDIENCE_MAX  1024

static const struct choice auth_types[] = {
	{"none", AUTH_NONE},
	{"basic", AUTH_BASIC},
	{"bearer", AUTH_BEARER},
	{"google", AUTH_GOOGLE},
	{"id-token", AUTH_ID_TOKEN},
	{0},
};

/* The keys as given; which of them must be there depends on the type. */
struct auth_draft {
	enum auth_type type;
	const struct node *username, *password, *password_file, *token,
		*token_file, *audience;
};

/* Their values are read when the type is known. */
static const struct reader username_reader = {read_node, "a text", TEXT_SCHEMA};
static const struct reader variable_reader = {
	read_node, "${VAR}", "'type': 'string', 'pattern': " VARIABLE_PATTERN};
static const struct reader file_reader = {
	read_node, "a file", "'type': 'string'"};
static const struct reader audience_reader = {read_node, "a text",
	"'type': 'string', 'minLength': 1, 'maxLength': 1024"};

static const struct key auth_keys[] = {
	{"type", &choice_reader, offsetof(struct auth_draft, type), auth_types,
		.need = KEY_REQUIRED,
		.about = "How to identify; id-token is for actions only"},
	{"username", &username_reader, offsetof(struct auth_draft, username),
		.about = "Of basic; may hold ${VAR}"},
	{"password", &variable_reader, offsetof(struct auth_draft, password),
		.about = "Of basic, as ${VAR}"},
	{"password_file", &file_reader,
		offsetof(struct auth_draft, password_file),
		.about = "The file that holds it, one line"},
	{"token", &variable_reader, offsetof(struct auth_draft, token),
		.about = "Of bearer, as ${VAR}"},
	{"token_file", &file_reader, offsetof(struct auth_draft, token_file),
		.about = "The file that holds it, one line"},
	{"audience", &audience_reader, offsetof(struct auth_draft, audience),
		.about = "Of an ID token; default: the URL's own service"},
	{0},
};

static const struct section auth_section = {"auth", auth_keys, .def = "auth",
	.about = "Secrets come from a file or from ${VAR}"};

#define AUTH_SECTIONS                   \
	(const struct section *const[]) \
	{                               \
		&auth_section, NULL     \
	}

/* One of the two must be there. */
static struct secret *auth_secret(struct loader *loader,
	const struct node *auth, const struct node *variable,
	const struct node *file, const char *name)
{
	char file_key[32];

	snprintf(file_key, sizeof(file_key), "%s_file", name);
	if (variable && file)
		problem_at(loader, file->key, "both %s and %s: remove one",
			name, file_key);
	else if (file)
		return secret_file(loader, file);
	else if (variable)
		return secret_variable(loader, variable, file_key);
	else
		problem_at(loader, auth, "this auth needs %s or %s", file_key,
			name);
	return NULL;
}

static void refuse_unused(
	struct loader *loader, const struct node *node, const char *type)
{
	if (node)
		problem_at(loader, node->key, "\"type: %s\" has no %s", type,
			node->key->text);
}

static void take_basic(struct loader *loader, const struct node *node,
	const struct auth_draft *draft, struct auth *auth)
{
	struct secret *username;

	refuse_unused(loader, draft->token, "basic");
	refuse_unused(loader, draft->token_file, "basic");
	if (!draft->username) {
		problem_at(loader, node, "\"type: basic\" needs username");
	} else {
		username = secret_text(loader, draft->username);
		if (username)
			auth->username = arena_strdup(
				loader->arena, secret_reveal(username));
		if (auth->username && strchr(auth->username, ':') &&
			!may_be_placeholder(loader, draft->username))
			problem_at(loader, draft->username,
				"a username cannot hold \":\"");
	}
	auth->secret = auth_secret(loader, node, draft->password,
		draft->password_file, "password");
}

/* A token goes into a header, where a control character ends the request. */
static void check_token(struct loader *loader, const struct auth_draft *draft,
	const struct secret *token)
{
	const struct node *node =
		draft->token_file ? draft->token_file : draft->token;
	const char *p;

	if (!token || may_be_placeholder(loader, node))
		return;
	for (p = secret_reveal(token); (unsigned char)*p >= 0x20 && *p != 0x7f;)
		p++;
	if (*p)
		problem_at(loader, node,
			"byte %zu of this token is a control character, which "
			"cannot be sent: store the token anew",
			(size_t)(p - secret_reveal(token)) + 1);
}

static void refuse_all(struct loader *loader, const struct auth_draft *draft,
	const char *type, bool tokens)
{
	refuse_unused(loader, draft->username, type);
	refuse_unused(loader, draft->password, type);
	refuse_unused(loader, draft->password_file, type);
	if (tokens) {
		refuse_unused(loader, draft->token, type);
		refuse_unused(loader, draft->token_file, type);
	}
}

/* A custom audience, or the URL of the service behind a balancer. */
static const char *audience_of(struct loader *loader, const struct node *node)
{
	const char *text = node ? node->text : NULL, *at = text;

	if (!node)
		return NULL;
	while (at && *at > ' ' && *at < 0x7f)
		at++;
	if (text && *text && !*at && at - text <= AUDIENCE_MAX)
		return arena_strdup(loader->arena, text);
	problem_at(loader, node,
		"an audience is a URL or a word of at most %d visible ASCII "
		"characters",
		AUDIENCE_MAX);
	return NULL;
}

static void load_auth(
	struct loader *loader, const struct node *value, struct auth *auth)
{
	struct auth_draft draft = {.type = AUTH_NONE};
	const struct node *type = node_get(value, "type");

	read_section(loader, value, &auth_section, &draft);
	auth->type = draft.type;
	if (draft.type != AUTH_ID_TOKEN && draft.audience)
		problem_at(loader, draft.audience->key,
			"an audience is for \"type: id-token\"");
	switch (draft.type) {
	case AUTH_NONE:
		if (type && type->text && !strcmp(type->text, "none"))
			refuse_all(loader, &draft, "none", true);
		break;
	case AUTH_BASIC:
		take_basic(loader, value, &draft, auth);
		break;
	case AUTH_BEARER:
		refuse_all(loader, &draft, "bearer", false);
		auth->secret = auth_secret(
			loader, value, draft.token, draft.token_file, "token");
		check_token(loader, &draft, auth->secret);
		break;
	case AUTH_GOOGLE:
		refuse_all(loader, &draft, "google", true);
		break;
	case AUTH_ID_TOKEN:
		refuse_all(loader, &draft, "id-token", true);
		auth->audience = audience_of(loader, draft.audience);
		break;
	}
}

static void read_action_auth(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	load_auth(loader, value, (struct auth *)((char *)into + key->offset));
}

const struct reader action_auth_reader = {
	read_action_auth, "a mapping", .sections = AUTH_SECTIONS};

static void read_auth(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct auth *auth = (struct auth *)((char *)into + key->offset);

	load_auth(loader, value, auth);
	if (auth->type == AUTH_ID_TOKEN)
		problem_at(loader, value,
			"\"type: id-token\" is for actions; here there is "
			"none, basic, bearer or google");
}

const struct reader auth_reader = {
	read_auth, "a mapping", .sections = AUTH_SECTIONS};

/* ---- tls ---- */

static void read_tls_path(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	*(const char **)((char *)into + key->offset) = file_path(loader, value);
}

static const struct reader path_reader = {
	read_tls_path, "a file", "'type': 'string'"};

static const struct key tls_keys[] = {
	{"ca_file", &path_reader, offsetof(struct tls, ca_file),
		.about = "Certificate authorities; default: the system's"},
	{"cert_file", &path_reader, offsetof(struct tls, cert_file),
		.about = "A certificate of our own"},
	{"key_file", &path_reader, offsetof(struct tls, key_file),
		.about = "Its key"},
	{0},
};

static const struct rule tls_rules[] = {
	{RULE_TOGETHER, {"cert_file", "key_file"}}, {RULE_END}};

static const struct section tls_section = {"tls", tls_keys, .def = "tls",
	.about = "Whom to trust, and who we are", .rules = tls_rules};

static void read_tls(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct tls *tls = (struct tls *)((char *)into + key->offset);

	read_section(loader, value, &tls_section, tls);
	if (!tls->cert_file != !tls->key_file)
		problem_at(loader, value,
			"a client certificate needs both cert_file and "
			"key_file");
}

const struct reader tls_reader = {read_tls, "a mapping",
	.sections = (const struct section *const[]){&tls_section, NULL}};

/* ---- NAME: VALUE ---- */

bool is_name_list(struct loader *loader, const struct node *node,
	const char *what, size_t max)
{
	if (node->kind == NODE_BROKEN)
		return false;
	if (node->kind != NODE_MAPPING)
		problem_at(loader, node, "%s are a mapping, \"NAME: value\"",
			what);
	else if (node->n > max)
		problem_at(loader, node, "%zu %s are too many: at most %zu",
			node->n, what, max);
	else
		return true;
	return false;
}

/* A token of RFC 9110. */
static bool header_name_is_token(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) &&
			!strchr("!#$%&'*+-.^_`|~", *p))
			return false;
	return *name;
}

static bool header_is_good(
	struct loader *loader, const struct node *list, const struct node *node)
{
	static const char *const own[] = {"connection", "content-length",
		"expect", "te", "transfer-encoding", "upgrade"};
	const char *name = node->key->text;

	if (!header_name_is_token(name)) {
		problem_at(loader, node->key,
			"\"%.60s\" is not a header's name", name);
		return false;
	}
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcasecmp(own[i], name) != 0)
			continue;
		problem_at(loader, node->key,
			"the header %s is tidegate's own: remove it", name);
		return false;
	}
	for (const struct node *n = list->first; n != node; n = n->next) {
		if (strcasecmp(n->key->text, name) != 0)
			continue;
		problem_at(loader, node->key,
			"the header %.60s is given twice: first in line %d",
			name, n->key->line);
		return false;
	}
	return true;
}

static struct secret *header_value(
	struct loader *loader, const struct node *node)
{
	struct secret *value;
	const char *p;

	if (!strcasecmp(node->key->text, "authorization"))
		value = secret_variable(loader, node, "auth");
	else
		value = secret_text(loader, node);
	if (!value)
		return NULL;
	for (p = secret_reveal(value); *p; p++) {
		if (((unsigned char)*p >= 0x20 && *p != 0x7f) ||
			may_be_placeholder(loader, node))
			continue;
		problem_at(loader, node,
			"a header's value cannot hold a newline or another "
			"control character");
		return NULL;
	}
	return value;
}

static bool refuse_template(
	struct loader *loader, const struct node *node, const char *where)
{
	if (node->kind != NODE_SCALAR || !strstr(node->text, "{{"))
		return false;
	problem_at(loader, node, "templates are not filled in in %s", where);
	return true;
}

static void read_headers(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const size_t *n_offset = key->detail;
	size_t *n_r = (size_t *)((char *)into + *n_offset);
	struct header *headers;

	if (!is_name_list(loader, value, "headers", HEADERS_MAX))
		return;
	headers = arena_alloc(loader->arena, value->n * sizeof(*headers));
	*(const struct header **)((char *)into + key->offset) = headers;
	for (const struct node *n = value->first; n; n = n->next) {
		if (!header_is_good(loader, value, n) ||
			refuse_template(loader, n, "headers"))
			continue;
		headers->name = n->key->text;
		headers->value = header_value(loader, n);
		if (headers->value) {
			headers++;
			++*n_r;
		}
	}
}

const struct reader headers_reader = {read_headers, "NAME: VALUE",
	"'type': 'object', 'maxProperties': 32, "
	"'additionalProperties': {" TEXT_SCHEMA "}",
	.def = "headers"};

static bool is_env_name(const char *name)
{
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '_')
			return false;
	return *name && !isdigit((unsigned char)*name);
}

static void read_env(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const size_t *n_offset = key->detail;
	size_t *n_r = (size_t *)((char *)into + *n_offset);
	struct env_var *vars;

	if (!is_name_list(loader, value, "variables", VARIABLES_MAX))
		return;
	vars = arena_alloc(loader->arena, value->n * sizeof(*vars));
	*(const struct env_var **)((char *)into + key->offset) = vars;
	for (const struct node *n = value->first; n; n = n->next) {
		if (!is_env_name(n->key->text)) {
			problem_at(loader, n->key,
				"\"%.60s\" is not a variable's name: write "
				"letters, digits and \"_\"",
				n->key->text);
			continue;
		}
		if (refuse_template(loader, n,
			    "env: the process finds them as "
			    "$TIDEGATE_CANDIDATE and so on"))
			continue;
		vars->name = n->key->text;
		vars->value = secret_text(loader, n);
		if (vars->value) {
			vars++;
			++*n_r;
		}
	}
}

const struct reader env_reader = {read_env, "NAME: VALUE",
	"'type': 'object', 'maxProperties': 128, "
	"'propertyNames': {'pattern': '^[A-Za-z_][A-Za-z0-9_]*$'}, "
	"'additionalProperties': {" TEXT_SCHEMA "}",
	.def = "env"};
