/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes what a terminal would obey; see printable.h. */
#include "base/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

#define ESCAPE_BYTES_MAX 9 /* \u{e0001} */
#define QUOTED_BYTES_MAX 80
#define CHARACTER_MAX    4 /* bytes of UTF-8 */

static void add_control(struct buf *out, unsigned char c)
{
	switch (c) {
	case '\n':
		buf_adds(out, "\\n");
		break;
	case '\r':
		buf_adds(out, "\\r");
		break;
	case '\t':
		buf_adds(out, "\\t");
		break;
	default:
		buf_addf(out, "\\x%02x", c);
	}
}

static void add(struct buf *out, const char *text, bool keep_lines)
{
	uint32_t c = 0;
	size_t len;

	for (; *text; text += len) {
		len = utf8_decode(text, &c);
		if (keep_lines && (*text == '\n' || *text == '\t'))
			buf_addc(out, *text);
		else if (!len || c < ' ' || c == 0x7f)
			add_control(out, (unsigned char)*text);
		else if (utf8_is_hidden(c))
			buf_addf(out, "\\u{%x}", (unsigned)c);
		else
			buf_add(out, text, len);
		if (!len)
			len = 1;
	}
}

void printable_add(struct buf *out, const char *text)
{
	add(out, text, false);
}

void printable_add_lines(struct buf *out, const char *text)
{
	add(out, text, true);
}

void printable_copy(char *out, size_t size, const char *text)
{
	struct buf line;
	size_t len;

	/* Each byte read gives at least one, so that no more are looked at than
	 * fit, and the rest of a character. */
	char *begin = xmemdup0(text, strnlen(text, size + CHARACTER_MAX));

	buf_init(&line, size * ESCAPE_BYTES_MAX);
	printable_add(&line, begin);
	len = line.len < size ? line.len : size - 1;
	while (len && len < line.len &&
		((unsigned char)line.data[len] & 0xc0) == 0x80)
		len--;
	memcpy(out, line.data, len);
	out[len] = '\0';
	buf_fini(&line);
	xfree(&begin);
}

void printable_quote(
	char out[PRINTABLE_QUOTE_MAX], const char *bytes, size_t len)
{
	char shown[PRINTABLE_QUOTE_MAX - 8];
	char begin[QUOTED_BYTES_MAX + 1];
	bool whole = len <= QUOTED_BYTES_MAX;

	if (!len) {
		snprintf(out, PRINTABLE_QUOTE_MAX, "an empty body");
		return;
	}
	len = whole ? len : QUOTED_BYTES_MAX;
	memcpy(begin, bytes, len);
	begin[len] = '\0';
	printable_copy(shown, sizeof(shown), begin);
	snprintf(out, PRINTABLE_QUOTE_MAX, "\"%s%s\"", shown, whole ? "" : "…");
}
