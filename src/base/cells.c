/* SPDX-License-Identifier: Apache-2.0 */
/* Widths on a terminal; see cells.h. */
#define _XOPEN_SOURCE 700 /* wcwidth, newlocale */
#include "base/cells.h"

#include <locale.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "base/printable.h"
#include "base/utf8.h"

#define TEXT_BYTES_MAX (1024 * 1024)

/* wcwidth knows the characters of a locale alone: of one with UTF-8, whichever
 * the person has. Without it a character is one cell. */
static int width_of(uint32_t c)
{
	static locale_t utf8;
	static bool asked;
	locale_t before;
	int width;

	if (c < 0x80)
		return 1;
	if (!asked)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	asked = true;
	if (!utf8)
		return 1;
	before = uselocale(utf8);
	width = wcwidth((wchar_t)c);
	uselocale(before);
	return width < 0 ? 1 : width;
}

static size_t next(const char *text, uint32_t *c_r)
{
	size_t len = utf8_decode(text, c_r);

	return len ? len : 1;
}

int cells_width(const char *text)
{
	uint32_t c = '?';
	int width = 0;

	while (*text) {
		text += next(text, &c);
		width += width_of(c);
	}
	return width;
}

size_t cells_fit(const char *text, int width)
{
	const char *at = text;
	uint32_t c = '?';
	size_t len;

	for (; *at; at += len) {
		len = next(at, &c);
		width -= width_of(c);
		if (width < 0)
			break;
	}
	return (size_t)(at - text);
}

/* What our own texts have beside ASCII. */
static const char *ascii_of(uint32_t c)
{
	switch (c) {
	case 0xd7: /* multiplication sign */
		return "x";
	case 0x2013: /* en dash */
	case 0x2212: /* minus */
		return "-";
	case 0x2026: /* ellipsis */
		return "...";
	default:
		return "?";
	}
}

static void add_ascii(struct buf *out, const char *text)
{
	uint32_t c = '?';
	size_t len;

	for (; *text; text += len) {
		len = next(text, &c);
		if (c < 0x80)
			buf_addc(out, *text);
		else if (width_of(c))
			buf_adds(out, ascii_of(c));
	}
}

void cells_add(struct buf *out, const char *text, bool utf8)
{
	struct buf shown;

	if (utf8) {
		printable_add(out, text);
		return;
	}
	buf_init(&shown, TEXT_BYTES_MAX);
	printable_add(&shown, text);
	add_ascii(out, shown.data);
	buf_fini(&shown);
}
