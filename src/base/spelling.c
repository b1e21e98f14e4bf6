/* SPDX-License-Identifier: Apache-2.0 */
/* Escapes read back; see spelling.h. One row for each way to write bytes. */
#define _GNU_SOURCE /* memmem */

#include "base/spelling.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define CUT (-1) /* the text ends within the escape */

/* What one escape stands for. */
struct meant {
	char bytes[4];
	size_t len;
};

/* Bytes of the escape at `p`; 0: it is none; CUT. */
typedef int (*read_fn)(const char *p, size_t left, struct meant *meant);

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void mean_byte(struct meant *meant, unsigned c)
{
	meant->bytes[0] = (char)c;
	meant->len = 1;
}

static void mean_char(struct meant *meant, uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	if (n == 1) {
		mean_byte(meant, c);
		return;
	}
	meant->len = n;
	for (size_t i = n - 1; i; i--, c >>= 6)
		meant->bytes[i] = (char)(0x80 | (c & 0x3f));
	meant->bytes[0] = (char)((0xf00U >> n) & 0xff) | (char)c;
}

/* `digits` hexadecimal ones at `p`: how many there are, or CUT. */
static int read_hex(const char *p, size_t left, int digits, uint32_t *value_r)
{
	int i;

	*value_r = 0;
	for (i = 0; i < digits; i++) {
		if ((size_t)i >= left)
			return CUT;
		if (digit_of(p[i]) < 0)
			break;
		*value_r = *value_r << 4 | (uint32_t)digit_of(p[i]);
	}
	return i;
}

static int read_percent(const char *p, size_t left, struct meant *meant)
{
	uint32_t value;
	int n = read_hex(p + 1, left - 1, 2, &value);

	if (n == CUT)
		return CUT;
	if (n < 2)
		return 0;
	mean_byte(meant, value);
	return 3;
}

static int read_form(const char *p, size_t left, struct meant *meant)
{
	if (*p == '%')
		return read_percent(p, left, meant);
	mean_byte(meant, ' ');
	return 1;
}

/* After "\u": four digits, a pair of them, or any number in braces. */
static int read_unicode(const char *p, size_t left, struct meant *meant)
{
	uint32_t value, low;
	int n;

	if (left > 2 && p[2] == '{') {
		n = read_hex(p + 3, left - 3, 6, &value);
		if (n == CUT || (size_t)n + 3 >= left)
			return CUT;
		if (!n || p[3 + n] != '}' || value > 0x10ffff)
			return 0;
		mean_char(meant, value);
		return n + 4;
	}
	n = read_hex(p + 2, left - 2, 4, &value);
	if (n < 4)
		return n == CUT ? CUT : 0;
	if (value >= 0xd800 && value < 0xdc00) {
		if (left < 12)
			return CUT;
		if (p[6] == '\\' && p[7] == 'u' &&
			read_hex(p + 8, left - 8, 4, &low) == 4 &&
			low >= 0xdc00 && low < 0xe000) {
			mean_char(meant, 0x10000 + ((value - 0xd800) << 10) +
						 (low - 0xdc00));
			return 12;
		}
	}
	mean_char(meant, value);
	return 6;
}

static int read_octal(const char *p, size_t left, struct meant *meant)
{
	unsigned value = 0;
	size_t i = 1;

	for (; i < 4 && i < left && p[i] >= '0' && p[i] <= '7'; i++)
		value = value * 8 + (unsigned)(p[i] - '0');
	mean_byte(meant, value & 0xff);
	return (int)i;
}

/* A line that goes on: the break and the blanks that follow mean nothing. */
static int read_folded_line(const char *p, size_t left, struct meant *meant)
{
	size_t i = 1;

	while (i < left && strchr(" \t\r\n", p[i]) && p[i])
		i++;
	meant->len = 0;
	return (int)i;
}

static int read_letter(const char *p, struct meant *meant)
{
	static const char letters[] = "abefnrtv";
	static const char names[] = "\a\b\033\f\n\r\t\v";
	const char *letter = p[1] ? strchr(letters, p[1]) : NULL;

	mean_byte(meant,
		(unsigned char)(letter ? names[letter - letters] : p[1]));
	return 2;
}

static int read_backslash(const char *p, size_t left, struct meant *meant)
{
	uint32_t value;
	int n, digits;

	if (left < 2)
		return CUT;
	switch (p[1]) {
	case 'u':
		return read_unicode(p, left, meant);
	case 'x':
	case 'U':
		digits = p[1] == 'x' ? 2 : 8;
		n = read_hex(p + 2, left - 2, digits, &value);
		if (n == CUT)
			return CUT;
		if (n < digits || value > 0x10ffff)
			return 0;
		mean_char(meant, value);
		return digits + 2;
	case '\n':
	case '\r':
		return read_folded_line(p, left, meant);
	default:
		return p[1] >= '0' && p[1] <= '7' ? read_octal(p, left, meant)
						  : read_letter(p, meant);
	}
}

