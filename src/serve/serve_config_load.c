/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the daemon's configuration; see serve_config.h. */
#include <stdlib.h>
#include <string.h>

#include "base/loopback.h"
#include "base/printable.h"
#include "base/xalloc.h"
#include "io/file_system.h"
#include "policy/url.h"
#include "serve/secret_list.h"
#include "serve/serve_config_parts.h"

#define TEXT_MAX 1024 /* bytes of an address or a path */

#define MEMBER(m) offsetof(struct serve_config, m)

/* ---- single values ---- */

static const char **text_at(const struct key *key, void *into)
{
	return (const char **)((char *)into + key->offset);
}

static void read_version(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);

	if (text && strcmp(text, "1") != 0)
		problem_at(loader, value,
			"version \"%.20s\" is not known to this tidegate: it "
			"reads version 1",
			text);
}

static const struct reader config_version_reader = {
	read_version, "1", "'const': 1"};

/* Where ${PORT} and its like are filled in. */
static void read_address(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = variable_text(loader, value);

	if (!text)
		return;
	if (strncmp(text, "unix:", 5) != 0 &&
		strncmp(text, "systemd", 7) != 0 && !strrchr(text, ':'))
		problem_at(loader, value,
			"\"%.100s\" is no address: write HOST:PORT, "
			"unix:/PATH or systemd",
			text);
	else
		*text_at(key, into) = text;
}

static const struct reader address_reader = {
	read_address, "HOST:PORT, unix:/PATH or systemd", TEXT_SCHEMA};

static void read_public_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = variable_text(loader, value);
	struct url url;
	struct err err;

	if (!text)
		return;
	if (url_parse(text, &url, &err) < 0)
		problem_at(loader, value, "%s", err.text);
	else if (url.userinfo.at || url.query.at)
		problem_at(loader, value,
			"a public URL has neither a user nor a query");
	else
		*text_at(key, into) = text;
}

static const struct reader public_url_reader = {
	read_public_url, "a URL", URL_SCHEMA};

static void read_path(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *path = file_path(loader, value);

	if (path)
		*text_at(key, into) = path;
}

static const struct reader path_reader = {
	read_path, "a path, from the file's folder on", TEXT_SCHEMA};

/* ---- limits ---- */

static const struct whole_range rollouts_range = {1, 100000};
static const struct whole_range person_range = {1, 100000};

static const struct key limits_keys[] = {
	{"rollouts", &whole_reader, MEMBER(rollouts_max), &rollouts_range,
		.value = "10000", .about = "Driven at a time"},
	{"rollouts_per_person", &whole_reader, MEMBER(person_rollouts_max),
		&person_range, .value = "50",
		.about = "Started by one person, at a time"},
	{0},
};

static const struct section limits_section = {
	"limits", limits_keys, .def = "limits", .about = "How much at a time"};

static const struct reader limits_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&limits_section, NULL}};

#define DAYS_MAX 36500

static void read_days(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	const char *text = plain_text(loader, value);
	size_t n = text ? strspn(text, "0123456789") : 0;

	if (!text)
		return;
	if (!n || n > 5 || strcmp(text + n, "d") != 0 || !atoi(text) ||
		atoi(text) > DAYS_MAX)
		problem_at(loader, value,
			"\"%.40s\" is no number of days: write 1d to %dd", text,
			DAYS_MAX);
	else
		*(int64_t *)((char *)into + key->offset) = atoi(text) * MS_DAY;
}

static const struct reader days_reader = {read_days, "days, such as 400d",
	"'type': 'string', 'pattern': '^[0-9]{1,5}d$'"};

static const struct key retention_keys[] = {
	{"ended", &days_reader, MEMBER(keep_ended_ms),
		.about = "How long ended rollouts are kept; for ever when it "
			 "is not said"},
	{0},
};

static const struct section retention_section = {"retention", retention_keys,
	.def = "retention", .about = "What is deleted when it is old"};

static const struct reader retention_reader = {read_nested, "a mapping",
	.sections = (const struct section *const[]){&retention_section, NULL}};

/* ---- the file ---- */

