/* SPDX-License-Identifier: Apache-2.0 */
/* libfyaml's events made into a tree; see yaml_doc.h. */
#include "policy/yaml_doc.h"

#include <libfyaml.h>
#include <string.h>

#define KEY_SHOWN_MAX 60 /* bytes of a key that a message repeats */

struct builder {
	struct arena *arena;
	struct problems *problems;
	struct node *root;
	struct node *open[YAML_DEPTH_MAX]; /* collections not yet ended */
	struct node *last[YAML_DEPTH_MAX]; /* their newest children */
	struct node *key[YAML_DEPTH_MAX]; /* mappings: waits for its value */
	size_t depth, n_nodes, documents;
	bool stop; /* a problem after which nothing makes sense */
};

/* ---- bytes ---- */

/* Length of the UTF-8 character at `p`; 0: it is none. */
static size_t character_len(const unsigned char *p, size_t left)
{
	size_t len = *p < 0x80             ? 1
		     : (*p & 0xe0) == 0xc0 ? 2
		     : (*p & 0xf0) == 0xe0 ? 3
		     : (*p & 0xf8) == 0xf0 ? 4
					   : 0;

	if (!len || len > left)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((len == 2 && *p < 0xc2) ||
		(len == 3 && *p == 0xe0 && p[1] < 0xa0) ||
		(len == 3 && *p == 0xed && p[1] > 0x9f) ||
		(len == 4 && *p == 0xf0 && p[1] < 0x90) ||
		(len == 4 && (*p > 0xf4 || (*p == 0xf4 && p[1] > 0x8f))))
		return 0;
	return len;
}

/* libfyaml ends a text silently where it stops being one: look before. */
static bool is_text(struct problems *problems)
{
	const unsigned char *bytes = (const unsigned char *)problems->source;
	size_t len = problems->source_len, step;

	for (size_t i = 0; i < len; i += step) {
		step = character_len(bytes + i, len - i);
		if (!step) {
			problem_add(problems, (struct span){i, i + 1},
				"byte 0x%02x is not UTF-8: save the file as "
				"UTF-8",
				bytes[i]);
			return false;
		}
		if ((bytes[i] < 0x20 && !strchr("\t\n\r", bytes[i])) ||
			!bytes[i] || bytes[i] == 0x7f) {
			problem_add(problems, (struct span){i, i + 1},
				"control character 0x%02x: a policy is a text "
				"file",
				bytes[i]);
			return false;
		}
	}
	return true;
}

/* ---- nodes ---- */

static struct node *node_new(
	struct builder *b, enum node_kind kind, struct fy_event *event)
{
	const struct fy_mark *start = fy_event_start_mark(event);
	const struct fy_mark *end = fy_event_end_mark(event);
	const struct node *before = NULL;
	struct node *node = arena_alloc(b->arena, sizeof(*node));

	node->kind = kind;
	if (start && end) {
		node->span = (struct span){start->input_pos, end->input_pos};
		node->line = start->line + 1;
		node->col = start->column + 1;
	} else { /* a value that is not there: its key stands for it */
		if (b->depth)
			before = b->key[b->depth - 1] ? b->key[b->depth - 1]
						      : b->open[b->depth - 1];
		if (before) {
			node->span = before->span;
			node->line = before->line;
			node->col = before->col;
		}
	}
	if (++b->n_nodes > YAML_NODES_MAX && !b->stop) {
		problem_add(b->problems, node->span,
			"more than %d values: a policy is not that big",
			YAML_NODES_MAX);
		b->stop = true;
	}
	return node;
}

static bool key_is_good(
	struct builder *b, const struct node *mapping, const struct node *key)
{
	const struct node *other;

	if (key->kind == NODE_BROKEN)
		return false;
	if (key->kind != NODE_SCALAR || node_is_null(key)) {
		problem_add(b->problems, key->span,
			"a key is a name, such as \"percent\"");
		return false;
	}
	if (key->plain && !strcmp(key->text, "<<")) {
		problem_add(b->problems, key->span,
			"merge keys (<<) are not supported: write the keys "
			"out");
		return false;
	}
	other = node_get(mapping, key->text);
	if (other) {
		problem_add(b->problems, key->span,
			"\"%.*s\" is given twice: first in line %d",
			KEY_SHOWN_MAX, key->text, other->key->line);
		return false;
	}
	if (mapping->n == YAML_KEYS_MAX)
		problem_add(b->problems, key->span,
			"more than %d keys in one place", YAML_KEYS_MAX);
	return mapping->n < YAML_KEYS_MAX;
}

