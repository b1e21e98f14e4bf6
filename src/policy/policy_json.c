/* SPDX-License-Identifier: Apache-2.0 */
/* A YAML value as JSON text, for what an answer is compared with. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/loader.h"

#define JSON_BYTES_MAX (64 * 1024)

static const char *json_digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* The grammar of RFC 8259: no "+1", ".5", "01" or "0x1f". */
static bool json_is_number(const char *text)
{
	const char *p = text + (*text == '-'), *start = p;

	p = json_digits(p);
	if (p == start || (*start == '0' && p - start > 1))
		return false;
	if (*p == '.') {
		start = ++p;
		p = json_digits(p);
		if (p == start)
			return false;
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		start = p;
		p = json_digits(p);
		if (p == start)
			return false;
	}
	return !*p;
}

/* ---- what YAML takes for a value, and JSON writes otherwise ---- */

static bool is_word(const char *text, const char *const words[])
{
	for (; *words; words++)
		if (!strcmp(text, *words))
			return true;
	return false;
}

static bool is_all(const char *text, const char *digits)
{
	return *text && !text[strspn(text, digits)];
}

/* 0x1F and 0o17, and decimals that are no numbers of JSON: 01, +1, .5, 1. */
static bool is_yaml_number(const char *text)
{
	const char *p = text + (*text == '-' || *text == '+');
	char *end;

	if (!strncmp(text, "0x", 2))
		return is_all(text + 2, "0123456789abcdefABCDEF");
	if (!strncmp(text, "0o", 2))
		return is_all(text + 2, "01234567");
	if (!isdigit((unsigned char)*p) &&
		!(*p == '.' && isdigit((unsigned char)p[1])))
		return false;
	if (p[strspn(p, "0123456789.eE+-")])
		return false;
	(void)strtod(text, &end);
	return !*end;
}

/* By YAML 1.2's core schema. Nothing is said of it: what to write instead, in
 * a text of its own. */
static const char *other_spelling(struct loader *loader, const char *text)
{
	static const char *const trues[] = {"True", "TRUE", NULL};
	static const char *const falses[] = {"False", "FALSE", NULL};
	static const char *const none[] = {".inf", ".Inf", ".INF", "+.inf",
		"-.inf", "+.Inf", "-.Inf", "+.INF", "-.INF", ".nan", ".NaN",
		".NAN", NULL};

	if (is_word(text, trues))
		return "write true";
	if (is_word(text, falses))
		return "write false";
	if (is_word(text, none))
		return "JSON has no such number, leave it out";
	if (json_is_number(text) || !is_yaml_number(text))
		return NULL;
	if (!strncmp(text, "0x", 2) || !strncmp(text, "0o", 2))
		return arena_printf(loader->arena, "write %llu",
			strtoull(text + 2, NULL, text[1] == 'x' ? 16 : 8));
	return arena_printf(loader->arena, "write %.15g", strtod(text, NULL));
}

bool is_json_number(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
	       json_is_number(node->text);
}

static void add_string(struct buf *out, const char *text)
{
	buf_addc(out, '"');
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20) {
			buf_addf(out, "\\u%04x", (unsigned)*text);
			continue;
		}
		if (*text == '"' || *text == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *text);
	}
	buf_addc(out, '"');
}

static void json_scalar(struct buf *out, const struct node *node)
{
	if (node_is_null(node))
		buf_adds(out, "null");
	else if (node->plain &&
		 (json_is_number(node->text) || !strcmp(node->text, "true") ||
			 !strcmp(node->text, "false")))
		buf_adds(out, node->text);
	else
		add_string(out, node->text);
}

/* As deep as the file is: YAML_DEPTH_MAX. false: a problem was told. */
static bool json_value(
	struct loader *loader, const struct node *node, struct buf *out)
{
	bool is_map = node->kind == NODE_MAPPING;
	const char *other;

	if (node->kind == NODE_BROKEN)
		return false;
	if (node->kind == NODE_SCALAR) {
		other = node->plain ? other_spelling(loader, node->text) : NULL;
		if (other) {
			problem_at(loader, node,
				"\"%.40s\" is not as JSON writes a value: %s, "
				"or put quotes around it for a text",
				node->text, other);
			return false;
		}
		if (*node->text && !node_is_null(node) &&
			!plain_text(loader, node))
			return false;
		json_scalar(out, node);
		return true;
	}
	buf_addc(out, is_map ? '{' : '[');
	for (const struct node *n = node->first; n; n = n->next) {
		if (n != node->first)
			buf_addc(out, ',');
		if (is_map) {
			add_string(out, n->key->text);
			buf_addc(out, ':');
		}
		if (!json_value(loader, n, out))
			return false;
	}
	buf_addc(out, is_map ? '}' : ']');
	return true;
}

const char *json_text(struct loader *loader, const struct node *node)
{
	const char *text = NULL;
	struct buf out;

	buf_init(&out, JSON_BYTES_MAX);
	if (!json_value(loader, node, &out))
		;
	else if (out.overflow)
		problem_at(loader, node, "this is longer than %d bytes",
			JSON_BYTES_MAX);
	else
		text = arena_strdup(loader->arena, out.data);
	buf_fini(&out);
	return text;
}
