/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes for pages; see escape.h. */
#include "base/escape.h"

#include <string.h>

#include "base/printable.h"
#include "base/secret.h"

#define FENCE_MIN 3

/* Masked and printable; the caller ends the buffer. */
static void clean(struct buf *clean_r, const char *text, bool lines)
{
	struct buf masked;
	size_t len = strnlen(text, ESCAPE_BYTES_MAX / 4);

	buf_init(&masked, ESCAPE_BYTES_MAX);
	buf_add(&masked, text, len);
	redact(&masked);
	buf_init(clean_r, 2 * ESCAPE_BYTES_MAX);
	if (lines)
		printable_add_lines(clean_r, masked.data);
	else
		printable_add(clean_r, masked.data);
	buf_fini(&masked);
}

static void add_html(struct buf *out, const char *text, bool lines)
{
	struct buf plain;

	clean(&plain, text, lines);
	for (const char *c = plain.data; *c; c++) {
		switch (*c) {
		case '&':
			buf_adds(out, "&amp;");
			break;
		case '<':
			buf_adds(out, "&lt;");
			break;
		case '>':
			buf_adds(out, "&gt;");
			break;
		case '"':
			buf_adds(out, "&quot;");
			break;
		case '\'':
			buf_adds(out, "&#39;");
			break;
		default:
			buf_addc(out, *c);
		}
	}
	buf_fini(&plain);
}

void escape_html(struct buf *out, const char *text)
{
	add_html(out, text, false);
}

void escape_html_lines(struct buf *out, const char *text)
{
	add_html(out, text, true);
}

/* A name such as error_rate or backend-1.2 stays readable: these mean
 * something between words only, or at the start of a line. */
static bool is_markup(const char *text, const char *c)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	if (strchr("\\`*<>[]|~&!$@", *c))
		return true;
	if (*c == '_')
		return c == text || !c[1] || !strchr(letters, c[-1]) ||
		       !strchr(letters, c[1]);
	return c == text && strchr("#+-=:.)", *c);
}

void escape_markdown(struct buf *out, const char *text)
{
	struct buf plain;

	clean(&plain, text, false);
	for (const char *c = plain.data; *c; c++) {
		if (is_markup(plain.data, c))
			buf_addc(out, '\\');
		buf_addc(out, *c);
	}
	buf_fini(&plain);
}

void escape_markdown_code(struct buf *out, const char *text)
{
	size_t run = 0, longest = FENCE_MIN - 1;
	struct buf plain;

	clean(&plain, text, true);
	for (const char *c = plain.data; *c; c++) {
		run = *c == '`' ? run + 1 : 0;
		if (run > longest)
			longest = run;
	}
	for (size_t i = 0; i <= longest; i++)
		buf_addc(out, '`');
	buf_addf(out, "\n%s%s", plain.data,
		plain.len && plain.data[plain.len - 1] == '\n' ? "" : "\n");
	for (size_t i = 0; i <= longest; i++)
		buf_addc(out, '`');
	buf_addc(out, '\n');
	buf_fini(&plain);
}
