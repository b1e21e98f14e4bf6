/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that come from outside the file: ${VAR}, *_file, URLs. Owns what of
 * them is a secret; every one is kept in policy->secrets.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "policy/load_secret.h"
#include "policy/template.h"
#include "policy/url.h"

#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define VALUE_BYTES_MAX (64 * 1024) /* of a ${VAR}, a file, a whole text */
#define VARIABLES_MAX   16 /* in one text */
/* Each byte may be a brace, which a template writes with five. */
#define TEMPLATE_BYTES_MAX (5 * VALUE_BYTES_MAX)

struct secret *keep_secret(
	struct loader *loader, const char *value, size_t len, bool known)
{
	struct policy *policy = loader->policy;
	struct secret **secrets;
	size_t n = policy->n_secrets;

	/* Full when it is a power of two: twice the room. */
	if (!(n & (n - 1))) {
		secrets = arena_alloc(
			loader->arena, (n ? 2 * n : 1) * sizeof(*secrets));
		if (n)
			memcpy(secrets, policy->secrets, n * sizeof(*secrets));
		policy->secrets = secrets;
	}
	secrets = policy->secrets;
	secrets[n] = known ? secret_new(value, len) : secret_hold(value, len);
	policy->n_secrets++;
	return secrets[n];
}

/* ---- placeholders ---- */

static bool names_a_file(const struct node *node)
{
	static const char file[] = "_file";
	const size_t len = node->key ? strlen(node->key->text) : 0;

	return len >= strlen(file) &&
	       !strcmp(node->key->text + len - strlen(file), file);
}

bool may_be_placeholder(const struct loader *loader, const struct node *node)
{
	return loader->env->placeholders && node->kind == NODE_SCALAR &&
	       (strstr(node->text, "${") || names_a_file(node));
}

/* ---- ${VAR} ---- */

void expansion_fini(struct expansion *e)
{
	buf_wipe(&e->text);
	buf_fini(&e->text);
}

static bool is_variable_name(const char *name, size_t len)
{
	if (!len || isdigit((unsigned char)*name))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return true;
}

static void problem_with_variable(struct loader *loader,
	const struct node *node, const char *at, const char *why)
{
	struct span span = node_span_of(
		&loader->problems, node, (size_t)(at - node->text), "${");
	size_t len = strcspn(at, "}");

	if (at[len] == '}' && span.to == span.from + 2)
		span.to = span.from + len + 1;
	problem_add(&loader->problems, span, "%s", why);
}

/* Appends the variable at "${"; returns what follows it, NULL: a problem. */
static const char *expand_variable(struct loader *loader,
	const struct node *node, const char *at, struct expansion *e)
{
	const struct policy_env *env = loader->env;
	const char *close = strchr(at, '}'), *value;
	char why[200], *name;
	size_t len = close ? (size_t)(close - at) - 2 : 0, from = e->text.len;

	if (!close || !is_variable_name(at + 2, len)) {
		problem_with_variable(loader, node, at,
			"this is not a variable: write ${NAME} with letters, "
			"digits and \"_\", or $$ for a dollar");
		return NULL;
	}
	name = arena_strndup(loader->arena, at + 2, len);
	value = env->variable ? env->variable(name, env->arg) : NULL;
	if (!value || !*value) {
		if (!value && env->no_variables) {
			problem_with_variable(
				loader, node, at, env->no_variables);
			return NULL;
		}
		snprintf(why, sizeof(why),
			"environment variable %.60s is %s: set it, the policy "
			"needs it",
			name, value ? "empty" : "not set");
		problem_with_variable(loader, node, at, why);
		return NULL;
	}
	if (e->n == VARIABLES_MAX) {
		problem_at(loader, node, "more than %d variables in one value",
			VARIABLES_MAX);
		return NULL;
	}
	buf_adds(&e->text, value);
	e->variable[e->n++] = (struct span){from, e->text.len};
	return close + 1;
}

/* false: a problem, nothing to free. */
bool expansion_make(
	struct loader *loader, const struct node *node, struct expansion *e)
{
	const char *p = scalar(loader, node);