static int read_bytes(const char *p, size_t left, struct meant *meant)
{
	uint32_t value;

	if (left >= 4 && p[1] == 'x' &&
		read_hex(p + 2, left - 2, 2, &value) == 2) {
		mean_byte(meant, value);
		return 4;
	}
	return read_backslash(p, left, meant);
}

/* "&#38;" and "&#x26;" from the "#" on. */
static int read_number(const char *p, size_t len, struct meant *meant)
{
	bool is_hex = len > 1 && (p[1] | 0x20) == 'x';
	uint32_t value = 0, base = is_hex ? 16 : 10;
	size_t i = is_hex ? 2 : 1;
	int digit;

	if (i == len)
		return 0;
	for (; i < len; i++) {
		digit = digit_of(p[i]);
		if (digit < 0 || (uint32_t)digit >= base || value > 0x10ffff)
			return 0;
		value = value * base + (uint32_t)digit;
	}
	if (value > 0x10ffff)
		return 0;
	mean_char(meant, value);
	return 1;
}

static int read_entity(const char *p, size_t left, struct meant *meant)
{
	static const struct {
		const char *name;
		char c;
	} rows[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'},
		{"apos", '\''}};
	size_t len = 0, i, max = 10;

	while (len + 1 < left && len < max && p[len + 1] != ';')
		len++;
	if (len == max)
		return 0;
	if (len + 1 == left)
		return CUT;
	if (p[1] == '#')
		return read_number(p + 1, len, meant) ? (int)len + 2 : 0;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (strlen(rows[i].name) == len &&
			!memcmp(rows[i].name, p + 1, len)) {
			mean_byte(meant, (unsigned char)rows[i].c);
			return (int)len + 2;
		}
	}
	return 0;
}

/* Shells close the quotes, write one and open them again; others double it. */
static int read_quote(const char *p, size_t left, struct meant *meant)
{
	static const char *const ways[] = {"'\\''", "'\"'\"'", "''", "\"\""};
	size_t n;

	mean_byte(meant, (unsigned char)*p);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		n = strlen(ways[i]);
		if (left >= n && !memcmp(p, ways[i], n))
			return (int)n;
	}
	return 0;
}

static const struct {
	const char *begins; /* bytes that may begin an escape */
	const char *needs; /* one byte or two, without which there is none */
	read_fn read;
} rows[SPELLINGS] = {
	[SPELLING_PERCENT] = {"%", "%", read_percent},
	[SPELLING_FORM] = {"%+", "+", read_form},
	[SPELLING_BACKSLASH] = {"\\", "\\", read_backslash},
	[SPELLING_BYTES] = {"\\", "\\x", read_bytes},
	[SPELLING_ENTITY] = {"&", "&", read_entity},
	[SPELLING_QUOTE] = {"'\"", NULL, read_quote},
};

static bool may_begin(enum spelling spelling, char c)
{
	return c == rows[spelling].begins[0] ||
	       (c && c == rows[spelling].begins[1]);
}

/* Quotes are everywhere, but few stand before another one. */
static size_t first_quote(const char *text, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if ((text[i] == '\'' || text[i] == '"') &&
			(text[i + 1] == '\'' || text[i + 1] == '"' ||
				text[i + 1] == '\\'))
			return i;
	return len;
}

/* Where the first escape may be; `len`: there is none. */
static size_t first_escape(enum spelling spelling, const char *text, size_t len)
{
	size_t i = 0;

	if (spelling == SPELLING_QUOTE)
		return first_quote(text, len);
	/* memmem is slower, and nearly all of them need one byte. */
	if (!memchr(text, rows[spelling].needs[0], len) ||
		(rows[spelling].needs[1] &&
			!memmem(text, len, rows[spelling].needs, 2)))
		return len;
	while (i < len && !may_begin(spelling, text[i]))
		i++;
	return i;
}

static void add(struct spelled *out, const char *bytes, size_t n, size_t from)
{
	for (size_t i = 0; i < n; i++) {
		out->from[out->len] = (uint32_t)from;
		out->bytes[out->len++] = bytes[i];
	}
}

bool spelling_read(enum spelling spelling, const char *text, size_t len,
	struct spelled *out)
{
	struct meant meant;
	bool found = false;
	size_t i;
	int n;

	if (first_escape(spelling, text, len) == len)
		return false;
	*out = (struct spelled){
		.bytes = xcalloc(len + 1, 1),
		.from = xcalloc(len + 1, sizeof(*out->from)),
	};
	for (i = 0; i < len; i += (size_t)n) {
		n = may_begin(spelling, text[i])
			    ? rows[spelling].read(text + i, len - i, &meant)
			    : 0;
		found |= n != 0;
		if (n == CUT)
			break;
		if (n)
			add(out, meant.bytes, meant.len, i);
		else
			add(out, text + i, 1, i);
		n = n ? n : 1;
	}
	out->from[out->len] = (uint32_t)i;
	if (!found)
		spelled_fini(out);
	return found;
}

void spelled_fini(struct spelled *spelled)
{
	explicit_bzero(spelled->bytes, spelled->len);
	free(spelled->bytes);
	free(spelled->from);
}
