/* A YAML value as JSON text, for what an answer is compared with. */
#include <ctype.h>
#include <string.h>

#include "policy/loader.h"

#define JSON_BYTES_MAX (64 * 1024)

static const char *digits(const char *p)
{
	while (isdigit((unsigned char)*p))
		p++;
	return p;
}

/* The grammar of RFC 8259: no "+1", ".5", "01" or "0x1f". */
static bool is_number(const char *text)
{
	const char *p = text + (*text == '-'), *start = p;

	p = digits(p);
	if (p == start || (*start == '0' && p - start > 1))
		return false;
	if (*p == '.') {
		start = ++p;
		p = digits(p);
		if (p == start)
			return false;
	}
	if (*p == 'e' || *p == 'E') {
		p += 1 + (p[1] == '+' || p[1] == '-');
		start = p;
		p = digits(p);
		if (p == start)
			return false;
	}
	return !*p;
}

bool is_json_number(const struct node *node)
{
	return node->kind == NODE_SCALAR && node->plain &&
	       is_number(node->text);
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

static void add_scalar(struct buf *out, const struct node *node)
{
	if (node_is_null(node))
		buf_adds(out, "null");
	else if (node->plain &&
		 (is_number(node->text) || !strcmp(node->text, "true") ||
			 !strcmp(node->text, "false")))
		buf_adds(out, node->text);
	else
		add_string(out, node->text);
}

/* As deep as the file is: YAML_DEPTH_MAX. false: a problem was told. */
static bool add_value(
	struct loader *loader, const struct node *node, struct buf *out)
{
	bool is_map = node->kind == NODE_MAPPING;

	if (node->kind == NODE_BROKEN)
		return false;
	if (node->kind == NODE_SCALAR) {
		if (*node->text && !node_is_null(node) &&
			!plain_text(loader, node))
			return false;
		add_scalar(out, node);
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
		if (!add_value(loader, n, out))
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
	if (!add_value(loader, node, &out))
		;
	else if (out.overflow)
		problem_at(loader, node, "this is longer than %d bytes",
			JSON_BYTES_MAX);
	else
		text = arena_strdup(loader->arena, out.data);
	buf_fini(&out);
	return text;
}
