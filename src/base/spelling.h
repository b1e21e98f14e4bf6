/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes written with other bytes: "%2F", "\u0026", "&amp;", "'\''". A text is
 * turned back to what was meant, each byte with the place it came from, so that
 * a value is found however somebody wrote it. Pure.
 */
#ifndef TIDEGATE_BASE_SPELLING_H
#define TIDEGATE_BASE_SPELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPELLING_GROWTH_MAX 12 /* bytes for one, at most: "\\ud83d\\ude00" */

enum spelling {
	SPELLING_PERCENT, /* URLs */
	SPELLING_FORM, /* the same with "+" for a blank */
	SPELLING_BACKSLASH, /* JSON, YAML, shells, C; "\xe9" is a character */
	SPELLING_BYTES, /* the same where "\xe9" is a byte */
	SPELLING_ENTITY, /* HTML and XML */
	SPELLING_QUOTE, /* a quote in quotes: doubled, or as shells do */
	SPELLINGS
};

/* What was meant. Wiped when it is freed: it may be a secret. */
struct spelled {
	char *bytes;
	uint32_t
		*from; /* where byte i begins in the text; from[len]: the end */
	size_t len;
};

/* false: nothing in the text is written so, `out` is untouched. An escape that
 * the end of the text cuts off is left out. Texts below 4 GiB. */
bool spelling_read(enum spelling spelling, const char *text, size_t len,
	struct spelled *out);
void spelled_fini(struct spelled *spelled);

#endif