static const struct key config_keys[] = {
	{"version", &config_version_reader, .need = KEY_REQUIRED,
		.about = "Of the format"},
	{"listen", &address_reader, MEMBER(listen), .value = "127.0.0.1:8080",
		.about = "Where requests are taken; ${PORT} is filled in"},
	{"public_url", &public_url_reader, MEMBER(public_url),
		.about = "Origin and path under which it is known: the only "
			 "source of absolute URLs"},
	{"state", &path_reader, MEMBER(state), .need = KEY_REQUIRED,
		.about = "The state file"},
	{"policies", &path_reader, MEMBER(policies), .need = KEY_REQUIRED,
		.about = "A folder with NAME.yaml for each policy"},
	{"identity", &identity_reader,
		.about = "Who may come in; tokens alone when it is not said"},
	{"people", &people_reader,
		.about = "One person, several keys; approvers in policies are "
			 "these names"},
	{"access", &access_reader, .need = KEY_REQUIRED,
		.about = "Who may do what; what is not granted is denied"},
	{"limits", &limits_reader, .value = "{}",
		.about = "How much at a time"},
	{"retention", &retention_reader, .about = "How long things are kept"},
	{"watch", &watch_reader, .about = "Services that release themselves"},
	{"notify", &notify_reader,
		.about = "Who is told of rollouts, beside the policies' hooks"},
	{0},
};

static const struct section config_section = {"a configuration", config_keys,
	.def = "configuration", .about = "How tidegate serve is to be"};

/* Who is not on this machine proves who they are. */
static bool is_local(const char *listen)
{
	const char *colon = strrchr(listen, ':');

	return !strncmp(listen, "unix:", 5) ||
	       (colon && loopback_host(listen, (size_t)(colon - listen)));
}

static void check_state(struct loader *loader, const char *state)
{
	const struct node *node = place_of(loader->root, "state");
	struct err err;

	if (state && node->kind == NODE_SCALAR && strstr(node->text, "://"))
		problem_at(loader, node,
			"this version keeps its state in a file: write its "
			"path; it knows no database");
	else if (state && file_system_check(state, &err) < 0)
		problem_at(loader, node, "%s", err.text);
}

static void check(struct loader *loader, void *into)
{
	static const struct issuer_config tokens[] = {{.kind = ISSUER_TOKEN}};
	struct serve_config *config = into;
	const struct identity_config *identity = &config->identity;

	if (config->listen && !is_local(config->listen) && !identity->n_issuers)
		problem_at(loader, place_of(loader->root, "listen"),
			"%.100s can be reached from elsewhere: \"identity\" "
			"must say who may come in",
			config->listen);
	for (size_t i = 0; i < identity->n_issuers; i++)
		if (identity->issuers[i].kind == ISSUER_OIDC &&
			!config->public_url)
			problem_at(loader, place_of(loader->root, "identity"),
				"who signs in by oidc is sent back to "
				"\"public_url\", which is missing");
	check_state(loader, config->state);
	config_check_who(loader, config);
	config_check_watch(loader, config);
	config_check_notify(loader, config);
	if (!identity->n_issuers) {
		config->identity.issuers = tokens;
		config->identity.n_issuers = 1;
	}
	config->identity.public_url = config->public_url;
	config->identity.behind_proxy = config->public_url != NULL;
	config->identity.unix_peers = true;
	config->identity.state = config->state;
}

struct serve_config *serve_config_parse(const char *path, const char *bytes,
	size_t len, const struct policy_env *env, struct buf *problems,
	struct err *err_r)
{
	static const struct document_kind kind = {&config_section, check};
	struct serve_config *config = xcalloc(1, sizeof(*config));

	arena_init(&config->arena);
	config->renewed = secret_list_new();
	config->file = document_parse(
		path, bytes, len, env, &kind, config, problems, err_r);
	if (!config->file)
		serve_config_free(&config);
	return config;
}

struct serve_config *serve_config_load(const char *path,
	const struct policy_env *env, struct buf *problems, struct err *err_r)
{
	struct serve_config *config = NULL;
	struct buf bytes;

	buf_init(&bytes, POLICY_BYTES_MAX);
	if (env->read_file(path, &bytes, err_r, env->arg) < 0) {
		printable_add(problems, err_r->text);
		buf_addc(problems, '\n');
	} else {
		config = serve_config_parse(
			path, bytes.data, bytes.len, env, problems, err_r);
	}
	buf_fini(&bytes);
	return config;
}

void serve_config_schema(struct buf *out)
{
	schema_print(&config_section, "tidegate serve",
		"How tidegate serve is to be; see tidegate-serve(8). tidegate "
		"check --config FILE knows more rules than a schema can say.",
		out);
}
