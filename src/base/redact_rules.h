/* SPDX-License-Identifier: Apache-2.0 */
/* For redact.c: what of a text is to be masked because of how it looks. */
#ifndef TIDEGATE_BASE_REDACT_RULES_H
#define TIDEGATE_BASE_REDACT_RULES_H

#include <stdbool.h>
#include <stddef.h>

struct span {
	size_t from, to;
	bool number; /* its mask gets quotes: JSON stays JSON */
};

struct scan {
	const char *text;
	size_t len;
	struct span *spans; /* to be freed */
	size_t n_spans, max_spans;
	size_t next; /* rules are done with everything before it */
	size_t query, query_end; /* and with the last URL's query */
};

/* Adds a span, in any order; nothing when it is empty. */
struct span *scan_mask(struct scan *scan, size_t from, size_t to);
void scan_rules(struct scan *scan);

#endif