	e->n = 0;
	buf_init(&e->text, VALUE_BYTES_MAX);
	while (p && *p) {
		if (p[0] == '$' && p[1] == '{') {
			p = expand_variable(loader, node, p, e);
			continue;
		}
		buf_addc(&e->text, *p);
		p += p[0] == '$' && p[1] == '$' ? 2 : 1;
	}
	if (p && (!e->text.overflow || may_be_placeholder(loader, node)))
		return true;
	if (p)
		problem_at(loader, node, "this is longer than %d bytes",
			VALUE_BYTES_MAX);
	expansion_fini(e);
	return false;
}

/* What the policy itself wrote, between two variables. */
static void add_own_text(struct buf *out, const char *text, size_t len)
{
	const char *end = text + len, *close;

	while (text < end) {
		close = end - text >= 2 && !strncmp(text, "{{", 2)
				? strstr(text, "}}")
				: NULL;
		if (close) {
			buf_add(out, text, (size_t)(close + 2 - text));
			text = close + 2;
		} else {
			template_add_literal(out, text++, 1);
		}
	}
}

/* The template that the policy wrote, with variables' values as literals. */
static void expansion_template(const struct expansion *e, struct buf *out)
{
	const char *text = e->text.data;
	size_t at = 0;

	buf_init(out, TEMPLATE_BYTES_MAX);
	for (size_t i = 0; i < e->n; i++) {
		const struct span *v = &e->variable[i];

		add_own_text(out, text + at, v->from - at);
		template_add_literal(out, text + v->from, v->to - v->from);
		at = v->to;
	}
	if (e->n)
		add_own_text(out, text + at, e->text.len - at);
	else
		buf_adds(out, text);
}

struct secret *expansion_keep(struct loader *loader, const struct expansion *e)
{
	struct secret *secret;
	struct buf text;

	expansion_template(e, &text);
	secret = keep_secret(loader, text.data, text.len, false);
	buf_wipe(&text);
	buf_fini(&text);
	return secret;
}

static bool is_same(const char *text, const char *value, size_t len)
{
	return text && strlen(text) == len && !memcmp(text, value, len);
}

static bool is_text(const struct node *node, const char *value, size_t len)
{
	return node && node->kind == NODE_SCALAR &&
	       is_same(node->text, value, len);
}

static bool is_in_environment(
	const struct policy_env *env, const char *value, size_t len)
{
	static const char *const variables[] = {"CLOUDSDK_CORE_PROJECT",
		"GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_RUN_REGION",
		"GOOGLE_CLOUD_REGION"};

	for (size_t i = 0; env->variable && i < COUNT(variables); i++)
		if (is_same(env->variable(variables[i], env->arg), value, len))
			return true;
	return false;
}

/* Names of the target stand in every line that is printed: to mask them would
 * hide nothing, and nothing could be read any more. */
static bool is_public(
	const struct loader *loader, const char *value, size_t len)
{
	static const char *const keys[] = {"project", "region", "service"};
	const struct node *target = node_get(loader->root, "target");

	for (size_t i = 0; i < COUNT(keys); i++)
		if ((target &&
			    is_text(node_get(target, keys[i]), value, len)) ||
			is_same(loader->env->names[i], value, len))
			return true;
	return is_in_environment(loader->env, value, len);
}

/* What variables put into `part` is masked from now on. */
void expansion_learn(
	struct loader *loader, const struct expansion *e, struct url_part part)
{
	const char *from, *to;

	for (size_t i = 0; part.at && i < e->n; i++) {
		from = e->text.data + e->variable[i].from;
		to = e->text.data + e->variable[i].to;
		if (from < part.at)
			from = part.at;
		if (to > part.at + part.len)
			to = part.at + part.len;
		if (from < to && !is_public(loader, from, (size_t)(to - from)))
			keep_secret(loader, from, (size_t)(to - from), true);
	}
}

void expansion_learn_all(struct loader *loader, const struct expansion *e)
{
	expansion_learn(
		loader, e, (struct url_part){e->text.data, e->text.len});
}

/* What cannot be masked is no secret: it would stand in every log. */
void secret_refuse_short(
	struct loader *loader, const struct node *node, size_t len)
{
	if (len < SECRET_MASK_MIN && !may_be_placeholder(loader, node))
		problem_at(loader, node,
			"this secret has %zu byte%s: what is shorter than %d "
			"cannot be masked in messages, use a longer one",
			len, len == 1 ? "" : "s", SECRET_MASK_MIN);
}

