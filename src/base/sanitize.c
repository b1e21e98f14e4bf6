/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from outside made fit to be shown; see sanitize.h. */
#include "base/sanitize.h"

#include <stdbool.h>
#include <string.h>

#include "base/printable.h"
#include "base/secret.h"

#define ESCAPE_BYTES_MAX 10 /* "\u{10ffff}", of one character */

/* The longest beginning of at most `max` bytes that ends between characters. */
static size_t whole_chars(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

/* printable_add_lines reads up to a NUL and would show every "\r\n". */
static void drop_nuls_and_returns(struct buf *text)
{
	size_t to = 0;

	for (size_t at = 0; at < text->len; at++) {
		char c = text->data[at];

		if (c == '\r' && at + 1 < text->len &&
			text->data[at + 1] == '\n')
			continue;
		text->data[to++] = c ? c : '?';
	}
	buf_truncate(text, to);
}

/* Masks before anything is cut: half a secret is not recognised. */
void sanitize(struct buf *text)
{
	struct buf clean;

	redact(text);
	drop_nuls_and_returns(text);
	buf_init(&clean, ESCAPE_BYTES_MAX * text->len + 1);
	printable_add_lines(&clean, text->data);
	clean.max = text->max;
	if (clean.len > clean.max) /* only escapes make it longer */
		buf_truncate(
			&clean, whole_chars(clean.data, clean.len, clean.max));
	buf_fini(text);
	*text = clean;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

void sanitize_add(struct buf *out, const char *bytes, size_t len, size_t max,
	size_t dropped)
{
	struct buf text;
	size_t from = 0, end, keep;

	/* Masks and escapes may be longer than what they stand for. */
	buf_init(&text, ESCAPE_BYTES_MAX * len + 64);
	buf_add(&text, bytes, len);
	sanitize(&text);
	end = text.len;
	while (from < end && is_blank(text.data[from]))
		from++;
	while (end > from && is_blank(text.data[end - 1]))
		end--;
	keep = whole_chars(text.data + from, end - from, max);
	buf_add(out, text.data + from, keep);
	dropped += end - from - keep;
	if (dropped)
		buf_addf(out, " [%zu bytes more]", dropped);
	buf_fini(&text);
}