static void node_link(struct builder *b, struct node *node)
{
	struct node *open, *key;

	if (!b->depth) {
		b->root = node;
		return;
	}
	open = b->open[b->depth - 1];
	if (open->kind == NODE_MAPPING) {
		key = b->key[b->depth - 1];
		if (!key) {
			b->key[b->depth - 1] = node;
			return;
		}
		b->key[b->depth - 1] = NULL;
		if (!key_is_good(b, open, key))
			return;
		node->key = key;
	}
	if (b->last[b->depth - 1])
		b->last[b->depth - 1]->next = node;
	else
		open->first = node;
	b->last[b->depth - 1] = node;
	open->n++;
}

static void node_open(struct builder *b, struct node *node)
{
	node_link(b, node);
	if (b->depth == YAML_DEPTH_MAX) {
		problem_add(b->problems, node->span, "nested more than %d deep",
			YAML_DEPTH_MAX);
		b->stop = true;
		return;
	}
	b->open[b->depth] = node;
	b->last[b->depth] = NULL;
	b->key[b->depth] = NULL;
	b->depth++;
}

static void node_close(struct builder *b, struct fy_event *event)
{
	const struct fy_mark *end = fy_event_end_mark(event);
	struct node *node;

	if (!b->depth)
		return;
	node = b->open[--b->depth];
	/* A block has no bracket: its first byte stands for it. */
	if (end && node->span.to > node->span.from)
		node->span.to = end->input_pos;
	else
		node->span.to = node->span.from + 1;
}

/* ---- events ---- */

static void refuse(struct builder *b, struct fy_token *token, const char *what)
{
	const struct fy_mark *start = fy_token_start_mark(token);
	const struct fy_mark *end = fy_token_end_mark(token);

	problem_add(b->problems,
		(struct span){
			start ? start->input_pos : 0, end ? end->input_pos : 0},
		"%s", what);
}

static void refuse_properties(
	struct builder *b, struct fy_token *anchor, struct fy_token *tag)
{
	if (anchor)
		refuse(b, anchor,
			"anchors (&name) are not supported: write the value "
			"out where it is needed");
	if (tag)
		refuse(b, tag, "tags (!name) are not supported: remove it");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A line break of a quoted text becomes a blank, n of them n - 1; blanks
 * around them go. Returns what follows. */
static size_t fold_lines(
	const char *source, size_t i, size_t end, struct buf *out)
{
	size_t breaks = 0;

	while (out->len && is_blank(out->data[out->len - 1]))
		buf_truncate(out, out->len - 1);
	for (; i < end && (is_blank(source[i]) || strchr("\r\n", source[i]));
		i++)
		breaks += source[i] == '\n';
	if (breaks == 1)
		buf_addc(out, ' ');
	for (; breaks > 1; breaks--)
		buf_addc(out, '\n');
	return i;
}

/* What fy_token_get_text does, which in libfyaml 0.7.12 loses memory over
 * several '' in a row. */
static char *single_quoted_text(struct builder *b, struct span span)
{
	const char *source = b->problems->source;
	struct buf out;
	size_t i = span.from;
	char *text;

	buf_init(&out, span.to - span.from);
	while (i < span.to) {
		if (source[i] == '\n' || source[i] == '\r') {
			i = fold_lines(source, i, span.to, &out);
			continue;
		}
		buf_addc(&out, source[i]);
		i += source[i] == '\'' ? 2 : 1;
	}
	text = arena_strndup(b->arena, out.data, out.len);
	buf_fini(&out);
	return text;
}

/* NULL: there is a NUL in it. */
static char *scalar_text(
	struct builder *b, const struct node *node, struct fy_token *token)
{
	const char *text;
	size_t len;

	if (fy_token_scalar_style(token) == FYSS_SINGLE_QUOTED)
		return single_quoted_text(b, node->span);
	text = fy_token_get_text(token, &len);
	if (!text || memchr(text, '\0', len))
		return NULL;
	return arena_strndup(b->arena, text, len);
}

static void take_scalar(struct builder *b, struct fy_event *event)
{
	struct fy_token *token = event->scalar.value;
	struct node *node = node_new(b, NODE_SCALAR, event);

	refuse_properties(b, event->scalar.anchor, event->scalar.tag);
	node->plain = !token || fy_token_scalar_style(token) == FYSS_PLAIN;
	node->text = token ? scalar_text(b, node, token) : "";
	if (!node->text) {
		problem_add(b->problems, node->span,
			"a text cannot hold a NUL character");
		node->text = "";
		node->kind = NODE_BROKEN;
	}
	node_link(b, node);
}

static void take_document(struct builder *b, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);
	const struct fy_version *version =
		fy_document_start_event_version(event);
	struct span span = {0, 1};

	if (mark)
		span = (struct span){mark->input_pos, mark->input_pos + 3};
	if (fy_document_state_version_explicit(
		    event->document_start.document_state) &&
		version && (version->major != 1 || version->minor != 2))
		problem_add(b->problems, (struct span){0, 5},
			"a policy is YAML 1.2: remove the %%YAML line");
	if (++b->documents > 1) {
		problem_add(b->problems, span,
			"a second document: a file holds one policy");
		b->stop = true;
	}
}