struct secret *secret_text(struct loader *loader, const struct node *node)
{
	struct expansion e;
	struct secret *secret;

	if (!expansion_make(loader, node, &e))
		return NULL;
	expansion_learn_all(loader, &e);
	secret = keep_secret(loader, e.text.data, e.text.len, false);
	expansion_fini(&e);
	return secret;
}

struct secret *secret_template(struct loader *loader, const struct node *node)
{
	struct secret *secret = NULL;
	struct expansion e;

	if (!expansion_make(loader, node, &e))
		return NULL;
	expansion_learn_all(loader, &e);
	if (templates_are_good(loader, node))
		secret = expansion_keep(loader, &e);
	expansion_fini(&e);
	return secret;
}

const char *variable_text(struct loader *loader, const struct node *node)
{
	const char *text = NULL;
	struct expansion e;
	struct buf template;

	if (!expansion_make(loader, node, &e))
		return NULL;
	if (templates_are_good(loader, node)) {
		expansion_template(&e, &template);
		text = arena_strdup(loader->arena, template.data);
		buf_fini(&template);
	}
	expansion_fini(&e);
	return text;
}

struct secret *secret_variable(
	struct loader *loader, const struct node *node, const char *file_key)
{
	struct secret *secret;
	struct expansion e;

	if (!expansion_make(loader, node, &e))
		return NULL;
	secret = keep_secret(loader, e.text.data, e.text.len, true);
	if (!e.n)
		problem_at(loader, node,
			"a secret does not belong into the file: write ${VAR} "
			"or use %s",
			file_key);
	else
		secret_refuse_short(loader, node, e.text.len);
	expansion_fini(&e);
	return secret;
}

/* ---- files ---- */

const char *file_path(struct loader *loader, const struct node *node)
{
	const char *path = plain_text(loader, node);

	if (!path || *path == '/')
		return path;
	return arena_printf(
		loader->arena, "%s/%s", loader->policy->folder, path);
}

#define STORED(how)                                           \
	"is stored " how ", which is no part of the secret: " \
	"store it as plain UTF-8"

/* What an editor puts in front of a text, and would be sent as a part of it. */
static const char *mark_problem(const char *bytes, size_t len)
{
	if (len >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
		return STORED("with a byte order mark");
	if (len >= 2 && (!memcmp(bytes, "\xff\xfe", 2) ||
				!memcmp(bytes, "\xfe\xff", 2)))
		return STORED("in UTF-16");
	return NULL;
}

size_t secret_line(const struct buf *content, const char **problem_r)
{
	size_t len = content->len;

	*problem_r = mark_problem(content->data, len);
	if (len && content->data[len - 1] == '\n')
		len--;
	if (len && content->data[len - 1] == '\r')
		len--;
	if (!len)
		*problem_r = "is empty";
	else if (!*problem_r && (strcspn(content->data, "\r\n") < len ||
					memchr(content->data, '\0', len)))
		*problem_r = "has more than one line: a secret is one";
	return *problem_r ? 0 : len;
}

static struct secret *file_secret(struct loader *loader,
	const struct node *node, const char *path, const struct buf *content)
{
	const char *problem;
	size_t len = secret_line(content, &problem);
	struct secret *secret;

	if (!len) {
		problem_at(loader, node, "\"%.200s\" %s", path, problem);
		return NULL;
	}
	secret = keep_secret(loader, content->data, len, true);
	secret_refuse_short(loader, node, len);
	return secret;
}

struct secret *secret_file(struct loader *loader, const struct node *node)
{
	const struct policy_env *env = loader->env;
	const char *path = file_path(loader, node);
	struct secret *secret = NULL;
	struct buf content;
	struct err err;

	if (!path)
		return NULL;
	loader->policy->has_secret_files = true;
	buf_init(&content, VALUE_BYTES_MAX);
	err_set(&err, ERR_IO, "there are no files here");
	if (!env->read_file ||
		env->read_file(path, &content, &err, env->arg) < 0)
		problem_at(loader, node, "%s", err.text);
	else
		secret = file_secret(loader, node, path, &content);
	buf_wipe(&content);
	buf_fini(&content);
	return secret;
}
