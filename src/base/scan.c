/* SPDX-License-Identifier: Apache-2.0 */
/* A pull scanner for JSON; see scan.h. */
#include "base/scan.h"

#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/printable.h"
#include "base/timestamp.h"
#include "base/utf8.h"
#include "base/xalloc.h"

#define TOKEN_BYTES   256 /* more than any number, word or escape takes */
#define DEPTH_MAX     32
#define SECOND_DIGITS 12 /* of a time in whole seconds */

_Static_assert(TOKEN_BYTES >= 4 * DECIMAL_BYTES_MAX, "a pair has to fit");

/* ---- where the bytes come from ---- */

void scan_init(struct scan *s, const char *path, const char *bytes, size_t len,
	struct err *err_r)
{
	*s = (struct scan){.path = path,
		.begin = bytes,
		.p = bytes,
		.end = bytes + len,
		.line = 1,
		.depth_max = DEPTH_MAX,
		.err = err_r};
}

void scan_init_fill(struct scan *s, const char *path, size_t window,
	scan_fill fill, void *arg, struct err *err_r)
{
	size_t size = window > SCAN_WINDOW_MIN ? window : SCAN_WINDOW_MIN;
	char *bytes = xrealloc(NULL, 1, size);

	scan_init(s, path, bytes, 0, err_r);
	s->window = bytes;
	s->window_size = size;
	s->fill = fill;
	s->arg = arg;
}

void scan_fini(struct scan *s)
{
	free(s->window);
	s->window = NULL;
}

/* The line and column of the current place. */
static void find_place(const struct scan *s, int *line_r, size_t *column_r)
{
	const char *at = s->begin, *newline;

	*line_r = s->line;
	*column_r = s->column;
	while ((newline = memchr(at, '\n', (size_t)(s->p - at)))) {
		at = newline + 1;
		++*line_r;
		*column_r = 0;
	}
	*column_r += (size_t)(s->p - at);
}

/* Moves what is not read yet to the front and fills the window up. */
static void fill_window(struct scan *s)
{
	size_t left = (size_t)(s->end - s->p);
	ssize_t n;

	find_place(s, &s->line, &s->column);
	memmove(s->window, s->p, left);
	s->begin = s->p = s->window;
	while (left < s->window_size) {
		n = s->fill(s->window + left, s->window_size - left, s->arg,
			s->err);
		if (n < 0)
			s->failed = true;
		if (n <= 0) {
			s->fill = NULL;
			break;
		}
		left += (size_t)n;
	}
	s->end = s->failed ? s->p : s->window + left;
}

/* Afterwards what comes next is in the window as a whole. */
static inline void need(struct scan *s)
{
	if (__builtin_expect(s->end - s->p < TOKEN_BYTES && s->fill, 0))
		fill_window(s);
}

bool scan_fail(struct scan *s, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	int line, column;
	size_t n;
	va_list args;

	if (s->failed)
		return false;
	s->failed = true;
	find_place(s, &line, &n);
	column = n < INT_MAX ? (int)n + 1 : INT_MAX;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	err_set(s->err, ERR_POLICY, "%s", text);
	s->err->pos = (struct srcpos){s->path, line, column};
	return false;
}

/* ---- structure ---- */

static inline bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline void skip_space(struct scan *s)
{
	need(s);
	while (s->p < s->end && is_space(*s->p)) {
		s->p++;
		need(s);
	}
}

char scan_peek(struct scan *s)
{
	if (s->failed)
		return 0;
	skip_space(s);
	if (s->p == s->end)
		return 0;
	if (*s->p == '-' || (*s->p >= '0' && *s->p <= '9'))
		return '0';
	return strchr("{[\"tfn", *s->p) ? *s->p : 0;
}

static inline bool take(struct scan *s, char c)
{
	if (s->failed)
		return false;
	skip_space(s);
	if (s->p < s->end && *s->p == c) {
		s->p++;
		return true;
	}
	return false;
}

static bool expect(struct scan *s, char c)
{
	if (take(s, c))
		return true;
	if (s->p >= s->end)
		return scan_fail(s, "the file ends where '%c' is expected", c);
	return scan_fail(s, "'%c' is expected here", c);
}

bool scan_open(struct scan *s, char bracket)
{
	if (!expect(s, bracket))
		return false;
	if (++s->depth > s->depth_max)
		return scan_fail(
			s, "it is nested deeper than %d levels", s->depth_max);
	return true;
}

bool scan_item(struct scan *s, char close, bool *first)
{
	if (s->failed)
		return false;
	if (take(s, close)) {
		s->depth--;
		return false;
	}
	if (!*first && !expect(s, ','))
		return false;
	*first = false;
	return true;
}