static void take(struct builder *b, struct fy_event *event)
{
	switch (event->type) {
	case FYET_DOCUMENT_START:
		take_document(b, event);
		break;
	case FYET_SCALAR:
		take_scalar(b, event);
		break;
	case FYET_ALIAS:
		node_link(b, node_new(b, NODE_BROKEN, event));
		refuse(b, event->alias.anchor,
			"aliases (*name) are not supported: write the value "
			"out");
		break;
	case FYET_SEQUENCE_START:
		refuse_properties(b, event->sequence_start.anchor,
			event->sequence_start.tag);
		node_open(b, node_new(b, NODE_SEQUENCE, event));
		break;
	case FYET_MAPPING_START:
		refuse_properties(b, event->mapping_start.anchor,
			event->mapping_start.tag);
		node_open(b, node_new(b, NODE_MAPPING, event));
		break;
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		node_close(b, event);
		break;
	default:
		break;
	}
}

/* ---- the parser ---- */

/* What libfyaml says between its diagnostics is of no use to anybody. */
static void swallow(
	struct fy_diag *diag, void *user, const char *text, size_t len)
{
}

static struct fy_diag *diag_new(void)
{
	struct fy_diag_cfg config;
	struct fy_diag *diag;

	fy_diag_cfg_default(&config);
	config.fp = NULL;
	config.output_fn = swallow;
	config.colorize = false;
	diag = fy_diag_create(&config);
	if (diag)
		fy_diag_set_collect_errors(diag, true);
	return diag;
}

/* What libfyaml found goes to the problems; true: there was something. */
static bool tell(struct problems *problems, struct fy_diag *diag)
{
	struct fy_diag_error *error;
	void *iterator = NULL;
	int told = 0;

	while ((error = fy_diag_errors_iterate(diag, &iterator))) {
		if (told++ < POLICY_PROBLEMS_MAX)
			problem_add(problems,
				problem_span(problems, error->line - 1,
					error->column - 1),
				"this is not YAML: %.300s", error->msg);
	}
	return told > 0;
}

/* true: the tree is whole. */
static bool build(struct builder *b, struct fy_diag *diag)
{
	struct fy_parse_cfg config = {
		.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG |
			 FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE,
		.diag = diag,
	};
	struct fy_parser *parser = fy_parser_create(&config);
	struct fy_event *event;
	bool whole = false;

	if (parser && !fy_parser_set_string(parser, b->problems->source,
			      b->problems->source_len)) {
		while (!b->stop && (event = fy_parser_parse(parser))) {
			take(b, event);
			fy_parser_event_free(parser, event);
		}
		whole = !b->stop && !fy_parser_get_stream_error(parser);
	}
	if (tell(b->problems, diag))
		whole = false;
	fy_parser_destroy(parser);
	return whole;
}

struct node *yaml_parse_value(struct arena *arena, struct problems *problems)
{
	struct builder b = {.arena = arena, .problems = problems};
	struct fy_diag *diag;
	bool whole;

	if (!is_text(problems))
		return NULL;
	diag = diag_new();
	whole = diag && build(&b, diag);
	fy_diag_destroy(diag);
	if (!whole) {
		if (!problems->n)
			problem_add(problems, (struct span){0, 0},
				"this cannot be read as YAML");
		return NULL;
	}
	return b.root;
}

struct node *yaml_parse(struct arena *arena, struct problems *problems)
{
	struct node *root = yaml_parse_value(arena, problems);

	if (!problems->n && (!root || node_is_null(root))) {
		problem_add(problems, (struct span){0, 0},
			"the file is empty: a policy starts with "
			"\"version: 1\"");
		return NULL;
	}
	return root;
}

const struct node *node_get(const struct node *mapping, const char *key)
{
	if (!mapping || mapping->kind != NODE_MAPPING)
		return NULL;
	for (const struct node *n = mapping->first; n; n = n->next)
		if (!strcmp(n->key->text, key))
			return n;
	return NULL;
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

	if (node->kind != NODE_SCALAR || !node->plain)
		return false;
	for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
		if (!strcmp(node->text, nulls[i]))
			return true;
	return false;
}

/* Quotes and indentation move things: count occurrences instead of bytes. */
struct span node_span_of(const struct problems *problems,
	const struct node *node, size_t at, const char *what)
{
	const char *source = problems->source, *found = node->text;
	size_t len = strlen(what), nth = 0;

	for (; (found = strstr(found, what)); found++, nth++)
		if (found >= node->text + at)
			break;
	if (!found)
		return node->span;
	for (size_t i = node->span.from; i + len <= node->span.to; i++)
		if (!memcmp(source + i, what, len) && !nth--)
			return (struct span){i, i + len};
	return node->span;
}
