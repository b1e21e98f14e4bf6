/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text, written in order; see jsonw.h. */
#include "base/jsonw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

#define WHOLE_MAX 1e15 /* below it whole numbers have no exponent */

static void begin(struct jsonw *w, const char *key)
{
	if (w->comma)
		buf_addc(w->out, ',');
	w->comma = true;
	if (key) {
		buf_addc(w->out, '"');
		buf_adds(w->out, key);
		buf_adds(w->out, "\":");
	}
}

void jsonw_object(struct jsonw *w, const char *key)
{
	begin(w, key);
	buf_addc(w->out, '{');
	w->comma = false;
}

void jsonw_array(struct jsonw *w, const char *key)
{
	begin(w, key);
	buf_addc(w->out, '[');
	w->comma = false;
}

void jsonw_end(struct jsonw *w, char bracket)
{
	buf_addc(w->out, bracket);
	w->comma = true;
}

static void add_unicode(struct buf *out, uint32_t c)
{
	if (c > 0xffff) {
		c -= 0x10000;
		buf_addf(out, "\\u%04x", (unsigned)(0xd800 + (c >> 10)));
		c = 0xdc00 + (c & 0x3ff);
	}
	buf_addf(out, "\\u%04x", (unsigned)c);
}

static void add_escaped(struct buf *out, uint32_t c)
{
	switch (c) {
	case '"':
		buf_adds(out, "\\\"");
		break;
	case '\\':
		buf_adds(out, "\\\\");
		break;
	case '\n':
		buf_adds(out, "\\n");
		break;
	default:
		add_unicode(out, c);
	}
}

static bool is_plain_ascii(char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static bool is_plain(uint32_t c)
{
	return c >= ' ' && c != '"' && c != '\\' && c != 0x7f &&
	       (c < 0x80 || !utf8_is_hidden(c));
}

void jsonw_text(struct jsonw *w, const char *key, const char *text)
{
	const char *plain = text;
	uint32_t c = 0;
	size_t len;

	begin(w, key);
	buf_addc(w->out, '"');
	for (; *text; text += len) {
		len = 1;
		if (is_plain_ascii(*text))
			continue;
		len = utf8_decode(text, &c);
		if (len && is_plain(c))
			continue;
		buf_add(w->out, plain, (size_t)(text - plain));
		if (len)
			add_escaped(w->out, c);
		else
			buf_adds(w->out, "\xef\xbf\xbd"); /* U+FFFD */
		if (!len)
			len = 1;
		plain = text + len;
	}
	buf_add(w->out, plain, (size_t)(text - plain));
	buf_addc(w->out, '"');
}

static const char *print_int(int64_t number, char text[JSONW_NUMBER_MAX])
{
	char *at = &text[JSONW_NUMBER_MAX - 1];
	uint64_t rest = number < 0 ? -(uint64_t)number : (uint64_t)number;

	*at = '\0';
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	return at;
}

void jsonw_int(struct jsonw *w, const char *key, int64_t number)
{
	char text[JSONW_NUMBER_MAX];

	begin(w, key);
	buf_adds(w->out, print_int(number, text));
}

/* Most numbers are counts, for which digits need not be tried. */
static bool is_count(double number)
{
	return number > 0 ? number < WHOLE_MAX && number == floor(number)
			  : number == 0 && !signbit(number);
}

const char *jsonw_print_number(double number, char text[JSONW_NUMBER_MAX])
{
	int digits;

	if (is_count(number))
		return print_int((int64_t)number, text);
	if (isnan(number))
		return strcpy(text, "NaN");
	if (isinf(number))
		return strcpy(text, number > 0 ? "+Inf" : "-Inf");
	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, JSONW_NUMBER_MAX, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	return text;
}

void jsonw_number(struct jsonw *w, const char *key, double number)
{
	const char *quote = isfinite(number) ? "" : "\"";
	char text[JSONW_NUMBER_MAX];

	begin(w, key);
	buf_adds(w->out, quote);
	buf_adds(w->out, jsonw_print_number(number, text));
	buf_adds(w->out, quote);
}

void jsonw_bool(struct jsonw *w, const char *key, bool value)
{
	begin(w, key);
	buf_adds(w->out, value ? "true" : "false");
}

void jsonw_null(struct jsonw *w, const char *key)
{
	begin(w, key);
	buf_adds(w->out, "null");
}

void jsonw_raw(struct jsonw *w, const char *key, const char *json)
{
	begin(w, key);
	buf_adds(w->out, json);
}

void jsonw_members(struct jsonw *w, const char *object)
{
	const char *end = strrchr(object, '}');
	const char *p = object + strspn(object, "{ \t\r\n");
	uint32_t c = 0;
	size_t len;

	if (!end || p >= end)
		return;
	if (w->comma)
		buf_addc(w->out, ',');
	w->comma = true;
	for (; p < end; p += len ? len : 1) {
		len = utf8_decode(p, &c);
		if (len && (c == 0x7f || utf8_is_hidden(c)))
			add_unicode(w->out, c);
		else if (len && c < ' ')
			buf_addc(w->out, ' '); /* between the tokens */
		else
			buf_add(w->out, p, len);
	}
}
