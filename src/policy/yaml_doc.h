/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML 1.2 or JSON file as a tree whose nodes know their place. Bounded:
 * what could explode or mislead (anchors, aliases, merge keys, tags, several
 * documents, deep nesting, bytes that are not text) is refused with a message.
 * Knows no key of a policy.
 */
#ifndef TIDEGATE_POLICY_YAML_DOC_H
#define TIDEGATE_POLICY_YAML_DOC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "policy/problem.h"

#define YAML_DEPTH_MAX 16 /* mappings and lists inside each other */
#define YAML_NODES_MAX 20000
#define YAML_KEYS_MAX  256 /* of one mapping */

enum node_kind {
	NODE_SCALAR,
	NODE_SEQUENCE,
	NODE_MAPPING,
	NODE_BROKEN, /* told already: pass over it in silence */
};

struct node {
	enum node_kind kind;
	const struct node *key; /* a mapping's value: its key, a scalar */
	struct node *first, *next; /* children, and the one after this */
	size_t n; /* children */
	const char *text; /* scalar: as meant, without NUL bytes inside */
	bool plain; /* scalar without quotes: may be a number, true, null */
	struct span span;
	int line, col; /* both from 1 */
};

/* The tree of problems->source, in `arena`; NULL after a problem that leaves
 * no tree worth looking at. */
struct node *yaml_parse(struct arena *arena, struct problems *problems);
/* The same of a text that may be null. */
struct node *yaml_parse_value(struct arena *arena, struct problems *problems);

/* A mapping's value; NULL: no such key. */
const struct node *node_get(const struct node *mapping, const char *key);

/* A plain scalar that is null: "", "~", "null". */
bool node_is_null(const struct node *node);

/* The place of the first `what` at or after byte `at` of a scalar's text. */
struct span node_span_of(const struct problems *problems,
	const struct node *node, size_t at, const char *what);

#endif
