/* SPDX-License-Identifier: Apache-2.0 */
/*
 * URLs with secrets in them. Owns what of a URL is one: what variables put
 * anywhere but into scheme, host and port, user information, and long values
 * of the query.
 */
#include <ctype.h>
#include <string.h>

#include "base/spelling.h"
#include "policy/load_secret.h"

#define QUERY_SECRET_MIN 16 /* bytes: shorter query values are not tokens */
#define TOKEN_LEN_MIN    8 /* bytes: shorter parts of a path are not */

static void learn_query(struct loader *loader, struct url_part query)
{
	const char *p = query.at, *end, *next, *value;

	if (!p)
		return;
	for (end = p + query.len; p < end; p = next + 1) {
		next = memchr(p, '&', (size_t)(end - p));
		if (!next)
			next = end;
		value = memchr(p, '=', (size_t)(next - p));
		value = value ? value + 1 : p;
		if (next - value >= QUERY_SECRET_MIN)
			keep_secret(
				loader, value, (size_t)(next - value), true);
	}
}

/* As it stands, and as it was before somebody percent-encoded it. */
static void learn_decoded(struct loader *loader, struct url_part part)
{
	struct spelled decoded;

	keep_secret(loader, part.at, part.len, true);
	if (!spelling_read(SPELLING_PERCENT, part.at, part.len, &decoded))
		return;
	keep_secret(loader, decoded.bytes, decoded.len, true);
	spelled_fini(&decoded);
}

static void learn_userinfo(struct loader *loader, const struct node *node,
	struct url_part userinfo)
{
	struct url_part password = {0};

	if (!userinfo.at)
		return;
	learn_decoded(loader, userinfo);
	password.at = memchr(userinfo.at, ':', userinfo.len);
	if (!password.at)
		return;
	password.at++;
	password.len = (size_t)(userinfo.at + userinfo.len - password.at);
	if (password.len)
		learn_decoded(loader, password);
	if (password.len)
		secret_refuse_short(loader, node, password.len);
}

/* What of a URL is masked wherever it appears; scheme, host and port, by which
 * people know whom it is about, never are. See "secret" in
 * tidegate-policy(5). */
static void learn_url(struct loader *loader, const struct node *node,
	const struct expansion *e, const struct url *url)
{
	expansion_learn(loader, e, url->userinfo);
	expansion_learn(loader, e, url->path);
	expansion_learn(loader, e, url->query);
	learn_query(loader, url->query);
	learn_userinfo(loader, node, url->userinfo);
}

/* No word of ours, and no part of an API's path. */
static bool looks_random(const char *text, size_t len)
{
	if (len < TOKEN_LEN_MIN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (isdigit((unsigned char)text[i]) ||
			isupper((unsigned char)text[i]))
			return true;
	return false;
}

void learn_webhook(struct loader *loader, const struct secret *webhook)
{
	const char *p, *next, *end;
	struct url url;
	struct err err;

	if (url_parse(secret_reveal(webhook), &url, &err) < 0)
		return;
	if (url.path.len > 1)
		keep_secret(loader, url.path.at, url.path.len, true);
	end = url.path.at + url.path.len;
	for (p = url.path.at; p < end; p = next + 1) {
		next = memchr(p, '/', (size_t)(end - p));
		if (!next)
			next = end;
		if (looks_random(p, (size_t)(next - p)))
			keep_secret(loader, p, (size_t)(next - p), true);
	}
}

static bool url_templates_are_good(
	struct loader *loader, const struct node *node, bool templates)
{
	const char *open = strstr(node->text, "{{");

	if (!open)
		return true;
	if (templates)
		return templates_are_good(loader, node);
	problem_add(&loader->problems,
		node_span_of(&loader->problems, node,
			(size_t)(open - node->text), "{{"),
		"templates are not filled in here: write the value");
	return false;
}

typedef int (*parse_fn)(const char *text, struct url *url_r, struct err *err_r);

static struct secret *read_url(struct loader *loader, const struct node *node,
	parse_fn parse, bool templates, const char **shown_r)
{
	struct secret *secret = NULL;
	struct expansion e;
	struct buf shown;
	struct url url;
	struct err err;

	if (!expansion_make(loader, node, &e))
		return NULL;
	if (!url_templates_are_good(loader, node, templates))
		goto out;
	if (parse(e.text.data, &url, &err) == 0) {
		learn_url(loader, node, &e, &url);
	} else if (may_be_placeholder(loader, node)) {
		url = (struct url){.path = {"***", 3}};
	} else {
		/* Whatever it is, it was meant for a URL: keep it unseen. */
		if (e.n)
			keep_secret(loader, e.text.data, e.text.len, true);
		expansion_learn_all(loader, &e);
		problem_at(loader, node, "%s", err.text);
		goto out;
	}
	secret = templates
			 ? expansion_keep(loader, &e)
			 : keep_secret(loader, e.text.data, e.text.len, false);
	if (shown_r) {
		buf_init(&shown, URL_BYTES_MAX);
		url_show(&url, &shown);
		*shown_r = arena_strdup(loader->arena, shown.data);
		buf_fini(&shown);
	}
out:
	expansion_fini(&e);
	return secret;
}

struct secret *secret_url(struct loader *loader, const struct node *node,
	bool templates, const char **shown_r)
{
	return read_url(loader, node, url_parse, templates, shown_r);
}

struct secret *secret_redis_url(struct loader *loader, const struct node *node)
{
	return read_url(loader, node, url_parse_redis, false, NULL);
}

/* ---- readers for tables ---- */

static void read_plain_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	*(struct secret **)((char *)into + key->offset) =
		secret_url(loader, value, false, NULL);
}

const struct reader url_reader = {
	read_plain_url, "a URL", URL_SCHEMA, .def = "url"};

static void read_template_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	*(struct secret **)((char *)into + key->offset) =
		secret_url(loader, value, true, NULL);
}

const struct reader template_url_reader = {
	read_template_url, "a URL", URL_SCHEMA, .def = "url"};

static void read_webhook_url(struct loader *loader, const struct node *value,
	const struct key *key, void *into)
{
	struct secret *webhook = secret_url(loader, value, true, NULL);

	if (webhook && strstr(value->text, "${"))
		learn_webhook(loader, webhook);
	*(struct secret **)((char *)into + key->offset) = webhook;
}

const struct reader webhook_url_reader = {
	read_webhook_url, "a URL", URL_SCHEMA, .def = "url"};