/* Four hex digits of \uXXXX; -1 when they are not. */
static int hex4(struct scan *s)
{
	int value = 0, i, c;

	if (s->end - s->p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		c = (unsigned char)s->p[i];
		if (c >= '0' && c <= '9')
			c -= '0';
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			c = (c | 32) - 'a' + 10;
		else
			return -1;
		value = value << 4 | c;
	}
	s->p += 4;
	return value;
}

static void add_utf8(struct buf *out, int c)
{
	if (c < 0x80) {
		buf_addc(out, (char)c);
	} else if (c < 0x800) {
		buf_addc(out, (char)(0xc0 | c >> 6));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_addc(out, (char)(0xe0 | c >> 12));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_addc(out, (char)(0xf0 | c >> 18));
		buf_addc(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_addc(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* What follows "\u": a character, from one or two escapes. */
static bool unescape_unicode(struct scan *s, struct buf *out)
{
	int c = hex4(s), low;

	if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 2 &&
		s->p[0] == '\\' && s->p[1] == 'u') {
		s->p += 2;
		low = hex4(s);
		if (low < 0xdc00 || low > 0xdfff)
			return scan_fail(s, "half a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	} else if (c <= 0 || (c >= 0xd800 && c < 0xe000)) {
		return scan_fail(s, "this \\u escape is no character");
	}
	add_utf8(out, c);
	return true;
}

static bool unescape(struct scan *s, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c;

	need(s);
	if (s->p == s->end)
		return scan_fail(s, "the file ends in a string");
	c = *s->p++;
	if (c == 'u')
		return unescape_unicode(s, out);
	at = c ? strchr(from, c) : NULL;
	if (!at)
		return scan_fail(s, "an unknown escape in a string");
	buf_addc(out, to[at - from]);
	return true;
}

/* Adds a string's bytes to `out`, which may be too small for them. */
static bool read_string(struct scan *s, struct buf *out)
{
	const char *run;

	if (!expect(s, '"'))
		return false;
	for (;;) {
		need(s);
		run = s->p;
		while (s->p < s->end && *s->p != '"' && *s->p != '\\' &&
			(unsigned char)*s->p >= 0x20)
			s->p++;
		buf_add(out, run, (size_t)(s->p - run));
		if (s->p == s->end && s->fill)
			continue;
		if (s->p == s->end)
			return scan_fail(s, "the file ends in a string");
		if ((unsigned char)*s->p < 0x20)
			return scan_fail(s, "a control character in a string");
		if (*s->p++ == '"')
			return true;
		if (!unescape(s, out))
			return false;
	}
}

static bool is_utf8(const struct buf *text)
{
	size_t len;
	uint32_t c;

	for (const char *p = text->data; *p; p += len) {
		len = utf8_decode(p, &c);
		if (!len)
			return false;
	}
	return true;
}

/* The same of a string that is kept, and may be shown. */
static bool read_clean_string(struct scan *s, struct buf *out)
{
	if (!read_string(s, out))
		return false;
	if (!out->overflow && !is_utf8(out))
		return scan_fail(s, "this string is not UTF-8");
	return true;
}

bool scan_key(struct scan *s, char *key, size_t size)
{
	struct buf out;
	bool ok;

	buf_init(&out, size * 16);
	ok = read_clean_string(s, &out);
	if (ok)
		snprintf(key, size, "%s", out.overflow ? "" : out.data);
	buf_fini(&out);
	return ok && expect(s, ':');
}

bool scan_text(
	struct scan *s, struct arena *arena, size_t max, const char **text_r)
{
	struct buf out;
	bool ok;

	buf_init(&out, max);
	ok = read_clean_string(s, &out);
	if (ok && out.overflow)
		ok = scan_fail(s, "this text is longer than %zu bytes", max);
	if (ok)
		*text_r = arena_strndup(arena, out.data, out.len);
	buf_fini(&out);
	return ok;
}

/* ---- numbers ---- */

bool scan_number(struct scan *s, double *value_r)
{
	const char *p;

	if (scan_peek(s) != '0')
		return scan_fail(s, "a number is expected here");
	p = s->p + (*s->p == '-');
	if (s->end - p >= 2 && *p == '0' && is_digit(p[1]))
		return scan_fail(s, "this number begins with a 0 too many");
	p = decimal_read(s->p, s->end, value_r);
	if (!p)
		return scan_fail(s, "this is not a number");
	s->p = p;
	return true;
}

bool scan_seconds(struct scan *s, int64_t *ms_r)
{
	const char *p;
	int64_t seconds = 0;
	double value;

	if (s->failed)
		return false;
	skip_space(s);
	/* Nearly always: up to 12 digits and nothing else. */
	for (p = s->p; p < s->end && is_digit(*p) && p - s->p < SECOND_DIGITS;
		p++)
		seconds = seconds * 10 + (*p - '0');
	if (p > s->p && p < s->end &&
		(*p == ',' || *p == '}' || *p == ']' || *p == ' ')) {
		*ms_r = seconds * 1000;
		if (*ms_r > TIMESTAMP_MS_MAX)
			return scan_fail(s, "this time is after year 9999");
		s->p = p;
		return true;
	}
	if (!scan_number(s, &value))
		return false;
	if (!(value >= (double)TIMESTAMP_MS_MIN / 1000 &&
		    value <= (double)TIMESTAMP_MS_MAX / 1000))
		return scan_fail(
			s, "this time is not between years 1 and 9999");
	*ms_r = (int64_t)llround(value * 1000);
	return true;
}

static bool is_word(const struct scan *s, const char *word, size_t len)
{
	return (size_t)(s->end - s->p) > len && memcmp(s->p, word, len) == 0 &&
	       s->p[len] == '"';
}

bool scan_sample(struct scan *s, double *value_r)
{
	static const struct {
		const char *word;
		size_t len;
		double value;
	} words[] = {{"NaN", 3, NAN}, {"+Inf", 4, INFINITY},
		{"-Inf", 4, -INFINITY}, {"Inf", 3, INFINITY}};
	const char *p;
	size_t i;

	if (!expect(s, '"'))
		return false;
	p = s->p < s->end && *s->p == '+' ? NULL
					  : decimal_read(s->p, s->end, value_r);
	if (p && p < s->end && *p == '"') {
		s->p = p + 1;
		return true;
	}
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (is_word(s, words[i].word, words[i].len)) {
			*value_r = words[i].value;
			s->p += words[i].len + 1;
			return true;
		}
	}
	return scan_fail(
		s, "this is not a sample (\"0.5\", \"NaN\", \"+Inf\")");
}

/* As Prometheus writes it, and nothing but this. */
static bool quick_pair(struct scan *s, int64_t *ms_r, double *value_r)
{
	const char *p = s->p, *digits;
	uint64_t seconds = 0;

	if (s->end - p < TOKEN_BYTES || *p++ != '[')
		return false;
	digits = p;
	p = digits_read(p, p + SECOND_DIGITS, &seconds);
	if (p == digits || *p++ != ',')
		return false;
	p += *p == ' ';
	if (*p++ != '"')
		return false;
	p = decimal_read(p, s->end, value_r);
	if (!p || p[0] != '"' || p[1] != ']')
		return false;
	*ms_r = (int64_t)seconds * 1000;
	if (*ms_r > TIMESTAMP_MS_MAX)
		return false;
	s->p = p + 2;
	return true;
}

static bool any_pair(struct scan *s, int64_t *ms_r, double *value_r)
{
	bool first = false;

	if (!scan_open(s, '[') || !scan_seconds(s, ms_r) ||
		!scan_item(s, ']', &first) || !scan_sample(s, value_r))
		return scan_fail(
			s, "a pair [time, \"value\"] is expected here");
	if (scan_item(s, ']', &first) || s->failed)
		return scan_fail(s, "a pair has two members");
	return true;
}

bool scan_pair(struct scan *s, int64_t *ms_r, double *value_r)
{
	if (s->failed)
		return false;
	skip_space(s);
	return quick_pair(s, ms_r, value_r) || any_pair(s, ms_r, value_r);
}

/* ---- the rest ---- */

static bool skip_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};
	size_t i, len;

	for (i = 0; i < 3; i++) {
		len = strlen(words[i]);
		if ((size_t)(s->end - s->p) >= len &&
			memcmp(s->p, words[i], len) == 0) {
			s->p += len;
			return true;
		}
	}
	return scan_fail(s, "a value is expected here");
}

static bool skip_string(struct scan *s)
{
	struct buf none;
	bool ok;

	buf_init(&none, 0);
	ok = read_string(s, &none);
	buf_fini(&none);
	return ok;
}

bool scan_skip(struct scan *s)
{
	char open = scan_peek(s), key[8];
	bool first = true;
	double number;

	switch (open) {
	case '{':
	case '[':
		if (!scan_open(s, open))
			return false;
		while (scan_item(s, open == '{' ? '}' : ']', &first)) {
			if (open == '{' && !scan_key(s, key, sizeof(key)))
				return false;
			if (!scan_skip(s))
				return false;
		}
		return !s->failed;
	case '"':
		return skip_string(s);
	case '0':
		return scan_number(s, &number);
	case 0:
		return scan_fail(s, "a value is expected here");
	default:
		return skip_word(s);
	}
}

bool scan_at_end(struct scan *s)
{
	if (s->failed)
		return false;
	skip_space(s);
	if (s->p != s->end)
		return scan_fail(s, "something follows the end of the value");
	return !s->failed;
}
