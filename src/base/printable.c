/* Escapes what a terminal would obey; see printable.h. */
#include "base/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/xalloc.h"

#define ESCAPE_BYTES_MAX 9 /* \u{e0001} */

/* Code points that are valid but deceive: C1 controls, zero-width and
 * bidirectional marks, line separators, the byte order mark, tags. */
static const struct range {
	uint32_t from, to;
} hidden[] = {
	{0x80, 0x9f},
	{0xad, 0xad},
	{0x61c, 0x61c},
	{0x180e, 0x180e},
	{0x200b, 0x200f},
	{0x2028, 0x202e},
	{0x2060, 0x206f},
	{0xfe00, 0xfe0f},
	{0xfeff, 0xfeff},
	{0xfff9, 0xfffb},
	{0xe0000, 0xe0fff},
};

static bool is_hidden(uint32_t c)
{
	size_t i;

	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		if (c >= hidden[i].from && c <= hidden[i].to)
			return true;
	}
	return false;
}

/* The length of the UTF-8 sequence at `p`, 0 when it is not one. */
static size_t utf8_decode(const unsigned char *p, uint32_t *c_r)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len, i;
	uint32_t c;

	if (p[0] < 0x80) {
		*c_r = p[0];
		return 1;
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	c = p[0] & (0x7fU >> len);
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*c_r = c;
	return len;
}

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
	const unsigned char *p = (const unsigned char *)text;
	uint32_t c = 0;
	size_t len;

	for (; *p; p += len) {
		len = utf8_decode(p, &c);
		if (keep_lines && (*p == '\n' || *p == '\t'))
			buf_addc(out, (char)*p);
		else if (!len || c < ' ' || c == 0x7f)
			add_control(out, *p);
		else if (is_hidden(c))
			buf_addf(out, "\\u{%x}", (unsigned)c);
		else
			buf_add(out, p, len);
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

	/* Each byte read gives at least one, so that no more are looked at. */
	char *begin = xmemdup0(text, strnlen(text, size));

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

size_t printable_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}
