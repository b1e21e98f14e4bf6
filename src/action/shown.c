/* Bytes from outside made fit to be shown; see shown.h. */
#include "action/shown.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/secret.h"

/* Length of the UTF-8 character at `s`, or 0 when it is none (overlong forms,
 * surrogates and code points beyond the last are none). */
static size_t utf8_len(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t code;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
	if (!n || n > left || s[0] > 0xf4)
		return 0;
	code = s[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[n] || code > 0x10ffff ||
		(code >= 0xd800 && code <= 0xdfff))
		return 0;
	return n;
}

/* C0 and C1 controls: a terminal would obey them. */
static bool is_control(const unsigned char *s, size_t n)
{
	if (n == 1)
		return (s[0] < 0x20 && s[0] != '\n' && s[0] != '\t') ||
		       s[0] == 0x7f;
	return n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

void shown_clean(struct buf *text)
{
	unsigned char *data = (unsigned char *)text->data;
	size_t to = 0;

	for (size_t at = 0; at < text->len;) {
		size_t n = utf8_len(data + at, text->len - at);

		if (data[at] == '\r' && at + 1 < text->len &&
			data[at + 1] == '\n') {
			at++;
		} else if (!n || is_control(data + at, n)) {
			data[to++] = '?';
			at += n ? n : 1;
		} else {
			memmove(data + to, data + at, n);
			to += n;
			at += n;
		}
	}
	buf_truncate(text, to);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The longest beginning of at most `max` bytes that ends between characters. */
static size_t whole_chars(const char *s, size_t len, size_t max)
{
	if (len <= max)
		return len;
	while (max && ((unsigned char)s[max] & 0xc0) == 0x80)
		max--;
	return max;
}

void shown_add(struct buf *out, const char *bytes, size_t len, size_t max,
	size_t dropped)
{
	struct buf text;
	size_t from = 0, end, keep;

	buf_init(&text, 2 * len + 64); /* masks may be longer than secrets */
	buf_add(&text, bytes, len);
	redact(&text); /* before the cut: half a secret is not recognised */
	shown_clean(&text);
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
